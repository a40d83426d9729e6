"""Check that a folder can be written to, with advice where it cannot: before the work, and at any failure."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from udacisense.errors import StoreError
from udacisense.settings import settings

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
MIN_FREE_BYTES = 2**20
"""With less than this left no record is begun."""


def why_not(folder: Path) -> str | None:
    """Why nothing can be written into a folder, which need not be there yet, and the way out; None where it can."""
    place = _nearest(folder)
    if not place.is_dir():
        return f"Nothing can be written to {folder}: {place} is a file, not a folder. {_elsewhere(folder)}."
    if not os.access(place, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return f"Nothing can be written to {folder}: this user may not write to {place}. {_allow(folder)}"
    return f"Nothing can be written to {folder}: its disk is full. {make_room(folder)}" if is_full(folder) else None


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder, which need not be there yet, has no room for a record."""
    try:
        return shutil.disk_usage(_nearest(folder)).free < MIN_FREE_BYTES
    except OSError:  # this system does not tell
        return False


def check(*folders: Path) -> None:
    """Raises StoreError, before any work, for the first of the folders that nothing can be written to."""
    for folder in folders:
        reason = why_not(folder)
        if reason is not None:
            raise StoreError(reason)


def way_out(path: Path, exc: OSError) -> str:
    """Advice after a file could not be written."""
    if exc.errno in FULL:
        return make_room(path.parent)
    if exc.errno in REFUSED:
        return _allow(path.parent)
    return f"Check {path.parent}, then try again."


def refusal(exc: OSError) -> str | None:
    """A sentence on what the system refused to let this user write or read, with the way out; None for any other error."""
    if exc.errno in (*FULL, *REFUSED):
        place = Path(os.fsdecode(exc.filename)) if exc.filename else settings().home / "x"
        what = f"{place if exc.filename else 'A file'}: {exc.strerror}."
        return f"{what} {make_room(place)}" if exc.errno in FULL else f"{what} {_elsewhere(place)}, or let this user use it."
    if "usable temporary directory" in str(exc):
        temporary = os.environ.get("TMPDIR", "/tmp")
        return f"Nothing can be written to the temporary folder. Free some space in {temporary}, or set TMPDIR."
    return None


def full_disk(exc: BaseException, *folders: Path) -> Path | None:
    """The folder whose full disk made an error, if one did: as the error says, or as one of the folders shows."""
    full = next(filter(is_full, folders), None)
    cause: BaseException | None = exc
    while cause is not None:
        named = getattr(cause, "filename", None)
        if (isinstance(cause, OSError) and cause.errno in FULL) or os.strerror(errno.ENOSPC) in str(cause):
            return full or (Path(os.fsdecode(named)).parent if named else folders[0])
        cause = cause.__cause__ or cause.__context__
    return full


def _nearest(folder: Path) -> Path:
    """The folder, or the closest one above it that is there."""
    return next((place for place in (folder, *folder.parents) if os.path.lexists(place)), folder)


def _allow(folder: Path) -> str:
    return f"{_elsewhere(folder)}, or allow writing there."


def make_room(folder: Path) -> str:
    """Advice on the full disk that holds a folder."""
    setting = ", or set UDACISENSE_HOME to a folder on another disk" if _in_home(folder) else ""
    return f"Free some space on the disk that holds {folder}{setting}, then try again."


def _elsewhere(folder: Path) -> str:
    return "Set UDACISENSE_HOME to a folder of your own" if _in_home(folder) else "Name another folder"


def _in_home(folder: Path) -> bool:
    return folder.is_relative_to(settings().home)
