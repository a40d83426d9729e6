"""The process that is timed: loads one file, then answers commands on its pipes, one line of JSON each.

`python -m udacisense.benchmark.child` reads {"do": "open" | "warm" | "block" | "finish", ...} and writes the answer, or
{"error": message}. It ends when its input does, so it never outlives the process that started it.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from udacisense.benchmark.memory import peak_rss_bytes, rss_bytes
from udacisense.benchmark.watch_imports import ImportWatch
from udacisense.types import Images, Session

Command = Mapping[str, Any]
Answer = dict[str, Any]


class Timed:
    """One loaded subject and its input."""

    def __init__(self, session: Session, images: Images, classes: int) -> None:
        self.session, self.images, self.classes = session, images, classes

    def run(self) -> float:
        """Seconds of one inference."""
        started = time.perf_counter()
        self.session.predict(self.images)
        return time.perf_counter() - started

    def check(self) -> None:
        """Raise ValueError if an answer is of another shape or not finite."""
        logits = np.asarray(self.session.predict(self.images))
        if logits.shape != (len(self.images), self.classes):
            raise ValueError(f"it answers in shape {logits.shape} where {(len(self.images), self.classes)} was asked for")
        if not np.isfinite(logits).all():
            raise ValueError("it answers with values that are not numbers")


def open_subject(command: Command) -> tuple[Timed, Answer]:
    """Import the runtime, load the file, run once; each on its own clock."""
    from udacisense.formats import get_format

    fmt = get_format(command["format"])
    shape = (command["batch"], 3, *command["input_px"])
    images: Images = np.random.default_rng(command["seed"]).standard_normal(shape).astype(np.float32)
    with ImportWatch(rss_bytes) as imports:
        started = time.perf_counter()
        session = fmt.load(Path(command["path"]), command["threads"])
        took = time.perf_counter() - started
    timed = Timed(session, images, command["classes"])
    first_s = timed.run()
    timed.check()
    return timed, {
        "import_s": imports.seconds,
        "load_s": max(took - imports.seconds, 0.0),
        "rss_before_bytes": imports.rss_after,
        "first_s": first_s,
    }


def warm_up(timed: Timed, command: Command) -> Answer:
    """Run until two windows of runs in a row have the same median, or until the time is over."""
    window, tolerance = command["window"], command["tolerance"]
    times: list[float] = []
    end = time.perf_counter() + command["seconds"]
    while True:
        times.append(timed.run())
        if len(times) >= 2 * window and is_stable(times, window, tolerance):
            return {"times": times, "stable": True}
        if time.perf_counter() >= end and len(times) > 1:
            return {"times": times, "stable": False}


def is_stable(times: list[float], window: int, tolerance: float) -> bool:
    """Whether the medians of the last two windows differ by less than `tolerance` of the earlier."""
    late, early = np.median(times[-window:]), np.median(times[-2 * window : -window])
    return bool(abs(late - early) < tolerance * early)


def time_block(timed: Timed, command: Command) -> Answer:
    """Steady runs for `seconds`, at least `runs` of them, the collector off as in timeit."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(command["settle"]):
            timed.run()
        times: list[float] = []
        end = time.perf_counter() + command["seconds"]
        while len(times) < command["runs"] or time.perf_counter() < end:
            times.append(timed.run())
    finally:
        gc.enable()
    return {"times": times}


def finish(timed: Timed, command: Command) -> Answer:
    """Check the answers once more, read the peak, then time the preprocessing of one small picture."""
    timed.check()
    peak = peak_rss_bytes()
    from udacisense.data.preprocess import preprocess

    height, width = command["input_px"]
    picture = np.random.default_rng(command["seed"]).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    times = []
    for _ in range(command["preprocess_runs"] + 1):
        started = time.perf_counter()
        preprocess([picture], (height, width))
        times.append(time.perf_counter() - started)
    return {"peak_rss_bytes": peak, "preprocess_s": times[1:]}


STEPS: Mapping[str, Callable[[Timed, Command], Answer]] = {"warm": warm_up, "block": time_block, "finish": finish}


def serve(commands: IO[str], answers: IO[str]) -> None:
    """Answer commands until they end."""
    timed: Timed | None = None
    for line in commands:
        command = json.loads(line)
        # ends this process even where the runtime hangs in native code and nobody is left to kill it
        faulthandler.dump_traceback_later(command["timeout_s"], exit=True)
        try:
            if command["do"] == "open":
                timed, answer = open_subject(command)
            elif timed is None:
                raise ValueError("nothing is open")
            else:
                answer = STEPS[command["do"]](timed, command)
        except Exception as exc:  # the seam: every runtime has errors of its own, and the parent must hear of each
            answer = {"error": f"{exc}" or type(exc).__name__}
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve on the process's pipes; what a runtime prints goes to stderr, so that it cannot spoil an answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
