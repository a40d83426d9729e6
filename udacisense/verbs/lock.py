"""One heavy verb at a time on this machine; those that compute in this process do it in one deterministic mode."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from udacisense import files
from udacisense.errors import StoreError
from udacisense.progress import WAITING, report
from udacisense.settings import settings
from udacisense.store import now, sweep, write_text

POLL_S = 0.5


@contextmanager
def heavy_work(what: str, *, seeded: bool = True) -> Iterator[None]:
    """Hold the lock of all heavy work, waiting for it where needed; inside, torch is seeded and deterministic.

    Entering again in the same thread (`run` calls the other verbs) neither waits nor seeds a second time.

    Args:
        what: the work in words, for those who wait.
        seeded: False for work that has no need of torch in this process, whose import takes seconds.
    """
    folder = settings().home / ".udacisense"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "work.lock", is_singleton=True)
    if lock.is_locked:
        yield
        return
    _acquire(lock, folder / "work.json")
    try:
        write_text(folder / "work.json", json.dumps({"what": what, "pid": os.getpid(), "since": now()}))
        report(0.0, what)
        sweep()
        if seeded:
            _make_deterministic()
        yield
    finally:
        with suppress(OSError):
            (folder / "work.json").unlink()
        lock.release()


def _acquire(lock: FileLock, holder: Path) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            report(0.0, WAITING + _holder(holder))
            time.sleep(POLL_S)


def _holder(path: Path) -> str:
    try:
        plain = files.read_json(path)
        return f"{plain['what']} (process {plain['pid']}, since {plain['since']})"
    except (StoreError, KeyError, TypeError):
        return "other work on this machine"


def _make_deterministic() -> None:
    from udacisense.determinism import set_deterministic_mode

    set_deterministic_mode(settings().seed)
