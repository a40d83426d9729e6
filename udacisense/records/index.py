"""Index of the record files: what each is about, so that a question opens only the few files that it needs.

The files are the truth. The index lies in .udacisense/, may be deleted at any time, and is brought up to date before each
answer: one pass over the folder compares names, sizes and times, and only what is new or changed is read. Where it cannot be
kept (a folder that cannot be written, a damaged or locked file) the same index is built in memory, once for each process.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from udacisense.errors import NotFoundError, StoreError
from udacisense.records import store
from udacisense.records.index_file import answer, transaction
from udacisense.settings import settings

T = TypeVar("T")

SETTLED_NS = 2_000_000_000
"""A folder that changed this long ago shows its next change as another time, even where times are kept to two seconds."""
BATCH = 500
"""Rows written in one transaction, short enough for a second process to wait for."""

FIELDS = (
    "subject_id", "artifact_id", "checkpoint_id", "checkpoint_sha256", "run_id", "runtime", "runtime_version", "threads",
    "batch", "background_processes", "sustained", "plain", "setting", "cpus", "size_bytes", "images", "pipeline", "key",
    "format", "precision", "exploratory",
)  # fmt: skip
"""What Row.about holds of a record that has them; of its data, machine and protocol see `_about`."""
FILE_FIELDS = ("subject_sha256", "artifact_sha256", "sha256", "start_sha256")
GROUP_FIELDS = ("run_id", "key", "pipeline")


@dataclass(frozen=True, slots=True)
class Row:
    """One readable record file and what it is about."""

    kind: str
    file: str  # its name in the folder of its kind
    stamp: str  # size and times that it had when it was read
    id: str
    created: str
    about: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.about[name]

    @property
    def subject_id(self) -> str:
        """Of the checkpoint or artifact that it is about, as it was called then."""
        return str(self.about["subject_id"])

    @property
    def run_id(self) -> str:
        """Of the benchmark run that it belongs to."""
        return str(self.about["run_id"])

    @property
    def sha256(self) -> str:
        """Of the file that the record is about."""
        return str(self.about["sha256"])


# --- questions ------------------------------------------------------------------------------------------------------------


def rows(
    kind: str,
    sha256: Collection[str] | None = None,
    belongs: Collection[str] | None = None,
    ids: Collection[str] | None = None,
) -> tuple[Row, ...]:
    """The records of a kind, oldest first.

    Args:
        sha256: of the files that they are about. belongs: their runs, pipelines or keys. ids: their own. None = any.
    """
    wanted = {name: values for name, values in (("sha256", sha256), ("belongs", belongs), ("id", ids)) if values is not None}
    return _ask(kind, lambda connection: _select(connection, kind, wanted))


def problems(kind: str) -> tuple[str, ...]:
    """A sentence for every file of a kind that cannot be read."""
    asked = "SELECT file, problem FROM records WHERE kind = ? AND problem IS NOT NULL"
    found = _ask(kind, lambda connection: connection.execute(asked, (kind,)).fetchall())
    return tuple(json.loads(problem) for _, problem in sorted((os.fsdecode(file), problem) for file, problem in found))


def count(kind: str) -> int:
    """Number of readable records of a kind."""
    asked = "SELECT COUNT(*) FROM records WHERE kind = ? AND problem IS NULL"
    return int(_ask(kind, lambda connection: connection.execute(asked, (kind,)).fetchone()[0]))


def _ask(kind: str, question: Callable[[sqlite3.Connection], T]) -> T:
    def up_to_date(connection: sqlite3.Connection) -> T:
        _bring_up_to_date(connection, kind)
        return question(connection)

    return answer(up_to_date)


def _select(connection: sqlite3.Connection, kind: str, wanted: Mapping[str, Collection[str]]) -> tuple[Row, ...]:
    asked = "SELECT file, stamp, id, created, about FROM records WHERE kind = ? AND problem IS NULL"
    values = [kind, *(json.dumps(sorted(set(some))) for some in wanted.values())]
    clauses = (f" AND {name} IN (SELECT value FROM json_each(?))" for name in wanted)
    found = connection.execute(asked + "".join(clauses), values).fetchall()
    read = [Row(kind, os.fsdecode(row[0]), row[1], row[2], row[3], json.loads(row[4])) for row in found]
    return tuple(sorted(read, key=lambda row: (row.created, row.id, row.file)))


def kept_figures(kind: str, name: str, code: int) -> dict[tuple[str, str], Any]:
    """(File, stamp) -> a figure that was worked out of the record by the same code, and kept."""
    asked = "SELECT file, stamp, value FROM figures WHERE kind = ? AND name = ? AND code = ?"
    found = answer(lambda connection: connection.execute(asked, (kind, name, code)).fetchall())
    return {(os.fsdecode(file), stamp): json.loads(value) for file, stamp, value in found}


def keep_figures(name: str, code: int, found: Sequence[tuple[Row, object]]) -> None:
    """Keep figures, plain JSON values, of records."""
    values = [(r.kind, os.fsencode(r.file), r.stamp, name, code, json.dumps(value)) for r, value in found]

    def write(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.executemany("INSERT OR REPLACE INTO figures VALUES (?, ?, ?, ?, ?, ?)", values)

    answer(write)


# --- how often the folders are looked at ----------------------------------------------------------------------------------

_LOOK: ContextVar[dict[str, object] | None] = ContextVar("look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Within it a folder is passed over once, and again only when a file came, went or took another's place.

    That changes the time of the folder, so what any process saves is seen at once. What is written into a file that stays in
    its place, as nobody does but a person with an editor, is seen by the next look.
    """
    token = _LOOK.set({})
    try:
        yield
    finally:
        _LOOK.reset(token)


def look_anew() -> None:
    """Begin a look that lasts until the next one of this thread: a page calls it when it begins to draw."""
    _LOOK.set({})


def _bring_up_to_date(connection: sqlite3.Connection, kind: str) -> None:
    folder, seen = settings().results_dir / kind, _LOOK.get()
    changed_ns = _mtime_ns(folder)
    if seen is not None and kind in seen and seen[kind] == _state(connection, changed_ns):
        return
    for _ in range(2):  # the second pass sees whether another process wrote an older state meanwhile
        if not _follow(connection, kind, _stamps(folder)):
            break
    if seen is not None and time.time_ns() - changed_ns > SETTLED_NS:
        seen[kind] = _state(connection, changed_ns)


def _state(connection: sqlite3.Connection, changed_ns: int) -> tuple[int, int, int]:
    return id(connection), int(connection.execute("PRAGMA data_version").fetchone()[0]), changed_ns


def _mtime_ns(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


# --- files to rows --------------------------------------------------------------------------------------------------------


def batches(found: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as are written in one transaction."""
    return (found[start : start + BATCH] for start in range(0, len(found), BATCH))


def _stamps(folder: Path) -> dict[str, str]:
    """Name -> size and times of every record file; a time of change betrays an edit that put the others back."""
    found: dict[str, str] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json"):
                found[entry.name] = _stamp(entry)
    return found


def _stamp(entry: os.DirEntry[str]) -> str:
    try:
        stat = entry.stat()
    except OSError:  # a link to nowhere
        return "none"
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _follow(connection: sqlite3.Connection, kind: str, found: Mapping[str, str]) -> bool:
    """Make the rows of a kind follow its files; whether there was anything to do."""
    told = connection.execute("SELECT file, stamp FROM records WHERE kind = ?", (kind,))
    known = {os.fsdecode(file): stamp for file, stamp in told}
    gone = [name for name in known if name not in found]
    new = [name for name, stamp in found.items() if known.get(name) != stamp]
    for part in batches(gone):
        _write(connection, kind, part, ())
    for part in batches(new):
        _write(connection, kind, (), [_read(kind, name, found[name]) for name in part])
    return bool(gone or new)


def _read(kind: str, name: str, stamp: str) -> tuple[object, ...]:
    """The row of a file: what it is about, or why it cannot be read."""
    try:
        record = store.load(kind, Path(name).stem)
    except StoreError as exc:
        passing = isinstance(exc, NotFoundError) or isinstance(exc.__cause__, OSError)  # the next look tries again
        return kind, os.fsencode(name), "" if passing else stamp, json.dumps(str(exc)), None, None, None, None, None
    sha256, belongs = _first(record, FILE_FIELDS), _first(record, GROUP_FIELDS)
    about = json.dumps({"sha256": sha256, **_about(record)})
    return kind, os.fsencode(name), stamp, None, record.id, record.made.created, sha256, belongs, about


def _first(record: object, names: Sequence[str]) -> str:
    return next((str(getattr(record, name)) for name in names if hasattr(record, name)), "")


def _about(record: Any) -> dict[str, Any]:
    found = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
    if hasattr(record, "data"):
        found |= {"source": record.data.source, "dataset_id": record.data.dataset_id, "split": record.data.split}
    if hasattr(record, "verdicts"):
        found |= {"evidence": sorted({i for verdict in record.verdicts for i in verdict.evidence})}
    protocol = (getattr(record, "protocol", None) or {}).get("name", "")
    return found | {"machine": asdict(record.made.machine), "protocol": str(protocol)}


def _write(connection: sqlite3.Connection, kind: str, gone: Sequence[str], read: Sequence[tuple[object, ...]]) -> None:
    with transaction(connection):
        for table in ("records", "figures"):
            connection.executemany(f"DELETE FROM {table} WHERE kind = ? AND file = ?", [(kind, os.fsencode(n)) for n in gone])
        connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", read)
