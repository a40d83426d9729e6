"""How fast each file is against the baseline of the same run: times of different runs or machines never stand in one column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from udacisense.benchmark import quality_grade, replication
from udacisense.metrics import stats
from udacisense.models.checkpoint import baseline_checkpoint
from udacisense.records import queries
from udacisense.records.queries import Found, Row
from udacisense.types import Benchmark

LOOKED_AT = 3
"""Newest runs of a file among which one is sought that may decide: the first page must not read all that were ever made."""


@dataclass(frozen=True, slots=True)
class TimeRatio:
    """Time of an image over the baseline's, both of one run."""

    value: float
    grade: str  # the lower of the two
    cpu: str
    run_id: str


def against_baseline(files: Collection[str]) -> dict[str, TimeRatio]:
    """File -> its ratio in the newest run that timed the baseline beside it; of runs, those that may decide come first."""
    baseline = baseline_checkpoint()
    if baseline is None:
        return {}
    timed = queries.benchmarks_of(*files, baseline.sha256).sorted_by(lambda row: (row.created, -row["threads"]))
    beside = {_run(row): row for row in timed.rows if row.sha256 == baseline.sha256}
    found: dict[str, TimeRatio] = {}
    for sha256 in set(files) - {baseline.sha256}:
        pairs = [(row, beside[_run(row)]) for row in reversed(timed.rows) if row.sha256 == sha256 and _run(row) in beside]
        ratios = [ratio for pair in pairs[:LOOKED_AT] if (ratio := _ratio(timed, *pair)) is not None]
        if ratios:
            found[sha256] = next((ratio for ratio in ratios if ratio.grade != "D"), ratios[0])
    return found


def _run(row: Row) -> tuple[str, tuple[object, ...]]:
    return row.run_id, tuple(row["setting"])


def _ratio(timed: Found[Benchmark], own: Row, baseline: Row) -> TimeRatio | None:
    pair = timed.where(lambda row: row in (own, baseline))
    known = {row.id: figure for row, figure in pair.figures("medians", _medians, stats, quality_grade, replication)}
    if len(known) < 2:  # a file was removed meanwhile
        return None
    first, second = known[own.id], known[baseline.id]
    value = replication.ratio_value(first["starts"], second["starts"])
    grade = max(first["grade"], second["grade"])
    return None if value is None else TimeRatio(value, grade, str(own["machine"]["cpu"]), own.run_id)


def _medians(record: Benchmark) -> dict[str, object]:
    """What a ratio is made of, so that no file is opened for it again: the median of each block of each start."""
    starts = [[stats.median(block) for block in start if block] for start in record.by_start]
    return {"starts": starts, "grade": quality_grade.trust(record).grade}
