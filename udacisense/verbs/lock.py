"""One heavy verb at a time on this machine; those that compute in this process do it in one deterministic mode."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from udacisense import files, writable
from udacisense.errors import StoreError
from udacisense.progress import WAITING, report
from udacisense.records.store import now, sweep, write_text
from udacisense.settings import settings

POLL_S = 0.5


@contextmanager
def heavy_work(what: str, *, seeded: bool = True, into: Sequence[Path] = ()) -> Iterator[None]:
    """Hold the lock of all heavy work, waiting for it where needed; inside, torch is seeded and deterministic.

    Entering again in the same thread (`run` calls the other verbs) neither waits nor seeds a second time.

    Args:
        what: the work in words, for those who wait.
        seeded: False for work that has no need of torch in this process, whose import takes seconds.
        into: folders that the work writes to besides results/.

    Raises:
        StoreError: a folder cannot be written to, which is said before the work.
    """
    folder = settings().home / ".udacisense"
    writable.check(folder, settings().results_dir, *into)
    lock = _lock_in(folder)
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


def _lock_in(folder: Path) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _refused(folder, exc) from exc
    return FileLock(folder / "work.lock", is_singleton=True)


def _refused(path: Path, exc: OSError) -> StoreError:
    return StoreError(f"{path} could not be written: {exc.strerror or exc}. {writable.way_out(path, exc)}")


def _acquire(lock: FileLock, holder: Path) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            report(0.0, WAITING + _holder(holder))
            time.sleep(POLL_S)
        except OSError as exc:
            raise _refused(Path(lock.lock_file), exc) from exc


def _holder(path: Path) -> str:
    try:
        plain = files.read_json(path)
        return f"{plain['what']} (process {plain['pid']}, since {plain['since']})"
    except (StoreError, KeyError, TypeError):
        return "other work on this machine"


def _make_deterministic() -> None:
    from udacisense.determinism import set_deterministic_mode

    set_deterministic_mode(settings().seed)
