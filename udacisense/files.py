"""Files that others wrote, read with bounds: regular files only, none too large, UTF-8, JSON of sane depth and numbers.

Whatever is wrong with a file becomes a StoreError that names it, so a list can tell it and go on.
"""

from __future__ import annotations

import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

from udacisense.errors import NotFoundError, StoreError
from udacisense.foreign import in_brief
from udacisense.settings import settings

MAX_TEXT_BYTES = 32 * 1024**2
"""No record, card or list of ours comes near this size."""
MAX_VALUES = 1_000_000
"""Most values in one file; a soak of five minutes at 0.3 ms has a third of them. Unpacked, each takes up to a hundred bytes."""
MAX_DEPTH = 32  # nesting; records have less than ten
MAX_NUMBER = 1e100  # squares of it are still finite
MAX_INTEGER = 2**53  # beyond, a float is no longer exact

_WAY_OUT = "Remove it, or restore it from version control."
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_place(path: Path, root: Path) -> None:
    """Nothing, if `path` lies below `root` with its links followed, or links out of it may be followed.

    Raises:
        StoreError: it is a link that leads out of `root`.
    """
    if settings().follow_links:
        return
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as exc:  # RuntimeError: a loop of links
        raise StoreError(f"{path} is a link that cannot be followed: {in_brief(exc)}. Remove it.") from exc
    if not inside:
        raise StoreError(
            f"{path} is a link that leads out of {root}, so it is not followed. Copy the file here, or allow such links: "
            "UDACISENSE_FOLLOW_LINKS=1."
        )


def check_regular(path: Path) -> os.stat_result:
    """Size and times of a regular file, its links followed.

    Raises:
        NotFoundError: there is no such file. StoreError: a folder, a pipe, a device or a socket.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as exc:
        raise NotFoundError(
            f"There is no file {path}: {getattr(exc, 'strerror', None) or in_brief(exc)}. Check the path."
        ) from exc
    if not stat.S_ISREG(found.st_mode):
        raise _irregular(path, found.st_mode)
    return found


def _irregular(path: Path, mode: int) -> StoreError:
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
    return StoreError(f"{path} is {kind}, not a file. Remove or rename it.")


def open_regular(path: Path) -> BufferedReader:
    """A regular file, open for reading. Nothing else is opened: a pipe would wait, a device may never end.

    Raises:
        NotFoundError: there is no such file. StoreError: it is no regular file, or it may not be read.
    """
    check_regular(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        file = os.fdopen(os.open(path, flags), "rb")
    except OSError as exc:
        raise StoreError(f"{path} cannot be read: {exc.strerror}. {_WAY_OUT}") from exc
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):  # swapped since it was looked at
        file.close()
        raise _irregular(path, mode)
    return file


def read_bytes(path: Path, limit: int = MAX_TEXT_BYTES) -> bytes:
    """A regular file of at most `limit` bytes.

    Raises:
        NotFoundError: there is no such file. StoreError: it cannot be read, or it is larger.
    """
    try:
        with open_regular(path) as file:
            found = file.read(limit + 1)
    except OSError as exc:
        raise StoreError(f"{path} cannot be read: {exc.strerror}. {_WAY_OUT}") from exc
    if len(found) > limit:
        raise StoreError(f"{path} is larger than {limit >> 20} MB, so it is not read. {_WAY_OUT}")
    return found


def read_text(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """A whole text file of at most `limit` bytes.

    Raises:
        NotFoundError: there is no such file. StoreError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        return read_bytes(path, limit).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise StoreError(f"{path} is not a text file in UTF-8 ({exc.reason} at byte {exc.start}). {_WAY_OUT}") from exc


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        NotFoundError: there is no such file. StoreError: it cannot be read, or is no JSON that is read here.
    """
    try:
        return parse_json(read_text(path))
    except ValueError as exc:
        raise StoreError(f"{path} is not JSON that can be read ({in_brief(exc)}). {_WAY_OUT}") from exc


def parse_json(text: str) -> Any:
    """The plain values in a JSON text.

    Raises:
        ValueError: not JSON, too many values, nested too deeply, a number that is not finite or far too large, or text that
            is not Unicode.
    """
    if text.count(",") > MAX_VALUES:
        raise ValueError(f"it holds more than {MAX_VALUES:,} values")
    try:
        plain = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep") from None
    _check_values(plain)
    return plain


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a finite number")


def _check_values(plain: Any) -> None:
    """Level by level instead of by recursion, whose depth would be the file's to choose."""
    level: list[Any] = [[plain]]
    for _ in range(MAX_DEPTH + 1):
        level = [value for holder in level for value in _checked(holder) if isinstance(value, dict | list)]
        if not level:
            return
    raise ValueError(f"nested more than {MAX_DEPTH} levels deep")


def _checked(holder: dict[str, Any] | list[Any]) -> Any:
    values = holder
    if isinstance(holder, dict):
        _check_text("".join(holder))
        values = list(holder.values())
    for value in values:
        if isinstance(value, float):
            if not -MAX_NUMBER < value < MAX_NUMBER:
                raise ValueError(f"the number {value:g} is out of range")
        elif isinstance(value, int):
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise ValueError(f"a whole number of {value.bit_length()} bits is out of range")
        elif isinstance(value, str):
            _check_text(value)
    return values


def _check_text(text: str) -> None:
    """A half of a surrogate pair can be neither written nor shown."""
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("it holds text that is not Unicode") from None
