"""Timings queue: on one machine one runs at a time, whichever home it belongs to."""

from __future__ import annotations

import getpass
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from udacisense import files
from udacisense.errors import MeasureError, StoreError
from udacisense.foreign import in_brief, sentences
from udacisense.progress import WAITING, report

POLL_S = 0.2


def _place() -> Path:
    """A file of this user, the same for every home; the locks of other users are not ours to open."""
    return Path(tempfile.gettempdir(), f"udacisense-{_user()}-timing.lock")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


@contextmanager
def alone_on_the_machine(what: str) -> Iterator[None]:
    """Wait until no other timing of this user runs, then hold the machine inside the block.

    Raises:
        MeasureError: the temporary folder cannot be written to.
    """
    place = _place()
    lock, holder = FileLock(place), place.with_suffix(".json")
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            report(0.0, WAITING + _told_by(holder))
            time.sleep(POLL_S)
        except OSError as exc:
            said = f"Timings take turns by {place}, which cannot be written: {in_brief(exc)}"
            raise MeasureError(sentences(said, "Free some space there, or set TMPDIR to a folder of your own.")) from exc
    try:
        with suppress(OSError):  # only the words of those who wait depend on it
            holder.write_text(json.dumps({"what": what, "pid": os.getpid()}), encoding="utf-8")
        yield
    finally:
        lock.release()


def _told_by(holder: Path) -> str:
    try:
        plain = files.read_json(holder)
        return f"{plain['what']} (process {plain['pid']})"
    except (StoreError, KeyError, TypeError):
        return "another benchmark"
