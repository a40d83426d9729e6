"""File of the index: a SQLite database in .udacisense/ that may be deleted at any time, or in memory where none can be kept."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import TypeVar

import pydantic

from udacisense import types
from udacisense.records import store
from udacisense.settings import settings

T = TypeVar("T")

LAYOUT = 1
"""Raise it when a column or a key of `Row.about` changes its meaning; an index of another layout is built anew."""
LOCK_S = 5.0
"""How long one process waits for the transaction of another, which takes milliseconds."""

_TABLES = (
    "DROP TABLE IF EXISTS records",
    "CREATE TABLE records (kind TEXT, file BLOB, stamp TEXT, problem TEXT, id TEXT, created TEXT, sha256 TEXT, belongs TEXT, "
    "about TEXT, PRIMARY KEY (kind, file))",
    "CREATE INDEX stamps ON records (kind, file, stamp)",
    "CREATE INDEX files ON records (kind, sha256)",
    "CREATE INDEX groups ON records (kind, belongs)",
    "DROP TABLE IF EXISTS figures",
    "CREATE TABLE figures (kind TEXT, file BLOB, stamp TEXT, name TEXT, code INTEGER, value TEXT, "
    "PRIMARY KEY (kind, file, name))",
)

_LOCK = RLock()
_held: tuple[int, Path, sqlite3.Connection] | None = None


def index_path() -> Path:
    """Path of the index; deleting it costs the time to read every record once."""
    return settings().home / ".udacisense" / "records.sqlite"


def answer(question: Callable[[sqlite3.Connection], T]) -> T:
    """What the index answers as it is on disk; where that fails, one begun anew; where that fails too, one in memory."""
    with _LOCK:
        for connect in (_connection, _begin_anew):
            try:
                return question(connect())
            except (sqlite3.Error, OSError, ValueError, TypeError) as exc:
                if not isinstance(exc, sqlite3.OperationalError | OSError):  # not locked, read-only or full, but damaged
                    _remove()
        return question(_hold(_open(None)))


def _connection() -> sqlite3.Connection:
    """The open index of this process and home."""
    if _held is not None and _held[:2] == (os.getpid(), settings().home):
        return _held[2]
    return _begin_anew()


def _begin_anew() -> sqlite3.Connection:
    """Opened again: the file may have been removed, with its folder, while it was open."""
    path = index_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    return _hold(_open(path))


def _remove() -> None:
    path = index_path()
    with suppress(OSError):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def _hold(connection: sqlite3.Connection) -> sqlite3.Connection:
    global _held
    if _held is not None and _held[0] == os.getpid():  # one that a parent process opened is not for a child to close
        _held[2].close()
    _held = os.getpid(), settings().home, connection
    return connection


def _open(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(path or ":memory:", timeout=LOCK_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")  # whoever put the file there, no code of its own runs
        connection.execute("PRAGMA synchronous = OFF")  # what a power cut takes is built again
        if not _is_laid_out(connection):
            _lay_out(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_laid_out(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == _edition(str(settings().home)))


def _lay_out(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        if _is_laid_out(connection):  # another process was quicker
            return
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_edition(str(settings().home))}")


@lru_cache(maxsize=8)
def _edition(home: str) -> int:
    """A number for all that a row depends on beside its file: this layout, what a valid record is, and where the home lies."""
    sources = [Path(store.__file__), *sorted(Path(types.__file__).parent.glob("*.py"))]
    return digest_of(*sources, more=f"{LAYOUT} {home} {pydantic.VERSION}")


def digest_of(*sources: Path, more: str = "") -> int:
    """A number above 0 that changes with the text of source files, so that what older code worked out is not taken for new."""
    parts = [more, *(path.read_text(encoding="utf-8") for path in sources)]
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") >> 1 or 1


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; the lock for writing is taken at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a disk that is full has rolled back by itself
            connection.execute("ROLLBACK")
        raise
