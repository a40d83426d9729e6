"""The watcher: starts the work, ends it when asked or too late, and writes down how it ended."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from udacisense.foreign import in_brief, sentences
from udacisense.jobs.control import CANCEL_GRACE_S, POLL_S
from udacisense.jobs.job import JobState, last_progress, read_json
from udacisense.jobs.processes import Process
from udacisense.processes.spawn import popen
from udacisense.progress import PROGRESS_FILE, WAITING
from udacisense.records.store import now, sweep, write_text

CANCELLED = "Cancelled. Nothing half done was kept."


def watch(folder: Path) -> None:
    """Run the job of a folder to its end and write end.json."""
    asked = read_json(folder / "job.json")
    assert asked is not None
    if (folder / "cancel").exists():
        return _write_end(folder, "cancelled", CANCELLED)
    try:
        child = _start(folder, asked["command"])
    except OSError as exc:
        return _write_end(
            folder, "failed", f"The work could not be started: {in_brief(exc)}. Close other programs and try again."
        )
    stopped = _follow(folder, child, asked["timeout_s"])
    sweep()
    if stopped is not None:
        return _write_end(folder, *stopped)
    return _write_end(folder, *_judge(folder, child.returncode))


def _start(folder: Path, command: list[str]) -> subprocess.Popen[bytes]:
    with open(folder / "stdout.txt", "wb") as out, open(folder / "log.txt", "ab") as log:
        child = popen(
            command,
            stdin=subprocess.PIPE,  # its end of file tells the work that nobody watches any more
            stdout=out,
            stderr=log,
            env={PROGRESS_FILE: str(folder / "progress.jsonl")},
            start_new_session=True,
        )
    write_text(folder / "child.json", json.dumps({**asdict(Process.of(child.pid)), "started": now()}))
    return child


def _follow(folder: Path, child: subprocess.Popen[bytes], timeout_s: float) -> tuple[JobState, str] | None:
    """Wait for the child; what to write when it was stopped from here, None when it ended by itself."""
    deadline = time.monotonic() + timeout_s
    while child.poll() is None:
        if (folder / "cancel").exists():
            _stop(child)
            return "cancelled", CANCELLED
        if last_progress(folder)[1].startswith(WAITING):  # time spent behind other work is not this job's
            deadline = time.monotonic() + timeout_s
        if time.monotonic() > deadline:
            _stop(child)
            return "failed", f"Stopped after {timeout_s:g} s without an end. Raise UDACISENSE_JOB_TIMEOUT_S and start it again."
        time.sleep(POLL_S)
    return None


def _stop(child: subprocess.Popen[bytes]) -> None:
    Process.of(child.pid).end(CANCEL_GRACE_S)
    child.wait()


def _judge(folder: Path, returncode: int) -> tuple[JobState, str | None, Any]:
    """State, error and result of a child that ended by itself: what counts is its one JSON document."""
    document = _document(folder / "stdout.txt")
    if returncode < 0:
        return "failed", _killed(-returncode), None
    if document is None:
        return "failed", _no_result(returncode, folder), None
    if isinstance(document, dict) and "error" in document:
        return "failed", str(document["error"]), None
    return "done", None, document


def _no_result(returncode: int, folder: Path) -> str:
    return sentences(f"The work ended with code {returncode} and no result: {_last_line(folder / 'log.txt')}")


def _killed(number: int) -> str:
    why = "The machine probably ran out of memory: close other programs" if number == 9 else "It was ended from outside"
    return f"The work was killed by signal {number}. {why}; nothing half done was kept. Start it again."


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote no log. Start it again.")


def _write_end(folder: Path, state: JobState, error: str | None, result: Any = None) -> None:
    write_text(folder / "end.json", json.dumps({"state": state, "error": error, "result": result, "ended": now()}))
