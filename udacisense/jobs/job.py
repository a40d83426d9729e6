"""One job, read from the files in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from udacisense.errors import JobError
from udacisense.jobs.processes import Process
from udacisense.progress import WAITING
from udacisense.settings import settings

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
        end = datetime.fromisoformat(self.ended) if self.ended else datetime.now(UTC)
        return max((end - datetime.fromisoformat(self.started)).total_seconds(), 0.0)


def folder_of(job_id: str) -> Path:
    """The folder of a job; an id that leaves the folder of jobs names none."""
    return settings().jobs_dir / (Path(job_id).name or "none")


def read(folder: Path) -> Job:
    """The job in a folder as it stands now.

    Raises:
        JobError: the folder holds no job, or one that cannot be read.
    """
    asked = read_json(folder / "job.json")
    if asked is None or not asked.keys() >= {"title", "argv", "created"}:
        raise JobError(f"There is no job {folder.name!r}: it was never started here, or it is so old that it was cleared away.")
    end = read_json(folder / "end.json")
    if end is None and _is_lost(folder, asked):
        end = read_json(folder / "end.json") or {"state": "failed", "error": KILLED, "ended": None}
    child = read_json(folder / "child.json") or {}
    fraction, stage = last_progress(folder)
    state: JobState = end["state"] if end else "queued" if not child or stage.startswith(WAITING) else "running"
    return Job(
        id=folder.name,
        title=asked["title"],
        argv=tuple(asked["argv"]),
        state=state,
        fraction=1.0 if state == "done" else fraction,
        stage=stage if child else "starting",
        created=asked["created"],
        started=child.get("started"),
        ended=end["ended"] if end else None,
        error=end["error"] if end else None,
        result=end.get("result") if end else None,
        log_path=folder / "log.txt",
    )


def _is_lost(folder: Path, asked: Mapping[str, Any]) -> bool:
    watcher = read_json(folder / "watcher.json")
    if watcher is not None:
        return not Process.from_json(watcher).is_alive()
    age = datetime.now(UTC) - datetime.fromisoformat(asked["created"])
    return age.total_seconds() > START_GRACE_S


def last_progress(folder: Path) -> tuple[float, str]:
    """Fraction and stage of the newest whole line of progress.jsonl."""
    try:
        with open(folder / "progress.jsonl", "rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - 4096, 0))
            lines = file.read().split(b"\n")
    except OSError:
        return 0.0, "starting"
    for line in reversed(lines[:-1]):  # what follows the last line break may still be being written
        try:
            plain = json.loads(line)
            return float(plain["fraction"]), str(plain["stage"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0.0, "starting"


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is no such file or it is not whole."""
    try:
        stat = path.stat()
        return _read_json(str(path), stat.st_size, stat.st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=512)
def _read_json(path: str, _size: int, _mtime_ns: int) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return plain
