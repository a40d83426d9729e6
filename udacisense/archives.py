"""Model files sized before anything in them is unpacked: zip archives by their directory, pickles by their opcodes.

Torch reads these files with a reader of its own, which must not understand an archive otherwise than the checks here do. So
what two readers could read in two ways (a name twice, bytes before the first entry, a comment at the end) is refused.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from udacisense.errors import CheckpointError
from udacisense.number_format import gb, mb

MAX_FILE_BYTES = 2 << 30
"""Largest model file that is opened; the largest classifier in common use has about 1.2 GB of weights."""

MAX_ENTRIES = 20_000
MAX_DIRECTORY_BYTES = 16 << 20
MAX_TEXT_BYTES = 64 << 20  # of a pickle or of code
RATIO, ALWAYS_ALLOWED_BYTES = 4, 64 << 20
"""Torch stores weights unpacked, so what is inside may have a few times the size of the file, and no more."""

MAX_ARRAYS_BYTES = 512 << 20
"""A million images with a hundred logits each take 400 MB."""

MAX_OPCODES = 2_000_000
MAX_STACK = 10_000
"""A state_dict of a thousand tensors needs a stack of about two thousand."""

_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large an archive may be that is said to hold something."""

    holds: str
    entries: int
    ratio: int  # of what it unpacks to by its own size


MODEL = Bounds("a model", MAX_ENTRIES, RATIO)
IMAGES = Bounds("a folder of images", 100_000, RATIO)
"""Images are compressed already, so an archive of them hardly grows."""


class ArchiveError(CheckpointError):
    """An archive that is damaged, or that is made to be unpacked into far more than it seems. The message is a reason only."""


def check_file(path: Path) -> None:
    """Nothing, if the size of a file is one that a model may have.

    Raises:
        ArchiveError: it has not.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ArchiveError(f"it has {gb(size)}, and it may have at most {gb(MAX_FILE_BYTES)}")


def is_archive(path: Path) -> bool:
    """Whether a file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


@contextmanager
def opened(path: Path, bounds: Bounds = MODEL) -> Iterator[zipfile.ZipFile]:
    """The zip archive, once its directory was found to tell the truth as far as it can be seen without unpacking.

    Raises:
        ArchiveError: it is damaged, ambiguous, or declares more than it can hold.
    """
    check_file(path)
    try:
        _check_end(path, bounds)
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive.infolist(), path.stat().st_size, bounds)
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, struct.error) as exc:
        raise ArchiveError(f"it is no whole zip archive ({str(exc).rstrip('.') or type(exc).__name__})") from exc


def check_arrays(path: Path) -> None:
    """Nothing, if an .npz file unpacks to no more than the raw answers of a large split need.

    Raises:
        ArchiveError: it unpacks to more, or is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as exc:
        raise ArchiveError(f"it is no archive of arrays ({str(exc).rstrip('.')})") from exc
    if unpacked > MAX_ARRAYS_BYTES:
        raise ArchiveError(f"it would unpack to {mb(unpacked, 0)}")


def read_text(archive: zipfile.ZipFile, name: str) -> bytes:
    """A pickle or a text of the archive; its true size is bounded, whatever it declares.

    Raises:
        ArchiveError: it is larger than that of any model.
    """
    with archive.open(name) as member:
        raw = member.read(MAX_TEXT_BYTES + 1)
    if len(raw) > MAX_TEXT_BYTES:
        raise ArchiveError(f"{name[:80]!r} in it is larger than {MAX_TEXT_BYTES >> 20} MB")
    return raw


def _check_end(path: Path, bounds: Bounds) -> None:
    """The record at the very end says how large the directory is: read before the directory itself."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise ArchiveError("it does not begin as an archive does")
        file.seek(max(size - 98, 0))
        tail = file.read()
    end = tail[-22:]
    if end[:4] != _END or end[20:22] != b"\0\0":
        raise ArchiveError("it is cut off, or something follows its end")
    entries, directory_bytes = struct.unpack("<10xHL6x", end)
    if tail[-42:-38] == _LOCATOR:
        if tail[:4] != _END64:
            raise ArchiveError("its two ends contradict each other")
        entries, directory_bytes = struct.unpack("<32xQQ8x", tail[:56])
    if entries > bounds.entries or directory_bytes > MAX_DIRECTORY_BYTES:
        raise ArchiveError(f"it lists {entries} parts, {bounds.holds} has at most {bounds.entries}")


def _check_entries(entries: list[zipfile.ZipInfo], size: int, bounds: Bounds) -> None:
    if len({entry.filename.casefold() for entry in entries}) != len(entries):
        raise ArchiveError("it holds two parts of one name")
    for entry in entries:
        if entry.flag_bits & 0x1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError("a part of it is encrypted, or packed in a way that is not read here")
        if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
            raise ArchiveError("a part of it has two sizes")
    if sum(entry.compress_size for entry in entries) > size:
        raise ArchiveError("its parts overlap")
    unpacked, most = sum(entry.file_size for entry in entries), max(bounds.ratio * size, ALWAYS_ALLOWED_BYTES)
    if unpacked > most:
        raise ArchiveError(f"{mb(size)} would unpack to {mb(unpacked, 0)}, as {bounds.holds} does not")


def strings_of(raw: bytes) -> Iterator[str]:
    """Every string and name in a pickle, which is walked and not run.

    Raises:
        ArchiveError: it is damaged, has more opcodes than a model, or is nested too deep.
    """
    stack, marks = 0, list[int]()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(raw)):
            if isinstance(argument, str):
                yield argument
            if opcode.name == "MARK":
                marks.append(stack)
            elif pickletools.markobject in opcode.stack_before and marks:
                stack = marks.pop() - opcode.stack_before.index(pickletools.markobject) + len(opcode.stack_after)
            else:
                stack += len(opcode.stack_after) - len(opcode.stack_before)
            if count > MAX_OPCODES or max(stack, len(marks)) > MAX_STACK:
                raise ArchiveError("its pickle has more parts, or is nested deeper, than that of any model")
    except ArchiveError:
        raise
    except Exception as exc:  # pickletools has many names for a damaged pickle
        raise ArchiveError(f"its pickle is damaged ({str(exc)[:100].rstrip('.')})") from exc


def check_pickle(raw: bytes) -> None:
    """Nothing, if a pickle is of a size and depth that a model may have; raises ArchiveError as `strings_of` does."""
    for _ in strings_of(raw):
        pass


def imports_by_name(raw: bytes) -> bool:
    """Whether a pickle asks for a Python object by the newer way that torch's reader does not even parse; runs nothing."""
    with suppress(Exception):  # cut off, or no pickle at all
        return any(opcode.name == "STACK_GLOBAL" for opcode, _, _ in islice(pickletools.genops(raw), MAX_OPCODES))
    return False
