"""`inspect_file`: read a file in a process of its own, bound in memory and time, and say what is inside."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from udacisense import files
from udacisense.errors import InspectError, StoreError
from udacisense.file_structure.structure import ModelStructure
from udacisense.foreign import in_brief
from udacisense.formats import FORMATS
from udacisense.inspection.advice import judge
from udacisense.inspection.inspection import Inspection, describe
from udacisense.number_format import gb
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.spawn import module
from udacisense.records import store

WALL_S = 90.0
"""Time after which the reading process is ended from outside."""
MAX_FILE_BYTES = 1 << 30
"""Largest file that is looked into; the largest classifier for a phone has a few hundred MB."""


def inspect_file(path: Path, format: str | None = None, precision: str | None = None) -> Inspection:
    """Inspection of a file; without `format` and `precision` they are told by its content and its name.

    Raises:
        InspectError: it is of no known format, cut off, damaged, hostile, or takes too much memory or time.
    """
    size_bytes = _size(path)
    known = format or identify(path)
    if known not in readable():
        raise InspectError(f"A file of the format {known!r} has no inside to show. Choose one of: {', '.join(readable())}.")
    anatomy = read(known, path)
    digest = store.sha256_of(path) if path.is_file() else ""
    about = describe(anatomy, path.name, digest, known, precision or _precision_in(path.name), size_bytes)
    return dataclasses.replace(about, findings=judge(anatomy, about))


def readable() -> tuple[str, ...]:
    """The formats whose files can be looked into."""
    return tuple(name for name, fmt in FORMATS.items() if fmt.reader is not None)


def identify(path: Path) -> str:
    """The format of a file, by its first bytes, the members of its archive, or last its name.

    Raises:
        InspectError: none is known.
    """
    suffix = "".join(path.suffixes[-1:]).lower()
    try:
        head = b"" if path.is_dir() else _head(path)
        found = _by_magic(head[4:8])
        if found is None and head[:2] == b"PK":
            with zipfile.ZipFile(path) as archive:
                found = _in_archive(path, archive.namelist())
    except (OSError, StoreError, zipfile.BadZipFile, ValueError) as exc:
        raise InspectError(f"{path.name} cannot be inspected: it cannot be read ({in_brief(exc)}). Copy it again.") from exc
    found = found or next((name for name, fmt in FORMATS.items() if suffix in fmt.signs.suffixes), None)
    if found is None:
        raise InspectError(f"{path.name} is of no format that is known here. Known are: {', '.join(readable())}.")
    return found


def _head(path: Path) -> bytes:
    with files.open_regular(path) as file:
        return file.read(8)


def _by_magic(magic: bytes) -> str | None:
    return next((name for name, fmt in FORMATS.items() if magic and fmt.signs.magic == magic), None)


def _in_archive(path: Path, names: list[str]) -> str | None:
    """The format whose member an archive has; the one that asks for no member is any other archive's."""
    parts = {name.rpartition("/")[2] for name in names}
    if "data.pkl" in parts and "constants.pkl" not in parts:
        raise InspectError(
            f"{path.name} holds weights alone, and no model of a phone format. Put it into models/, where it is listed and "
            "never run, and convert it: python -m udacisense convert FILE"
        )
    members = {name: fmt.signs.member for name, fmt in FORMATS.items() if fmt.signs.member is not None}
    named = (f for f, member in members.items() if member and any(name.endswith(member) for name in names))
    return next(named, None) or next((f for f, member in members.items() if member == ""), None)


def read(format: str, path: Path) -> ModelStructure:
    """The file taken apart by a child process.

    Raises:
        InspectError: the child refused the file, died, or was ended.
    """
    asked = {"format": format, "path": str(path.absolute())}
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        with Child(module("udacisense.inspection.child", json.dumps(asked)), environment) as child:
            _, documents = child.ask("read", timeout_s=WALL_S)
    except ChildError as exc:
        raise _refused(path, format, f"the process that read it {exc.how or 'failed'}") from exc
    return outcome(path, format, b"".join(document.tobytes() for document in documents))


def outcome(path: Path, format: str, out: bytes) -> ModelStructure:
    """What a child that answered has to say about a file.

    Raises:
        InspectError: nothing good.
    """
    try:
        document = json.loads(out)
        if "refused" in document:
            raise InspectError(str(document["refused"]))
        if "error" in document:
            raise _refused(path, format, str(document["error"]))
        return TypeAdapter(ModelStructure).validate_python(document["anatomy"])
    except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as exc:
        raise _refused(path, format, "the process that read it gave no answer that can be read") from exc


def _refused(path: Path, format: str, why: str) -> InspectError:
    return InspectError(
        f"{path.name} cannot be inspected as {format}: {why.strip().rstrip('.')}. "
        "Copy or convert it again; do not run it before that."
    )


def _size(path: Path) -> int:
    try:
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        size = sum(p.stat().st_size for p in files)
    except OSError as exc:
        raise InspectError(f"{path} cannot be inspected: {exc.strerror}. Check the path.") from exc
    if size == 0:
        raise InspectError(f"{path.name} cannot be inspected: it is empty. Copy or convert it again.")
    if size > MAX_FILE_BYTES:
        raise InspectError(f"{path.name} cannot be inspected: it has {gb(size)}, a phone's file has far less.")
    return size


def _precision_in(name: str) -> str | None:
    found = re.search(r"(?<![a-z0-9])(int8|fp16|fp32)(?![0-9])", name.lower())
    return found.group(1) if found else None
