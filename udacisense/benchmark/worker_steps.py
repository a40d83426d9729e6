"""Steps inside the timed process: one loaded subject, its input, and the functions that run it."""

from __future__ import annotations

import gc
import io
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from udacisense.benchmark.import_timer import ImportWatch
from udacisense.benchmark.memory import peak_rss_bytes, rss_bytes
from udacisense.processes import limits
from udacisense.processes.limits import Bounds
from udacisense.records.subjects import from_plain
from udacisense.types import HOUSEHOLD, Images, Preprocessing, Session, WrittenFile, format_name

Command = Mapping[str, Any]
Answer = dict[str, Any]
SHAREABLE = ("torch",)
"""Libraries that later starts may share; every other one is imported by each start for itself."""
IMAGE_PX = 32
"""Side of the image that is decoded and preprocessed: that of the data."""


class Timed:
    """One loaded subject and its input. One run is `calls` inferences, one unless a self-test asks for more."""

    def __init__(
        self, session: Session, images: Images, classes: int, preprocessing: Preprocessing = HOUSEHOLD.preprocessing
    ) -> None:
        self.session, self.images, self.classes, self.calls = session, images, classes, 1
        self.preprocessing = preprocessing

    def run(self) -> float:
        """Seconds of one run."""
        started = time.perf_counter()
        for _ in range(self.calls):
            self.session.predict(self.images)
        return _since(started)

    def check(self) -> None:
        """Raise ValueError if an answer is missing, of another shape or not finite."""
        answered = self.session.predict(self.images)
        if answered is None:
            raise ValueError("it gives no answer")
        logits = np.asarray(answered)
        if logits.shape != (len(self.images), self.classes):
            raise ValueError(f"it answers in shape {logits.shape} where {(len(self.images), self.classes)} was asked for")
        if not np.isfinite(logits).all():
            raise ValueError("it answers with values that are not numbers")


def _since(started: float) -> float:
    """Seconds since a reading of the clock, which must not step back: no figure can be made from such a clock."""
    took = time.perf_counter() - started
    if took < 0:
        raise ValueError(f"the clock of this machine stepped back by {-took:.3g} s")
    return took


def open_subject(command: Command) -> tuple[Timed, Answer]:
    """Pin the process where asked for, import the runtime, load the file, run once; each on its own clock."""
    from udacisense.formats import get_format

    if command.get("cpus"):
        os.sched_setaffinity(0, command["cpus"])
    subject = from_plain(command["subject"])
    _bind(subject.path)
    fmt = get_format(format_name(subject))
    shape = (command["batch"], 3, *command["input_px"])
    images: Images = np.random.default_rng(command["seed"]).standard_normal(shape).astype(np.float32)
    with ImportWatch(rss_bytes) as imports:
        started = time.perf_counter()
        session = fmt.load(subject, command["threads"])
        took = _since(started)
    spec = HOUSEHOLD if isinstance(subject, WrittenFile) else subject.spec
    height, width = command["input_px"]
    timed = Timed(session, images, command["classes"], replace(spec.preprocessing, input_size=(height, width)))
    first_s = timed.run()
    timed.check()
    gc.collect()
    gc.freeze()  # what is there now stays: collecting before a block then takes no time to speak of
    return timed, {
        "import_s": imports.seconds,
        "load_s": max(took - imports.seconds, 0.0),
        "rss_before_bytes": imports.rss_after,
        "first_s": first_s,
        "imported": [name for name in SHAREABLE if name in sys.modules],
    }


def _bind(path: Path) -> None:
    """A file that carries code is loaded in a bound process only; this process is its own."""
    from udacisense.torchscript.archive import is_torchscript

    if is_torchscript(path):
        limits.apply(Bounds.for_file(path, write=(limits.own_temporary_folder(),)))  # which its parent made for it alone


def warm_up(timed: Timed, command: Command) -> Answer:
    """Run until two windows of runs in a row have the same median, or until the time is over."""
    timed.calls = command.get("calls", 1)
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
    """Steady runs for `seconds`, at least `runs` of them, after `load_s` unrecorded; the collector off as in timeit."""
    timed.calls = command.get("calls", 1)
    _run_unrecorded(timed, command["settle"], command.get("load_s", 0.0))
    used, waited = time.process_time(), waited_s()
    started = time.perf_counter()
    times = _runs(timed.run, command["seconds"], command["runs"])
    return {
        "times": times,
        "wall_s": _since(started),
        "cpu_s": time.process_time() - used,
        "waited_s": None if waited is None else max((waited_s() or 0.0) - waited, 0.0),
    }


def _run_unrecorded(timed: Timed, runs: int, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while runs > 0 or time.perf_counter() < end:
        timed.session.predict(timed.images)
        runs -= 1


def _runs(run: Callable[[], float], seconds: float, runs: int) -> list[float]:
    gc.collect()
    gc.disable()
    try:
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < runs or time.perf_counter() < end:
            times.append(run())
    finally:
        gc.enable()
    return times


def waited_s(tasks: Path = Path("/proc/self/task")) -> float | None:
    """Seconds that the threads of this process were ready to run and had no core; None where the system does not tell."""
    found = []
    for task in tasks.glob("*"):
        try:
            found.append(int((task / "schedstat").read_text().split()[1]))
        except (OSError, ValueError, IndexError):  # a thread that just ended, or a kernel without the figure
            continue
    return sum(found) / 1e9 if found else None


def read_memory(timed: Timed, command: Command) -> Answer:  # noqa: ARG001 - every step has this shape
    """Check the answers once more, then tell the peak of memory, before anything but inference was done."""
    timed.check()
    return {"peak_rss_bytes": peak_rss_bytes()}


def time_whole(timed: Timed, command: Command) -> Answer:
    """An end-to-end block of one image: its bytes decoded, preprocessed, inferred. The first one is not recorded."""
    from udacisense.data.images import decode_image
    from udacisense.data.preprocess import preprocess

    raw = _image(command["seed"])

    def run() -> float:
        started = time.perf_counter()
        timed.session.predict(preprocess([decode_image(raw, "image")], timed.preprocessing))
        return _since(started)

    run()
    return {"times": _runs(run, command["seconds"], 2)}


def finish(timed: Timed, command: Command) -> Answer:
    """Time decoding and preprocessing of one image alone, and the smallest step of the clock."""
    from udacisense.data.images import decode_image
    from udacisense.data.preprocess import preprocess

    raw = _image(command["seed"])
    pixels = decode_image(raw, "image")
    count = command["preprocess_runs"]
    return {
        "decode_s": _times(lambda: decode_image(raw, "image"), count),
        "preprocess_s": _times(lambda: preprocess([pixels], timed.preprocessing), count),
        "timer_s": timer_s(),
    }


def _times(work: Callable[[], object], count: int) -> list[float]:
    """Seconds of each of `count` runs; one more before them is not recorded."""
    times = []
    for _ in range(count + 1):
        started = time.perf_counter()
        work()
        times.append(_since(started))
    return times[1:]


def timer_s(readings: int = 1000) -> float:
    """The smallest step of the clock that times are taken with, as this machine shows it, in seconds."""
    steps: list[float] = []
    last = time.perf_counter()
    while len(steps) < readings:
        now = time.perf_counter()
        if now > last:
            steps.append(now - last)
            last = now
    return min(steps)


def _image(seed: int) -> bytes:
    """The bytes of a PNG file of noise: it compresses badly, so decoding it is no easier than a photograph's."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (IMAGE_PX, IMAGE_PX, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()


Step = Callable[[Timed, Command], Answer]
STEPS: Mapping[str, Step] = {
    "warm": warm_up,
    "block": time_block,
    "memory": read_memory,
    "whole": time_whole,
    "finish": finish,
}
