"""Progress of a verb, shown at the terminal or written for the job that it runs for."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from udacisense.number_format import percent
from udacisense.progress import PROGRESS_FILE, WAITING, watched_by

LINE_EVERY_S = 0.1
LOG_EVERY_S = 1.0


@contextmanager
def watched() -> Iterator[None]:
    """Show progress made inside the block: to the job's file where there is one, else on stderr."""
    place = os.environ.get(PROGRESS_FILE)
    if place is not None:
        _end_with_the_watcher()
        with open(place, "a", encoding="utf-8") as lines, watched_by(JobSink(lines, sys.stderr)):
            yield
    elif sys.stderr.isatty():
        with _bar():
            yield
    else:
        with watched_by(LogSink(sys.stderr)):
            yield


class LogSink:
    """Writes progress as lines that a person reads, at most one a second."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._stage = ""
        self._at = 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        """Write one report, unless its stage is the last one's or it follows too closely."""
        now = time.monotonic()
        if stage == self._stage or now - self._at < LOG_EVERY_S:
            return
        self._log.write(f"{time.strftime('%H:%M:%S')} {percent(fraction, 0):>5}  {stage}\n")
        self._log.flush()
        self._stage, self._at = stage, now


class JobSink:
    """Writes progress as lines of JSON, at most ten a second, and as log lines."""

    def __init__(self, lines: TextIO, log: TextIO) -> None:
        self._lines, self._log = lines, LogSink(log)
        self._last: tuple[float, str] = (-1.0, "")
        self._at = 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        """Write one report, unless it says nothing new or follows too closely."""
        now = time.monotonic()
        urgent = fraction >= 1.0 or stage.startswith(WAITING) != self._last[1].startswith(WAITING)
        if (fraction, stage) == self._last or (now - self._at < LINE_EVERY_S and not urgent):
            return
        self._lines.write(json.dumps({"fraction": round(fraction, 4), "stage": stage}) + "\n")
        self._lines.flush()
        self._last, self._at = (fraction, stage), now
        self._log(fraction, stage)


def _end_with_the_watcher() -> None:
    """End this process and all that it started once its standard input closes: nobody would collect its result."""
    threading.Thread(target=_wait_for_end_of_input, name="watcher-gone", daemon=True).start()


def _wait_for_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


@contextmanager
def _bar() -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (BarColumn(30), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=1.0)
        with watched_by(lambda fraction, stage: progress.update(task, completed=fraction, description=stage)):
            yield
