"""Submit, look at, wait for and cancel jobs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from udacisense import writable
from udacisense.errors import JobError, StoreError
from udacisense.jobs.job import Job, damaged, folder_of, process_in, read
from udacisense.jobs.processes import Process
from udacisense.records.store import new_id, write_text
from udacisense.settings import PROJECT, settings

KEEP = 50  # ended jobs that are kept to be looked at
POLL_S = 0.1
CANCEL_GRACE_S = 5.0
TRAINING_FACTOR = 24.0  # training may take so many times the longest time of other jobs

_watchers: dict[str, subprocess.Popen[bytes]] = {}  # held so that ended watchers are collected and leave no zombie


def submit(argv: Sequence[str], title: str) -> Job:
    """Start `python -m udacisense <argv> --json` in the background; the same work still active is returned, not started twice.

    Raises:
        JobError: no process can be started. StoreError: nothing can be written to the home.
    """
    with _alone_in(settings().jobs_dir) as root:
        twin = next((job for job in jobs() if job.active and job.argv == tuple(argv)), None)
        if twin is not None:
            return twin
        _prune(root)
        folder = folder_of(new_id("job"))
        write_text(folder / "job.json", _request(argv, title))
        _start_watcher(folder)
    return read(folder)


@contextmanager
def _alone_in(root: Path) -> Iterator[Path]:
    """The folder of jobs, made where it is missing, for one submission at a time."""
    writable.check(root)
    lock = FileLock(root / "submit.lock")
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as exc:
        raise StoreError(f"{root} could not be written: {exc.strerror or exc}. {writable.way_out(root, exc)}") from exc
    try:
        yield root
    finally:
        lock.release()


def _request(argv: Sequence[str], title: str) -> str:
    factor = TRAINING_FACTOR if argv[0] in ("train", "compress") else 1.0
    request = {
        "title": title,
        "argv": list(argv),
        "command": [*_program(), *argv, "--json"],
        "timeout_s": settings().job_timeout_s * factor,
        "created": datetime.now(UTC).isoformat(),  # finer than a second: jobs are told apart by their order
    }
    return json.dumps(request, indent=1)


def _program() -> list[str]:
    return [sys.executable, "-m", "udacisense"]


def _start_watcher(folder: Path) -> None:
    path = os.pathsep.join(p for p in (str(PROJECT), os.environ.get("PYTHONPATH", "")) if p)
    try:
        with open(folder / "log.txt", "ab") as log:
            watcher = subprocess.Popen(
                [sys.executable, "-m", "udacisense.jobs", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
    except OSError as exc:
        raise JobError(f"No background process could be started: {exc.strerror}. Close other programs and try again.") from exc
    _watchers[folder.name] = watcher
    write_text(folder / "watcher.json", json.dumps(asdict(Process.of(watcher.pid))))


def _prune(root: Path) -> None:
    ended = [job for job in jobs() if not job.active]
    for job in ended[KEEP:]:
        shutil.rmtree(root / job.id, ignore_errors=True)


def get(job_id: str) -> Job:
    """The job as it stands now.

    Raises:
        JobError: there is no such job.
    """
    _collect()
    return read(folder_of(job_id))


def jobs() -> tuple[Job, ...]:
    """All jobs, newest first."""
    _collect()
    found = [job for path in settings().jobs_dir.glob("*/job.json") if (job := _read_or_none(path.parent))]
    return tuple(sorted(found, key=lambda job: (job.created, job.id), reverse=True))


def unreadable() -> tuple[str, ...]:
    """A sentence for each job whose files cannot be read."""
    return tuple(str(job.error) for job in jobs() if not job.argv)


def _read_or_none(folder: Path) -> Job | None:
    try:
        return read(folder)
    except JobError as exc:
        return damaged(folder, exc) if (folder / "job.json").exists() else None  # None: cleared away by another process


def _collect() -> None:
    for job_id, watcher in list(_watchers.items()):
        if watcher.poll() is not None:
            _watchers.pop(job_id, None)


def wait(job_id: str, timeout_s: float | None = None) -> Job:
    """The job once it has ended, or as it stands after `timeout_s` seconds (None = however long it takes)."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    job = get(job_id)
    while job.active and (deadline is None or time.monotonic() < deadline):
        time.sleep(POLL_S)
        job = get(job_id)
    return job


def cancel(job_id: str) -> Job:
    """Stop the job and everything it started; an ended job is left as it is. Returns the job afterwards."""
    job = get(job_id)
    folder = folder_of(job_id)
    if job.active:
        (folder / "cancel").touch()
        job = wait(job_id, 2 * CANCEL_GRACE_S + 1.0)
    child = process_in(folder / "child.json")
    if child is not None and not job.active:  # where the watcher was killed the work may be left
        child.end(CANCEL_GRACE_S)
    return job
