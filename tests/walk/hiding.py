"""Hide installed packages from a Python process and from every process that it starts."""

from __future__ import annotations

from pathlib import Path

VARIABLE = "TEST_HIDDEN_PACKAGES"
CODE = f"""
import os
from importlib.machinery import PathFinder
_hidden = set(os.environ.get({VARIABLE!r}, "").split())
_found = PathFinder.find_spec.__func__
def _find(cls, name, path=None, target=None):
    return None if name.partition(".")[0] in _hidden else _found(cls, name, path, target)
PathFinder.find_spec = classmethod(_find)
"""


def hidden(folder: Path, *packages: str) -> dict[str, str]:
    """The environment in which the packages are not found; `folder` gets the module that Python runs when it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(CODE)
    return {"PYTHONPATH": str(folder), VARIABLE: " ".join(packages)}
