"""A child process for the tests of `processes`: `python -m tests.processes.child [FOLDER]`."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from udacisense.errors import CheckpointError
from udacisense.processes import limits, serve
from udacisense.processes.limits import Bounds
from udacisense.progress import report


def fail(_asked: Any, _arrays: Any) -> Any:
    """An error of ours."""
    raise CheckpointError("no good")


def hang(_asked: Any, _arrays: Any) -> Any:
    """Never answer."""
    time.sleep(600)


def die(_asked: Any, _arrays: Any) -> Any:
    """End by a signal."""
    print("about to die", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def fill(_asked: Any, _arrays: Any) -> Any:
    """Ask for more memory than is allowed."""
    return {}, [np.ones(400 << 20, np.uint8)]


def touch(asked: Any, _arrays: Any) -> Any:
    """Read and write a file."""
    path, done = Path(asked["path"]), {}
    for what, act in {"write": lambda: path.write_text("x"), "read": lambda: path.read_text()}.items():
        try:
            act()
            done[what] = True
        except OSError:
            done[what] = False
    return done, []


def work(_asked: Any, _arrays: Any) -> Any:
    """Tell of progress while working."""
    for step in (0.25, 0.5):
        report(step, f"at {step}")
        time.sleep(0.2)
    print("done working", file=sys.stderr, flush=True)
    return {"done": True}, []


def garble(_asked: Any, _arrays: Any) -> Any:
    """Write something else where the answers go."""
    print("not an answer", flush=True)
    return {"printed": True}, []


HANDLERS = {
    "echo": lambda asked, arrays: (asked, arrays),
    "fail": fail,
    "hang": hang,
    "die": die,
    "fill": fill,
    "touch": touch,
    "print": garble,
    "work": work,
    "leave": lambda _asked, _arrays: ({"path": tempfile.mkdtemp()}, []),
    "pid": lambda _asked, _arrays: ({"pid": os.getpid()}, []),
    "environment": lambda asked, _arrays: ({"value": os.environ.get(asked["name"])}, []),
    "bound": lambda _asked, _arrays: ({"bound": limits.is_bound()}, []),
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        limits.apply(Bounds(256 << 20, file_bytes=1 << 20, read=(str(folder / "seen"),), write=(str(folder / "own"),)))
    serve.serve(HANDLERS)
