"""What the records say about one artifact, measure by measure, before any rule is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from udacisense.benchmark.quality_grade import distrust
from udacisense.benchmark.replication import MIN_STARTS, average, ratio
from udacisense.errors import StoreError
from udacisense.evaluation.predictions import load_predictions
from udacisense.metrics.stats import Estimate, accuracy_difference_of, wilson_interval
from udacisense.readiness.rules import Against, Measure
from udacisense.records import queries
from udacisense.records.queries import Found
from udacisense.types import TOLERANCE, Artifact, Benchmark, Checkpoint, DatasetRef, Equivalence, Evaluation, Status
from udacisense.verify import agreement_limit, further_images, reason_of

_Measured = TypeVar("_Measured", bound=tuple[Benchmark, ...])
RUN, SMALLER = "python -m udacisense", "Convert at a lower precision, or compress the checkpoint further."


@dataclass(frozen=True, slots=True)
class JudgedSubject:
    """An artifact with the two models that it is compared with; None = its file is not here."""

    artifact: Artifact
    checkpoint: Checkpoint | None
    baseline: Checkpoint | None

    def reference(self, against: Against | None) -> Checkpoint | None:
        """The model that a rule compares with."""
        return self.baseline if against == "baseline" else self.checkpoint


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured figure, or why there is none."""

    said: str  # a sentence: what was found, or what is missing and how to get it
    measured: float | None = None
    interval: tuple[float, float] | None = None  # 95 %
    judged: tuple[float, float] | None = None  # what the limit is held against, where it is not `interval`
    evidence: tuple[str, ...] = ()
    data: DatasetRef | None = None
    doubt: str = ""  # why the figure does not count, and what to do
    decided: Status | None = None  # the record itself decides
    limit: float = 0.0  # of a record that decides itself
    if_failed: str = ""  # what to do next
    if_unsure: str = ""
    further: Callable[[float], str] | None = None  # the rule's limit -> how many more images would decide it

    @property
    def range(self) -> tuple[float, float]:
        """What the limit is held against: an interval, or the exact figure twice."""
        if self.measured is None:
            raise ValueError("nothing was measured")
        return self.judged or self.interval or (self.measured, self.measured)


def _missing_reference(case: JudgedSubject, against: Against | None) -> Measurement:
    if against == "baseline":
        return Measurement(f"There is no baseline to compare with. Put one in models/, or train it: {RUN} train")
    return Measurement(
        f"The checkpoint {case.artifact.checkpoint_id} is not here to compare with. Put its file back into models/."
    )


# --- same model ---------------------------------------------------------------------------------------------------------


def sameness(case: JudgedSubject, against: Against | None) -> Measurement:
    """The verdict of the newest verification of these two files, real images before rendered ones."""
    if case.checkpoint is None:
        return _missing_reference(case, against)
    newest = queries.verifications_of(case.artifact.sha256, case.checkpoint.sha256).newest_evidence()
    limit = 100 * agreement_limit(case.artifact.precision)
    if newest is None:
        loose = queries.verifications_of(case.artifact.sha256, case.checkpoint.sha256, exploratory=True)
        only = f"Verified only with a looser tolerance than the {TOLERANCE:g} of the rule, which counts for nothing."
        return Measurement(f"{only if loose else 'Not verified yet.'} Run: {RUN} verify {case.artifact.id}", limit=limit)
    share = wilson_interval(newest.images - len(newest.flips), newest.images)
    statuses: Mapping[Equivalence, Status] = {"same": "pass", "different": "fail", "unknown": "unknown"}
    return Measurement(
        reason_of(newest, case.artifact.precision),
        measured=newest.agreement * 100,
        interval=(share.low * 100, share.high * 100),
        evidence=(newest.id,),
        data=newest.data,
        decided=statuses[newest.verdict],
        limit=limit,
    )


# --- accuracy -----------------------------------------------------------------------------------------------------------


def accuracy_change(case: JudgedSubject, against: Against | None) -> Measurement:
    """Accuracy of the artifact minus that of its reference in percentage points; held against the limit without its sign."""
    return _accuracy(case, against, sign=1.0)


def accuracy_loss(case: JudgedSubject, against: Against | None) -> Measurement:
    """Accuracy of the reference minus that of the artifact in percentage points: a gain is never too large."""
    return _accuracy(case, against, sign=-1.0)


def _accuracy(case: JudgedSubject, against: Against | None, sign: float) -> Measurement:
    reference = case.reference(against)
    if reference is None:
        return _missing_reference(case, against)
    pair = queries.evaluated_on_the_same_images(case.artifact.sha256, reference.sha256)
    if pair is None:
        commands = f"{RUN} evaluate {case.artifact.id} and {RUN} evaluate {reference.id}"
        return Measurement(f"No split was answered by both this file and {reference.id}. Run: {commands}")
    new, old = pair
    evidence = (new.id, old.id)
    try:
        counts = _paired_counts(old, new)
    except StoreError as exc:
        return Measurement(str(exc), evidence=evidence, data=new.data)
    change = accuracy_difference_of(*counts)
    value, low, high = (sign * v * 100 for v in change)
    low, high = min(low, high), max(low, high)
    unsigned = (0.0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
    return Measurement(
        f"Top-1 on {new.images} {new.data.split} images is {new.top1:.1%} against {old.top1:.1%} of {reference.id}: "
        f"{change.value * 100:+.1f} pp (95 % interval {change.low * 100:+.1f} to {change.high * 100:+.1f}).",
        measured=value,
        interval=(low, high),
        judged=unsigned if sign > 0 else None,
        evidence=evidence,
        data=new.data,
        doubt=_doubt_about(new),
        if_failed="Look at the changed images on the Verify page, or convert at a higher precision.",
        if_unsure="Evaluate both on more images.",
        further=lambda limit: _further(counts, limit / 100, both_ways=sign > 0),
    )


def _further(counts: tuple[int, int, int], limit: float, both_ways: bool) -> str:
    """How many more images would decide; `limit` is a fraction, of a loss unless it goes both ways."""
    lost, won, images = counts
    return further_images(lost, won, images, limit if both_ways and won >= lost else -limit)


def _paired_counts(old: Evaluation, new: Evaluation) -> tuple[int, int, int]:
    """Labelled images that the artifact lost, that it won, and all of them."""
    before, after = load_predictions(old), load_predictions(new)
    if before.hashes != after.hashes or not np.array_equal(before.labels, after.labels):
        raise StoreError("The raw predictions of the two files are not of the same images. Evaluate both again with --fresh.")
    labelled = before.labelled
    right, still = before.correct[labelled], after.correct[labelled]
    return int((right & ~still).sum()), int((~right & still).sum()), int(labelled.sum())


def _doubt_about(evaluation: Evaluation) -> str:
    if evaluation.data.source == "sample":
        return (
            "These are rendered images of the sample pack, no evidence for photographs. Set UDACISENSE_DATA_DIR or download "
            "CIFAR-100, then evaluate again."
        )
    if evaluation.overlap_images:
        return (
            f"{evaluation.overlap_images} of these images were in the model's training, so they prove nothing. "
            "Evaluate on the household-v1 test split."
        )
    return ""


# --- size ---------------------------------------------------------------------------------------------------------------


def size_increase(case: JudgedSubject, against: Against | None) -> Measurement:
    """How much larger the artifact's file is than the reference's, in percent of the reference."""
    return _size(case, against, sign=1.0)


def size_saving(case: JudgedSubject, against: Against | None) -> Measurement:
    """How much smaller the artifact's file is than the reference's, in percent of the reference."""
    return _size(case, against, sign=-1.0)


def _size(case: JudgedSubject, against: Against | None, sign: float) -> Measurement:
    reference = case.reference(against)
    if reference is None:
        return _missing_reference(case, against)
    change = (case.artifact.size_bytes / reference.size_bytes - 1) * 100
    return Measurement(
        f"The file has {_mb(case.artifact.size_bytes)} against {_mb(reference.size_bytes)} of {reference.id}: {change:+.1f} %.",
        measured=sign * change,
        evidence=(case.artifact.id, reference.id),
        if_failed=SMALLER,
    )


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.2f} MB"


# --- time ---------------------------------------------------------------------------------------------------------------


def latency(case: JudgedSubject, against: Against | None) -> Measurement:  # noqa: ARG001 - every measure has this shape
    """Average steady time of one image in milliseconds."""
    deciding = _deciding((b,) for b in reversed(_timed(case.artifact.sha256)))
    if deciding is None:
        return Measurement(f"Not timed yet. Run: {RUN} benchmark {case.artifact.id}")
    newest = deciding[0]
    value = float(np.mean(newest.steady_s)) * 1e3
    evidence = (newest.id,)
    known = average(newest)
    if known is None:
        said = f"The average of {len(newest.steady_s)} runs is {value:.1f} ms."
        return Measurement(said, measured=value, evidence=evidence, doubt=_too_few_starts(newest))
    low, high = (v * 1e3 for v in known.interval)
    return Measurement(
        f"The average of {len(newest.steady_s)} runs on {newest.made.machine.cpu} is {value:.1f} ms "
        f"(95 % interval {low:.1f} to {high:.1f}).",
        measured=value,
        interval=(low, high),
        evidence=evidence,
        doubt=distrust(newest),
        if_failed="Convert to a faster format, or compress the checkpoint further.",
        if_unsure="Benchmark again on a quiet machine with the standard protocol.",
    )


def time_saving(case: JudgedSubject, against: Against | None) -> Measurement:
    """How much less time an image takes than with the reference, in percent; only from runs that timed both side by side."""
    reference = case.reference(against)
    if reference is None:
        return _missing_reference(case, against)
    pair = _timed_side_by_side(case.artifact, reference)
    command = f"{RUN} benchmark {case.artifact.id} {reference.id}"
    if pair is None:
        return Measurement(f"This file and {reference.id} were not timed side by side in one run. Run: {command}")
    new, old = pair
    evidence = (new.id, old.id)
    known = ratio(new, old)
    if known is None:
        return Measurement("", evidence=evidence, doubt=_too_few_starts(new))
    took = known.estimate
    saving = Estimate((1 - took.value) * 100, (1 - took.high) * 100, (1 - took.low) * 100)
    return Measurement(
        f"An image takes {saving.value:.1f} % less time than with {reference.id} (95 % interval {saving.low:.1f} to "
        f"{saving.high:.1f}), from {known.origin}.",
        measured=saving.value,
        interval=saving.interval,
        evidence=evidence,
        doubt=distrust(new, old),
        if_failed="Convert to a faster format, or compress the checkpoint further.",
        if_unsure=f"Benchmark both again on a quiet machine: {command}",
    )


def _timed(sha256: str) -> Found[Benchmark]:
    """The plain benchmarks of a file, oldest first; of one run, that with the fewest threads last."""
    return queries.benchmarks_of(sha256).sorted_by(lambda row: (row.created, -row["threads"]))


def _timed_side_by_side(artifact: Artifact, reference: Checkpoint) -> tuple[Benchmark, Benchmark] | None:
    old = _timed(reference.sha256)
    known = {(row["run_id"], row["threads"]) for row in old.rows}
    new = _timed(artifact.sha256).where(lambda row: (row["run_id"], row["threads"]) in known)
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


def _too_few_starts(record: Benchmark) -> str:
    return (
        f"{len(record.blocks_s)} blocks from {len(record.by_start)} starts give no interval, which needs {MIN_STARTS} starts. "
        "Benchmark again with a protocol of this version."
    )


MEASURES: Mapping[Measure, Callable[[JudgedSubject, Against | None], Measurement]] = {
    "sameness": sameness,
    "accuracy_change": accuracy_change,
    "accuracy_loss": accuracy_loss,
    "size_increase": size_increase,
    "size_saving": size_saving,
    "latency": latency,
    "time_saving": time_saving,
}
"""What a rule can name as its measure."""
