"""How fast each file is against the baseline of the same run: times of different runs or machines never stand in one column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from udacisense.benchmark import quality_grade, replication
from udacisense.metrics import stats
from udacisense.models.checkpoint import baseline_checkpoint
from udacisense.records import queries
from udacisense.types import Benchmark


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
    known = list(timed.figures("medians", _medians, stats, quality_grade, replication))
    beside = {(row.run_id, tuple(row["setting"])): figure for row, figure in known if row.sha256 == baseline.sha256}
    found: dict[str, TimeRatio] = {}
    for row, own in known:
        other = beside.get((row.run_id, tuple(row["setting"])))
        value = replication.ratio_value(own["starts"], other["starts"]) if other and row.sha256 != baseline.sha256 else None
        if other is None or value is None:
            continue
        new = TimeRatio(value, max(own["grade"], other["grade"]), str(row["machine"]["cpu"]), row.run_id)
        if row.sha256 not in found or new.grade != "D" or found[row.sha256].grade == "D":
            found[row.sha256] = new
    return found


def _medians(record: Benchmark) -> dict[str, object]:
    """What a ratio is made of, so that no file is opened for it again: the median of each block of each start."""
    starts = [[stats.median(block) for block in start if block] for start in record.by_start]
    return {"starts": starts, "grade": quality_grade.trust(record).grade}
