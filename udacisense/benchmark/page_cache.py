"""Page cache of the system: is a file in it, and its removal, so that a start can be cold."""

from __future__ import annotations

import os
from pathlib import Path

SAMPLES = 64


def drop(path: Path) -> bool | None:
    """Ask the system to forget a file's pages, as any user may; returns whether some are still there, None = not available.

    Only the file itself: the libraries of a runtime stay where other programs left them.
    """
    if not hasattr(os, "posix_fadvise"):
        return is_cached(path)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return is_cached(path)


def is_cached(path: Path) -> bool | None:
    """Whether any of some pages spread over the file can be read without waiting for the disk; None = not available here."""
    if not hasattr(os, "RWF_NOWAIT"):
        return None
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            return any(_readable_now(file.fileno(), size * i // SAMPLES) for i in range(SAMPLES))
        except OSError:  # a file system without the flag
            return None


def _readable_now(descriptor: int, offset: int) -> bool:
    try:
        return os.preadv(descriptor, [bytearray(1)], offset, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        return False
