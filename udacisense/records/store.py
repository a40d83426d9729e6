"""The only writer of results/ and of models/: atomic, append-only, a schema number in each record.

A file is first written beside its place under a name ending in ".part" and then renamed, so a reader never sees half of it,
and a full disk or a killed process leaves what was there before. Records are never changed: a new measurement is a new file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from udacisense import files, writable
from udacisense.errors import NotFoundError, StoreError
from udacisense.foreign import in_brief
from udacisense.scratch import is_abandoned, node, sweep_scratch
from udacisense.settings import settings
from udacisense.types import KINDS, Artifact, Checkpoint, Record

SCHEMA = 1
ARTIFACT_RECORD = "artifact.json"
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}

R = TypeVar("R")


def now() -> str:
    """The time of now in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id(name: str) -> str:
    """An identifier that sorts by time: "<name>-20261122T071500-3fa9c1"."""
    return f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file; hashed again only when its size or time changed.

    Raises:
        NotFoundError: there is no such file. StoreError: it is no regular file, or it may not be read.
    """
    stat = files.check_regular(path)
    return _sha256(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: str, _size: int, _mtime_ns: int) -> str:
    with files.open_regular(Path(path)) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it takes the place of `path`, otherwise it is removed.

    Raises:
        StoreError: the file could not be written (full disk, no permission).
    """
    part = _part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as exc:
        raise _write_error(path, exc) from exc
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on a clean exit it takes the place of `path`, otherwise it is removed."""
    part = _part_of(path)
    try:
        part.mkdir(parents=True)
        yield part
        if path.exists():
            os.replace(path, path.with_name(f"{part.name}.old.part"))
        os.replace(part, path)
    except OSError as exc:
        raise _write_error(path, exc) from exc
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(path.with_name(f"{part.name}.old.part"), ignore_errors=True)


def _part_of(path: Path) -> Path:
    """A temporary name that says which process of which machine writes it, so that `sweep` knows when it was abandoned."""
    return path.with_name(f"{path.name}.{node()}-{os.getpid()}-{secrets.token_hex(4)}.part")


_PART = re.compile(r"^(?P<name>.+)\.(?P<node>[0-9a-f]{6})-(?P<pid>\d{1,9})-[0-9a-f]{8}\.part(?P<old>\.old\.part)?$")


def sweep() -> tuple[Path, ...]:
    """Remove what killed writers of this machine left in models/, results/ and the temporary folder; returns what was removed.

    A folder that its writer had only just moved aside takes its place again.
    """
    roots = (settings().models_dir, settings().results_dir)
    parts = (part for root in roots for part in sorted(root.rglob("*.part")) if _clear_if_abandoned(part))
    return (*parts, *sweep_scratch())


def _clear_if_abandoned(part: Path) -> bool:
    found = _PART.match(part.name)
    if found is None or not is_abandoned(found["node"], found["pid"]) or not part.exists():
        return False
    place = part.with_name(found["name"])
    with suppress(OSError):
        if found["old"] and not place.exists():
            os.replace(part, place)
        elif part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()
        return True
    return False


def _write_error(path: Path, exc: OSError) -> StoreError:
    return StoreError(f"{path} could not be written: {exc.strerror or exc}. {writable.way_out(path, exc)}")


def write_text(path: Path, text: str) -> Path:
    """Write a whole text file in one step; returns its path."""
    with replace_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def to_json(record: Any) -> dict[str, Any]:
    """A record as plain JSON values; paths inside the project become relative, so that a clone can read them."""
    plain: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json", by_alias=True)
    if isinstance(record, Checkpoint | Artifact):
        plain["path"] = relative(record.path)
    return plain


def _adapter(kind: type) -> TypeAdapter[Any]:  # building one takes far longer than reading with it
    return _ADAPTERS.get(kind) or _ADAPTERS.setdefault(kind, TypeAdapter(kind))


def from_json(kind: type[R], plain: Mapping[str, Any]) -> R:
    """The record of type `kind` from plain JSON values.

    Raises:
        StoreError: a field is missing, unknown in type, or against the record's own rules.
    """
    try:
        record: R = _adapter(kind).validate_json(json.dumps(plain, allow_nan=False), strict=True)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "record"
        raise StoreError(f"Not a {kind.__name__}: {where}: {first['msg'].rstrip('.')}.") from exc
    if isinstance(record, Checkpoint | Artifact) and not record.path.is_absolute():
        record = dataclasses.replace(record, path=settings().home / record.path)
    return record


def relative(path: Path) -> str:
    """A path inside the project as seen from its home, so that a clone can read it; any other path as it is."""
    home = settings().home
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)


def dump(record: Any, kind: str) -> str:
    """The text of a record file."""
    return json.dumps({"schema": SCHEMA, "kind": kind, "record": to_json(record)}, indent=1, allow_nan=False) + "\n"


def parse(text: str, kind: str, cls: type[R], where: str) -> R:
    """The record in a record file's text.

    Raises:
        StoreError: not JSON, of another kind, of a newer schema, or not a valid record.
    """
    try:
        envelope = files.parse_json(text)
        found, schema, plain = envelope["kind"], envelope["schema"], envelope["record"]
    except (ValueError, KeyError, TypeError) as exc:
        raise StoreError(
            f"{where} is not a record file ({in_brief(exc)}). Remove it, or restore it from version control."
        ) from exc
    if found != kind:
        raise StoreError(f"{where} holds a {_short(found)}, not a {kind}. Move it to the folder of its kind.")
    if schema != SCHEMA:
        raise StoreError(f"{where} has schema {_short(schema)}, this version reads {SCHEMA}. Update UdaciSense.")
    try:
        return from_json(cls, plain)
    except StoreError as exc:
        raise StoreError(f"{where}: {exc} Remove it, or restore it from version control.") from exc


def _short(value: object) -> str:
    """A value from a file in the words of a message, however long it is there."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def kind_of(record: Any) -> str:
    """The folder name under results/ of a record."""
    return next(kind for kind, cls in KINDS.items() if isinstance(record, cls))


def save(record: Record) -> Path:
    """Write a new record to results/<kind>/<id>.json and return its path.

    Raises:
        StoreError: a record of that id exists (records are never changed), or the disk refuses.
    """
    kind = kind_of(record)
    path = settings().results_dir / kind / f"{record.id}.json"
    if path.exists():
        raise StoreError(f"Record {record.id} exists already. Records are never changed: measure again to add one.")
    return write_text(path, dump(record, kind))


def read_record(path: Path, kind: str) -> Any:
    """The record in a file of results/<kind>/, which bears its id as its name.

    Raises:
        NotFoundError: no such file. StoreError: it cannot be read, is no such record, or is another's.
    """
    files.check_place(path, settings().results_dir)
    record: Any = parse(files.read_text(path), kind, KINDS[kind], str(path))
    if record.id != path.stem:
        raise StoreError(f"{path} holds the record {_short(record.id)}, whose file has another name. Rename or remove it.")
    return record


@lru_cache(maxsize=256)  # what pages show together; a long benchmark takes a megabyte in memory
def _parsed(path: str, kind: str, _size: int, _mtime_ns: int) -> Any:
    return read_record(Path(path), kind)


def load(kind: str, record_id: str) -> Any:
    """One record by its id.

    Raises:
        NotFoundError: no such record. StoreError: it cannot be read.
    """
    path = settings().results_dir / kind / f"{record_id}.json"
    try:
        stat = path.stat()
    except OSError as exc:
        if os.path.lexists(path):
            raise StoreError(f"{path} is a link that leads nowhere. Remove it.") from exc
        raise NotFoundError(f"There is no {kind} {record_id!r} in {path.parent}.") from exc
    return _parsed(str(path), kind, stat.st_size, stat.st_mtime_ns)


@dataclasses.dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """Records, oldest first, and a sentence for every file that could not be read."""

    records: tuple[R, ...]
    problems: tuple[str, ...]


def records(cls: type[R]) -> Listing[R]:
    """All records of a type, oldest first; unreadable files are named in `problems`, not hidden and not fatal."""
    kind = next(k for k, c in KINDS.items() if c is cls)
    found: list[R] = []
    problems: list[str] = []
    for path in sorted((settings().results_dir / kind).glob("*.json")):
        try:
            found.append(load(kind, path.stem))
        except StoreError as exc:
            problems.append(str(exc))
    found.sort(key=lambda r: (r.made.created, r.id))  # type: ignore[attr-defined]
    return Listing(tuple(found), tuple(problems))
