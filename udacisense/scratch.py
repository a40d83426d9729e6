"""Temporary files and folders that say which process writes them, so that what a killed one left is cleared away."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_NAME = re.compile(r"^udacisense-(?P<node>[0-9a-f]{6})-(?P<pid>\d+)-")


@lru_cache(maxsize=1)
def node() -> str:
    """Six characters that tell this machine from others that write to the same disk."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:6]


def prefix() -> str:
    """The beginning of the name of everything that this process puts into the system's temporary folder."""
    return f"udacisense-{node()}-{os.getpid()}-"


def is_abandoned(of_node: str, pid: str) -> bool:
    """Whether a writer was a process of this machine that is gone."""
    import psutil

    return of_node == node() and not psutil.pid_exists(int(pid))


def sweep_scratch() -> tuple[Path, ...]:
    """Remove what killed processes of this machine left in the system's temporary folder; returns what was removed."""
    with suppress(OSError):
        return tuple(path for path in sorted(Path(tempfile.gettempdir()).glob("udacisense-*")) if _clear_if_abandoned(path))
    return ()


def _clear_if_abandoned(path: Path) -> bool:
    found = _NAME.match(path.name)
    if found is None or not is_abandoned(found["node"], found["pid"]):
        return False
    with suppress(OSError):  # another user's, or cleared away by another process
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    return False
