"""What a file costs before its first answer: loading it, starting from nothing, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter

from udacisense.benchmark.quality_grade import distrust
from udacisense.benchmark.replication import trimmed_interval
from udacisense.metrics.stats import mean
from udacisense.number_format import MB, count, in_unit, mb, ms
from udacisense.readiness.measures.latency import (
    HOUR_MS,
    QUIET,
    deciding_benchmark,
    not_timed,
    timed,
)
from udacisense.readiness.measures.measure import Measure, Measurement
from udacisense.readiness.measures.size import SMALLER
from udacisense.types import Artifact, Benchmark, Start

FEWEST = 3
"""Cold starts for an interval: protocols have few, and Student's t tells how little three of them know."""
LIGHTER = "Convert to a format with a smaller runtime, or compress the checkpoint further."


def of_starts(artifact: Artifact, what: str, seconds: Callable[[Start], float]) -> Measurement:
    """A time of each start in milliseconds: their trimmed mean with an interval over starts."""
    newest = deciding_benchmark(artifact)
    if newest is None or not newest.starts:
        return not_timed(artifact)
    times_ms = [seconds(start) * 1e3 for start in newest.starts]
    if len(times_ms) < FEWEST:
        said = f"{what} took {ms(mean(times_ms) / 1e3)} on average."
        return Measurement(said, measured=mean(times_ms), evidence=(newest.id,), doubt=_too_few(newest))
    found = trimmed_interval(times_ms, fewest=FEWEST)
    return Measurement(
        f"{what} takes {ms(found.value / 1e3)} (95 % CI {in_unit(found.low, 'ms')} to {in_unit(found.high, 'ms')}), "
        f"the trimmed mean of {len(times_ms)} cold starts on {newest.made.machine.cpu}{_cached(newest)}.",
        measured=found.value,
        interval=found.interval,
        evidence=(newest.id,),
        doubt=distrust(newest),
        if_failed=LIGHTER,
        if_unsure=QUIET,
    )


def _too_few(record: Benchmark) -> str:
    cold = count(len(record.starts), "cold start")
    return f"{cold} give no interval, which needs {FEWEST}. Benchmark again with the standard protocol."


def _cached(record: Benchmark) -> str:
    """In how many starts the file was in memory already, where that is known of any."""
    cached = sum(start.file_cached is True for start in record.starts)
    return f"; in {cached} of them the file was in the page cache" if cached else ""


def peak_memory(artifact: Artifact) -> Measurement:
    """The largest resident memory of the process that ran the file, from the newest benchmark that could read it."""
    known = (record for record in reversed(timed(artifact.sha256)) if record.peak_rss_bytes is not None)
    newest = next(known, None)
    if newest is None or newest.peak_rss_bytes is None:
        return not_timed(artifact)
    peak_mb = newest.peak_rss_bytes / MB
    return Measurement(
        f"The process took at most {mb(newest.peak_rss_bytes, 0)}, its runtime included: the largest of "
        f"{len(newest.by_start)} starts, which has no interval.",
        measured=peak_mb,
        evidence=(newest.id,),
        if_failed=f"{LIGHTER} {SMALLER}",
    )


LOAD_TIME = Measure(
    "load_time",
    "Load time",
    "The time to load the file once its runtime is imported.",
    "ms",
    "benchmark",
    partial(of_starts, what="Loading", seconds=attrgetter("load_s")),
    "below",
    (0.0, HOUR_MS),
)
COLD_START = Measure(
    "cold_start",
    "Cold start",
    "The time from nothing to the first answer: process, runtime, file, first inference.",
    "ms",
    "benchmark",
    partial(of_starts, what="From nothing to the first answer", seconds=attrgetter("total_s")),
    "below",
    (0.0, HOUR_MS),
)
PEAK_MEMORY = Measure(
    "peak_memory",
    "Peak memory",
    "The largest resident memory of the process that runs the file, runtime included; it has no interval.",
    "MB",
    "benchmark",
    peak_memory,
    "below",
    (0.0, 1_000_000.0),
)
