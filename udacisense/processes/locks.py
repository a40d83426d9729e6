"""Locks by which heavy work takes turns: one of a home, for all of it, and one of this user, for what is timed in any home."""

from __future__ import annotations

import getpass
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from udacisense import files, writable
from udacisense.errors import MeasureError, StoreError, UdaciSenseError
from udacisense.foreign import in_brief, sentences
from udacisense.progress import WAITING, report
from udacisense.records.store import now, sweep, write_text
from udacisense.settings import settings

POLL_S = 0.5


@contextmanager
def heavy_work(what: str, *, seeded: bool = True, alone: bool = False, into: Sequence[Path] = ()) -> Iterator[None]:
    """Hold the lock of all heavy work, waiting for it where needed; inside, torch is seeded and deterministic.

    Entering again in the same thread (`run` calls the other verbs) neither waits nor seeds a second time.

    Args:
        what: the work in words, for those who wait.
        seeded: False for work that has no need of torch in this process, whose import takes seconds.
        alone: True for timings: no other home of this user times anything meanwhile.
        into: folders that the work writes to besides results/.

    Raises:
        StoreError: a folder cannot be written to, which is said before the work.
        MeasureError: timings cannot take turns here.
    """
    folder = settings().home / ".udacisense"
    writable.check(folder, settings().results_dir, *into)
    with ExitStack() as stack:
        if stack.enter_context(_turn(folder / "work.lock", what, _not_written)):
            report(0.0, what)
            sweep()
            if seeded:
                _make_deterministic()
        if alone:
            stack.enter_context(_turn(_timing_lock(), what, _no_turns))
        yield


def _make_deterministic() -> None:
    from udacisense.determinism import set_deterministic_mode  # numpy, then torch

    set_deterministic_mode(settings().seed)


def _timing_lock() -> Path:
    """A file of this user, the same for every home; the locks of other users are not ours to open."""
    return Path(tempfile.gettempdir(), f"udacisense-{_user()}-timing.lock")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


@contextmanager
def _turn(place: Path, what: str, refused: Callable[[Path, OSError], UdaciSenseError]) -> Iterator[bool]:
    """Hold a lock, waiting for it where needed; False where this thread holds it already."""
    with suppress(OSError):  # told of by the lock
        place.parent.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(place, is_singleton=True), place.with_suffix(".json")
    if lock.is_locked:
        yield False
        return
    _wait(lock, holder, refused)
    try:
        with suppress(StoreError):  # only the words of those who wait depend on it
            write_text(holder, json.dumps({"what": what, "pid": os.getpid(), "since": now()}))
        yield True
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _wait(lock: FileLock, holder: Path, refused: Callable[[Path, OSError], UdaciSenseError]) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            report(0.0, WAITING + _work_of(holder))
            time.sleep(POLL_S)
        except OSError as exc:
            raise refused(Path(lock.lock_file), exc) from exc


def _work_of(holder: Path) -> str:
    try:
        return str(files.read_json(holder)["what"])
    except (StoreError, KeyError, TypeError):
        return "other work on this machine"


def _not_written(place: Path, exc: OSError) -> StoreError:
    return StoreError(f"{place} could not be written: {exc.strerror or exc}. {writable.way_out(place, exc)}")


def _no_turns(place: Path, exc: OSError) -> MeasureError:
    said = f"Timings take turns by {place}, which cannot be written: {in_brief(exc)}"
    return MeasureError(sentences(said, "Free some space there, or set TMPDIR to a folder of your own."))
