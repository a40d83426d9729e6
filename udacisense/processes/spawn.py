"""Starting of child processes that end with this one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from udacisense.processes.limits import PACKAGE, PARENT


def popen(command: Sequence[str], *, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[Any]:
    """`subprocess.Popen` for a command that calls `limits.die_with_parent` first; the package and the app are on its path.

    Linux ends such a child when the *thread* that started it ends, so all are started by one thread that lives as long as the
    process: a page's script thread ends with every rerun.
    """
    from udacisense.settings import SHARED

    places = dict.fromkeys((str(PACKAGE.parent), str(SHARED), os.environ.get("PYTHONPATH", "")))
    path = os.pathsep.join(place for place in places if place)
    told = {**os.environ, "PYTHONPATH": path, **(env or {}), PARENT: str(os.getpid())}
    start: Callable[[], subprocess.Popen[Any]] = lambda: subprocess.Popen(list(command), env=told, **options)  # noqa: E731
    if threading.current_thread() is threading.main_thread():
        return start()
    return _starter(os.getpid()).submit(start).result()


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module of the package."""
    return [sys.executable, "-m", name, *arguments]


@lru_cache(maxsize=2)
def _starter(_pid: int) -> ThreadPoolExecutor:  # a forked process has a thread of its own
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="start-children")
