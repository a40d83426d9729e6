"""What people call a file by: a path, or an id that may be misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from udacisense.errors import NotFoundError
from udacisense.settings import settings


def existing_file(id_or_path: str | Path, exists: Callable[[Path], bool] = Path.is_file) -> Path | None:
    """The absolute path meant, seen from the working folder or the project's; None if nothing is there."""
    try:
        places = (Path(id_or_path).absolute(), settings().home / id_or_path)
        return next((p for p in places if exists(p)), None)
    except (OSError, ValueError):  # a name too long or with a zero byte is no path
        return None


def not_found(what: str, wanted: str, known: Sequence[str]) -> NotFoundError:
    """The error for an id or path that is not here, naming what comes close."""
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or list(known[:3])
    way_out = f"Did you mean {' or '.join(close)}?" if close else f"There is no {what} in {settings().models_dir} yet."
    return NotFoundError(f"There is no {what} {wanted!r}, neither as an id nor as a file. {way_out}")
