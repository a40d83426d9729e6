"""Latency: the time of one image once a file is loaded, on average, at its slow end, and against a reference."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TypeVar

import numpy as np

from udacisense.benchmark.quality_grade import distrust
from udacisense.benchmark.replication import MIN_STARTS, average, ratio, slow_end
from udacisense.metrics.stats import Estimate, percentile
from udacisense.number_format import count, in_unit, ms, percent
from udacisense.readiness.measures.measure import RUN, Measure, Measurement
from udacisense.records import queries
from udacisense.records.queries import Found
from udacisense.types import Artifact, Benchmark, Checkpoint

_Measured = TypeVar("_Measured", bound=tuple[Benchmark, ...])
FASTER = "Convert to a faster format, or compress the checkpoint further."
QUIET = "Benchmark again on a quiet machine with the standard protocol."
BEYOND = 5
"""Fewest runs slower than a percentile for it to be told: one slow run must not be the figure."""


def latency(artifact: Artifact) -> Measurement:
    """Average steady time of one image in milliseconds."""
    newest = deciding_benchmark(artifact)
    if newest is None:
        return not_timed(artifact)
    value = float(np.mean(newest.steady_s)) * 1e3
    evidence = (newest.id,)
    known = average(newest)
    if known is None:
        said = f"The average of {count(len(newest.steady_s))} runs is {ms(value / 1e3)}."
        return Measurement(said, measured=value, evidence=evidence, doubt=too_few_starts(newest))
    said = f"The average of {count(len(newest.steady_s))} runs on {newest.made.machine.cpu} is {ms(value / 1e3)}"
    return _within(said, value, known, newest)


def percentile_latency(artifact: Artifact, q: float) -> Measurement:
    """The q-th percentile of the steady times of one image in milliseconds, with an interval over starts."""
    newest = deciding_benchmark(artifact)
    if newest is None:
        return not_timed(artifact)
    runs = len(newest.steady_s)
    value = percentile(newest.steady_s, q) * 1e3
    said = f"{q:g} of 100 runs on {newest.made.machine.cpu} took at most {ms(value / 1e3)}, of {count(runs)} runs"
    evidence = (newest.id,)
    if runs * (100 - q) < 100 * BEYOND:
        few = f"{count(runs)} runs are too few for this percentile: at least {100 * BEYOND / (100 - q):.0f} are needed. {QUIET}"
        return Measurement(f"{said}.", measured=value, evidence=evidence, doubt=few)
    known = slow_end(newest, q)
    if known is None:
        return Measurement(f"{said}.", measured=value, evidence=evidence, doubt=too_few_starts(newest))
    return _within(said, value, known, newest)


def _within(said: str, value: float, known: Estimate, newest: Benchmark) -> Measurement:
    """A time in milliseconds with the interval of an estimate in seconds."""
    low, high = (v * 1e3 for v in known.interval)
    return Measurement(
        f"{said} (95 % CI {in_unit(low, 'ms')} to {in_unit(high, 'ms')}).",
        measured=value,
        interval=(low, high),
        evidence=(newest.id,),
        doubt=distrust(newest),
        if_failed=FASTER,
        if_unsure=QUIET,
    )


def time_saving(artifact: Artifact, reference: Checkpoint) -> Measurement:
    """How much less time an image takes than with the reference, in percent; only from runs that timed both side by side."""
    pair = _timed_side_by_side(artifact, reference)
    command = f"{RUN} benchmark {artifact.id} {reference.id}"
    if pair is None:
        return Measurement(f"This file and {reference.id} were not timed side by side in one run. Run: {command}")
    new, old = pair
    evidence = (new.id, old.id)
    known = ratio(new, old)
    if known is None:
        return Measurement("", evidence=evidence, doubt=too_few_starts(new))
    took = known.estimate
    saving = Estimate((1 - took.value) * 100, (1 - took.high) * 100, (1 - took.low) * 100)
    return Measurement(
        f"An image takes {percent(saving.value / 100)} less time than with {reference.id} (95 % CI "
        f"{in_unit(saving.low, '%')} to {in_unit(saving.high, '%')}), from {known.origin}.",
        measured=saving.value,
        interval=saving.interval,
        evidence=evidence,
        doubt=distrust(new, old),
        if_failed=FASTER,
        if_unsure=f"Benchmark both again on a quiet machine: {command}",
    )


def timed(sha256: str) -> Found[Benchmark]:
    """The plain benchmarks of a file, oldest first; of one run, that with the fewest threads last."""
    return queries.benchmarks_of(sha256).sorted_by(lambda row: (row.created, -row["threads"]))


def deciding_benchmark(artifact: Artifact) -> Benchmark | None:
    """The newest benchmark of a file that may decide; where none may, the newest."""
    found = _deciding((b,) for b in reversed(timed(artifact.sha256)))
    return None if found is None else found[0]


def not_timed(artifact: Artifact) -> Measurement:
    """What is said where no benchmark is."""
    return Measurement(f"Not timed yet. Run: {RUN} benchmark {artifact.id}")


def too_few_starts(record: Benchmark) -> str:
    """Why a benchmark gives no interval, and what to do."""
    return (
        f"{len(record.blocks_s)} blocks from {len(record.by_start)} starts give no interval, which needs {MIN_STARTS} starts. "
        "Benchmark again with a protocol of this version."
    )


def _timed_side_by_side(artifact: Artifact, reference: Checkpoint) -> tuple[Benchmark, Benchmark] | None:
    old = timed(reference.sha256)
    known = {(row["run_id"], row["threads"]) for row in old.rows}
    new = timed(artifact.sha256).where(lambda row: (row["run_id"], row["threads"]) in known)
    return _deciding((b, beside) for b in reversed(new) if (beside := _beside(b, old)) is not None)


def _beside(record: Benchmark, found: Found[Benchmark]) -> Benchmark | None:
    return found.where(lambda row: (row["run_id"], row["threads"]) == (record.run_id, record.threads)).newest()


def _deciding(found: Iterable[_Measured]) -> _Measured | None:
    """Of measurements, newest first, the first that may decide, for an older one still holds; where none may, the newest."""
    newest = None
    for measured in found:
        if not distrust(*measured):
            return measured
        newest = newest or measured
    return newest


HOUR_MS = 3_600_000.0
LATENCY = Measure(
    "latency", "Average time", "The average steady time of one image.", "ms", "benchmark", latency, "below", (0.0, HOUR_MS)
)
P95_LATENCY = Measure(
    "p95_latency",
    "P95 latency",
    "The steady time that 95 of 100 images take at most.",
    "ms",
    "benchmark",
    partial(percentile_latency, q=95.0),
    "below",
    (0.0, HOUR_MS),
)
P99_LATENCY = Measure(
    "p99_latency",
    "P99 latency",
    "The steady time that 99 of 100 images take at most.",
    "ms",
    "benchmark",
    partial(percentile_latency, q=99.0),
    "below",
    (0.0, HOUR_MS),
)
TIME_SAVING = Measure(
    "time_saving",
    "Time saved",
    "How much less time an image takes than with the reference, timed side by side in one run.",
    "%",
    "benchmark",
    time_saving,
    "at_least",
    (-10_000.0, 100.0),
    ("checkpoint", "baseline"),
)
