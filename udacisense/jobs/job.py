"""One job, read from the files in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from udacisense import files
from udacisense.errors import JobError, NotFoundError, StoreError
from udacisense.jobs.processes import Process
from udacisense.progress import WAITING
from udacisense.records.store import from_json
from udacisense.settings import settings
from udacisense.types.base import Moment

R = TypeVar("R")
JobState = Literal["queued", "running", "done", "failed", "cancelled"]

START_GRACE_S = 20.0  # how long a submitted job may be without a watcher before it counts as lost

KILLED = (
    "The process that watched over this job was killed from outside (the machine ran out of memory, restarted, or somebody "
    "ended it). Nothing half done was kept. Start the job again."
)


@dataclass(frozen=True, slots=True)
class Job:
    """Background work at one moment; ask `get` again for the next one."""

    id: str
    title: str
    argv: tuple[str, ...]  # after `python -m udacisense`
    state: JobState
    fraction: float  # 0..1
    stage: str  # what is going on, or how it ended
    created: str  # UTC, ISO 8601
    started: str | None
    ended: str | None
    error: str | None
    result: Any  # the JSON document of the verb; None unless done
    log_path: Path

    @property
    def active(self) -> bool:
        """True while the job is queued or running."""
        return self.state in ("queued", "running")

    @property
    def seconds(self) -> float | None:
        """Time since the work began, or that it took; None = it has not begun."""
        if self.started is None:
            return None
        end = _moment(self.ended) if self.ended else datetime.now(UTC)
        return max((end - _moment(self.started)).total_seconds(), 0.0)


def _moment(text: str) -> datetime:
    """A time, in UTC where it does not say otherwise."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def folder_of(job_id: str) -> Path:
    """The folder of a job; an id that leaves the folder of jobs names none."""
    return settings().jobs_dir / (Path(job_id).name or "none")


@dataclass(frozen=True, slots=True)
class _Asked:
    """job.json: what was asked for."""

    title: str
    argv: tuple[str, ...]
    created: Moment


@dataclass(frozen=True, slots=True)
class _End:
    """end.json: how it ended."""

    state: Literal["done", "failed", "cancelled"]
    error: str | None
    ended: Moment | None
    result: Any = None


@dataclass(frozen=True, slots=True)
class _Child:
    """child.json: when the work began."""

    started: Moment | None = None


def read(folder: Path) -> Job:
    """The job in a folder as it stands now.

    Raises:
        JobError: the folder holds no job, or one that cannot be read.
    """
    asked = _part(folder / "job.json", _Asked)
    if asked is None:
        raise JobError(f"There is no job {folder.name!r}: it was never started here, or it is so old that it was cleared away.")
    end = _part(folder / "end.json", _End)
    if end is None and _is_lost(folder, asked):
        end = _part(folder / "end.json", _End) or _End("failed", KILLED, None)
    child = _part(folder / "child.json", _Child)
    fraction, stage = last_progress(folder)
    state: JobState = end.state if end else "queued" if not child or stage.startswith(WAITING) else "running"
    return Job(
        id=folder.name,
        title=asked.title,
        argv=asked.argv,
        state=state,
        fraction=1.0 if state == "done" else fraction,
        stage=stage if child else "starting",
        created=asked.created,
        started=child.started if child else None,
        ended=end.ended if end else None,
        error=end.error if end else None,
        result=end.result if end else None,
        log_path=folder / "log.txt",
    )


def damaged(folder: Path, error: JobError) -> Job:
    """A job whose files cannot be read, as one that failed, so that it is told and hides no other."""
    try:
        changed = datetime.fromtimestamp((folder / "job.json").lstat().st_mtime, UTC).isoformat()
    except (OSError, ValueError, OverflowError):
        changed = datetime.fromtimestamp(0, UTC).isoformat()
    return Job(folder.name, folder.name, (), "failed", 0.0, "", changed, None, None, str(error), None, folder / "log.txt")


def _part(path: Path, kind: type[R]) -> R | None:
    """One file of a job's folder; None where there is none yet.

    Raises:
        JobError: it is there and cannot be read.
    """
    try:
        stat = files.check_regular(path)
        found: R = _read_part(str(path), cast(Any, kind), stat.st_size, stat.st_mtime_ns)
        return found
    except NotFoundError:
        return None
    except StoreError as exc:
        raise JobError(f"The job {path.parent.name} cannot be read: {exc} Remove the folder {path.parent}.") from exc


@lru_cache(maxsize=512)
def _read_part(path: str, kind: Any, _size: int, _mtime_ns: int) -> Any:
    return from_json(kind, files.read_json(Path(path)))


def process_in(path: Path) -> Process | None:
    """The process that a file of a job names; None where there is no such file, or no process can have that number.

    Raises:
        JobError: it is there and cannot be read.
    """
    found = _part(path, Process)
    return found if found is not None and 0 < found.pid < 2**31 else None


def _is_lost(folder: Path, asked: _Asked) -> bool:
    watcher = process_in(folder / "watcher.json")
    if watcher is not None:
        return not watcher.is_alive()
    return (datetime.now(UTC) - _moment(asked.created)).total_seconds() > START_GRACE_S


def last_progress(folder: Path) -> tuple[float, str]:
    """Fraction and stage of the newest whole line of progress.jsonl."""
    try:
        with files.open_regular(folder / "progress.jsonl") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - 4096, 0))
            lines = file.read(4096).split(b"\n")
    except (OSError, StoreError):
        return 0.0, "starting"
    for line in reversed(lines[:-1]):  # what follows the last line break may still be being written
        try:
            plain = files.parse_json(line.decode())
            return min(max(float(plain["fraction"]), 0.0), 1.0), str(plain["stage"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0.0, "starting"


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is no such file or it is not whole."""
    try:
        found = files.read_json(path)
    except StoreError:
        return None
    return found if isinstance(found, dict) else None
