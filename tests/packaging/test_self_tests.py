"""The self-test of a package, run where there is nothing but the runtime and NumPy: it gets the golden logits."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the converters warn of each other
SMALL = {"onnx": "onnxruntime", "litert": "ai-edge-litert"}
"""Runtimes that a fresh environment gets in seconds; the others bring torch."""

LARGE = {"executorch": "executorch", "torchscript": "torch", "torchscript-lite": "torch"}
ALONE = """
import json, re, runpy, sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
known, allowed = packages_distributions(), set(json.loads(sys.argv[2]))

class Allowed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        owners = {re.sub(r"[-_.]+", "-", owner).lower() for owner in known.get(name.partition(".")[0], [])}
        return super().find_spec(name, path, target) if not owners or owners & allowed else None

sys.meta_path = [Allowed if finder is PathFinder else finder for finder in sys.meta_path]
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a script as if only some distributions were installed."""


def fresh(folder: Path, package: str) -> Path:
    """The python of an environment of its own that holds a runtime and NumPy; skips where no index can be reached."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    wanted = [f"{name}=={version(name)}" for name in (package, "numpy")]
    done = subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot bring {package} here: {done.stderr.strip()[-200:]}")
    return python


@pytest.mark.parametrize("format", SMALL)
def test_it_passes_in_an_environment_of_its_own(format: str, package_of: Callable[[str], Path], tmp_path: Path) -> None:
    python = fresh(tmp_path / "venv", SMALL[format])
    package = package_of(format)
    assert f"pip install numpy {SMALL[format]}\n" in (package / "README.md").read_text(encoding="utf-8")
    said = run(python, package / "selftest.py")
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.match(r"RIGHT: 10 of 10 answers equal", said.stdout)
    shutil.copytree(package, tmp_path / "damaged")
    model = next((tmp_path / "damaged").glob("optimized_model_mobile.*"))
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 0xFF
    model.write_bytes(content)
    said = run(python, tmp_path / "damaged" / "selftest.py")
    assert (said.returncode, "not the one" in said.stdout) == (1, True)


@pytest.mark.parametrize("format", LARGE)
def test_it_passes_on_the_runtime_alone(format: str, package_of: Callable[[str], Path], tmp_path: Path) -> None:
    """In a process that sees no project, and no distribution but NumPy, the runtime and what the runtime asks for."""
    allowed = json.dumps(sorted(needed(LARGE[format]) | needed("numpy")))
    assert "pytest" not in allowed
    command = [sys.executable, "-I", "-c", ALONE, str(package_of(format) / "selftest.py"), allowed]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "RIGHT: 10 of 10 answers equal" in said.stdout


def run(python: Path, script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(python), "-I", str(script)], capture_output=True, text=True, check=False)


def needed(package: str) -> set[str]:
    """A distribution and all that it asks for, as far as it is installed."""
    found: set[str] = set()
    left = [package]
    while left:
        name = plain(left.pop())
        if name in found:
            continue
        found.add(name)
        try:
            asked = [Requirement(line) for line in requires(name) or []]
        except PackageNotFoundError:
            continue
        left += [r.name for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def plain(name: str) -> str:
    """A distribution's name in the one spelling that is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
