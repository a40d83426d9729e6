"""Results of compression, row by row: size, work, time and accuracy of each step relative to the start, from records alone.

The weights may be gone: a row needs the records only. Figures of different images or of different benchmark runs are never
put side by side, and what nobody measured stays None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from udacisense.benchmark.compare import Comparison, compare
from udacisense.errors import NotFoundError, StoreError
from udacisense.evaluation.predictions import load_predictions
from udacisense.metrics import stats
from udacisense.metrics.stats import Estimate
from udacisense.models.checkpoint import list_checkpoints
from udacisense.models.summary import summary_on_card
from udacisense.number_format import MB
from udacisense.records import queries
from udacisense.records.queries import Found
from udacisense.types import Benchmark, Checkpoint, Compression, CompressionStep, Evaluation

START = "Baseline"
"""Name of the first row, as the course's files call it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step, or the start that all are held against; None = not measured, or not recorded in the file."""

    name: str
    technique: str | None  # None = the start
    subject_id: str
    sha256: str
    size_bytes: int | None
    parameters: int | None
    macs: int | None
    sparsity: float | None  # 0..1
    validation_top1: float | None  # 0..1, on the held-out training images
    evaluation: Evaluation | None  # on the test split
    benchmark: Benchmark | None
    speed: Comparison | None = None  # against the start, timed in one run
    change: Estimate | None = None  # test accuracy minus the start's, 0..1, from paired answers
    seconds: float | None = None  # that the step took
    message: str | None = None  # why there is no file

    @property
    def median_s(self) -> float | None:
        """Median steady time of one image, seconds."""
        return None if self.benchmark is None else stats.median(self.benchmark.steady_s)

    @property
    def top1_interval(self) -> Estimate | None:
        """Test accuracy (0..1) with its 95 % Wilson interval."""
        e = self.evaluation
        return None if e is None else stats.wilson_interval(round(e.top1 * e.images), e.images)


@dataclass(frozen=True, slots=True)
class Compressed:
    """A pipeline's newest run with all that is known of it; the first row is the start."""

    run: Compression
    rows: tuple[Row, ...]

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids of the records behind the rows."""
        found = [record.id for row in self.rows for record in (row.evaluation, row.benchmark) if record]
        return (self.run.id, *self.run.steps, *found)


def compressed(pipeline: str) -> Compressed:
    """The newest run of a pipeline.

    Raises:
        NotFoundError: it never ran.
    """
    run = queries.pipeline_runs(pipeline).newest()
    if run is None:
        raise NotFoundError(
            f"The pipeline {pipeline} has not run yet. Run: python -m udacisense compress --pipeline {pipeline}"
        )
    return collect(run)


def pipelines_that_ran() -> tuple[str, ...]:
    """Names of the pipelines with a record, the newest run first."""
    return tuple(dict.fromkeys(row["pipeline"] for row in reversed(queries.pipeline_runs().rows)))


def collect(run: Compression) -> Compressed:
    """The rows of one run."""
    known = {step.id: step for step in queries.compression_steps(ids=run.steps)}
    steps = [known[i] for i in run.steps if i in known]
    return Compressed(run, (*_rows(run.start_id, run.start_sha256, steps), *_failed(run)))


def lineage(checkpoint: Checkpoint) -> tuple[Row, ...]:
    """The way from the first known ancestor to a checkpoint, by the records of its steps; a single row where there are none."""
    steps: list[CompressionStep] = []
    sha256 = checkpoint.sha256
    while (step := queries.compression_steps(sha256=[sha256]).newest()) is not None and step not in steps:
        steps.insert(0, step)
        sha256 = step.parent_sha256
    start_id = steps[0].parent_id if steps else checkpoint.id
    return _rows(start_id, sha256, steps)


def _rows(start_id: str, start_sha256: str, steps: Sequence[CompressionStep]) -> tuple[Row, ...]:
    evidence = _Evidence(start_sha256, [step.sha256 for step in steps])
    start = next((c for c in list_checkpoints().records if c.sha256 == start_sha256), None)
    return (evidence.start(start_id, start), *(evidence.row(step) for step in steps))


def _failed(run: Compression) -> tuple[Row, ...]:
    return tuple(
        Row(f.name, f.technique, "", "", None, None, None, None, None, None, None, message=f.message) for f in run.failed
    )


class _Evidence:
    """The evaluations and benchmarks of one start and of what was made from it."""

    def __init__(self, start_sha256: str, others: Sequence[str]) -> None:
        self.start_sha256, wanted = start_sha256, {start_sha256, *others}
        self._evaluations = _of_most_files([e for e in queries.newest_evaluations(wanted) if e.data.split == "test"])
        self._timed = _run_of_most_files(queries.benchmarks_of(*wanted))

    def start(self, start_id: str, found: Checkpoint | None) -> Row:
        summary = summary_on_card(found) if found else None
        return Row(
            name=START,
            technique=None,
            subject_id=start_id,
            sha256=self.start_sha256,
            size_bytes=found.size_bytes if found else None,
            parameters=found.parameters if found else None,
            macs=summary.macs if summary else None,
            sparsity=summary.sparsity if summary else None,
            validation_top1=None,
            evaluation=self._evaluations.get(self.start_sha256),
            benchmark=self._timed.get(self.start_sha256),
        )

    def row(self, step: CompressionStep) -> Row:
        before, own = self._timed.get(self.start_sha256), self._timed.get(step.sha256)
        return Row(
            name=step.name,
            technique=step.technique,
            subject_id=step.checkpoint_id,
            sha256=step.sha256,
            size_bytes=step.size_bytes,
            parameters=step.parameters,
            macs=step.macs,
            sparsity=step.sparsity,
            validation_top1=step.validation_top1,
            evaluation=self._evaluations.get(step.sha256),
            benchmark=own,
            speed=compare(own, before) if own and before else None,
            change=_change(self._evaluations.get(self.start_sha256), self._evaluations.get(step.sha256)),
            seconds=step.seconds,
        )


def _of_most_files(found: Sequence[Evaluation]) -> dict[str, Evaluation]:
    """File -> its evaluation on the images that most files were evaluated on; where two are level, on real ones."""
    files = {e.data.dataset_id: {o.subject_sha256 for o in found if o.data.dataset_id == e.data.dataset_id} for e in found}

    def rank(e: Evaluation) -> tuple[int, bool, str]:
        return len(files[e.data.dataset_id]), e.data.source != "sample", e.made.created

    best = max(found, key=rank, default=None)
    return {e.subject_sha256: e for e in found if best is not None and e.data.dataset_id == best.data.dataset_id}


def _run_of_most_files(found: Found[Benchmark]) -> dict[str, Benchmark]:
    """File -> its times in the run that timed most of the files side by side, the newest of such runs."""
    files: dict[str, set[str]] = {}
    for row in found.rows:
        files.setdefault(row["run_id"], set()).add(row.sha256)
    best = max(found.rows, key=lambda row: (len(files[row["run_id"]]), row.created, -row["threads"]), default=None)
    same = found.where(lambda row: best is not None and all(row[name] == best[name] for name in ("run_id", "setting")))
    return {b.subject_sha256: b for b in same}


def _change(before: Evaluation | None, after: Evaluation | None) -> Estimate | None:
    """Accuracy after minus before on the same images; None where the raw answers are not here."""
    if before is None or after is None:
        return None
    try:
        old, new = load_predictions(before), load_predictions(after)
    except StoreError:
        return None
    if old.hashes != new.hashes:
        return None
    return stats.accuracy_difference(old.correct[old.labelled], new.correct[new.labelled])


# --- the course's file ----------------------------------------------------------------------------------------------------


def course_results(found: Compressed) -> dict[str, Any]:
    """The content of pipeline_results.json: the course's keys in percent, ms and MB, and the records behind them."""
    return {
        "pipeline": found.run.pipeline,
        "stages": [{"name": row.name, "checkpoint": row.subject_id, "metrics": _metrics(row)} for row in found.rows],
        "records": list(dict.fromkeys(found.evidence)),
    }


def _metrics(row: Row) -> dict[str, Any]:
    """The course's keys are always there; null where nothing was measured."""
    e, b = row.evaluation, row.benchmark
    return {
        "accuracy": {"top1_acc": e.top1 * 100 if e else None, "top5_acc": e.top5 * 100 if e else None},
        "timing": {"cpu": _timing(b) if b else None},
        "size": {"model_size_mb": row.size_bytes / MB if row.size_bytes else None, "parameters": row.parameters},
    }


def _timing(b: Benchmark) -> dict[str, float]:
    steady = stats.latency(b.steady_s, b.batch)
    return {"total_time_ms": sum(b.steady_s) * 1000, "avg_time_ms": steady.mean_s * 1000, "fps": steady.images_per_s}
