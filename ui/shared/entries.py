"""Records by subject, side by side for charts, tables and captions.

Pure functions over records. What was not measured stays None; figures of different files (sha256), of different images
(dataset_id) or of different benchmark runs are never put side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from udacisense.metrics import stats
from udacisense.records.queries import Row
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Artifact, Benchmark, Evaluation, Subject, Verification
from ui.shared.plain_text import in_chart

R = TypeVar("R", Evaluation, Benchmark, Verification)
Timed = TypeVar("Timed", Benchmark, Row)


@dataclass(frozen=True, slots=True)
class SubjectMetrics:
    """Figures of one subject: accuracy, times, size."""

    id: str
    label: str
    format: str  # "torch" for a checkpoint
    size_bytes: int | None
    evaluation: Evaluation | None = None
    benchmark: Benchmark | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of baseline -> optimized -> mobile; None = not measured."""

    name: str
    format: str
    subject_id: str | None  # None = there is no such stage
    size_bytes: int | None
    top1: float | None  # 0..1
    latency_s: float | None  # mean of the steady times


def format_of(subject: Subject) -> str:
    """The format's name; a checkpoint is its own, PyTorch."""
    return subject.format if isinstance(subject, Artifact) else "torch"


def newest(records: Sequence[R], sha256: str, dataset_id: str | None = None, subject_id: str = "") -> R | None:
    """The newest record (they come oldest first) on the file with this hash, on these images where given.

    Where two subjects have the same bytes, the records on `subject_id` itself come first.
    """
    same = [r for r in reversed(records) if _sha(r) == sha256 and dataset_id in (None, _dataset(r))]
    return next((r for r in same if _subject(r) == subject_id), same[0] if same else None)


def _sha(record: Evaluation | Benchmark | Verification) -> str:
    return record.artifact_sha256 if isinstance(record, Verification) else record.subject_sha256


def _subject(record: Evaluation | Benchmark | Verification) -> str:
    return record.artifact_id if isinstance(record, Verification) else record.subject_id


def _dataset(record: Evaluation | Benchmark | Verification) -> str | None:
    return None if isinstance(record, Benchmark) else record.data.dataset_id


def runs(benchmarks: Sequence[Timed]) -> dict[str, tuple[Timed, ...]]:
    """Benchmarks, or their rows, by run, the newest run first; only those of one run may be compared."""
    found: dict[str, list[Timed]] = {}
    for record in benchmarks[::-1]:
        found.setdefault(record.run_id, []).insert(0, record)
    return {run: tuple(records) for run, records in found.items()}


def plainest(run: Sequence[Benchmark]) -> tuple[Benchmark, ...]:
    """The records of a run under its plainest setting, without those with more threads, images or CPU load."""
    least = min((b.sustained, b.background_processes, b.batch, b.threads) for b in run)
    return tuple(b for b in run if (b.sustained, b.background_processes, b.batch, b.threads) == least)


def digest_of(found: Sequence[SubjectMetrics]) -> str:
    """Cache key of a chart of these entries."""
    parts = [
        (e.id, e.label, e.size_bytes, e.evaluation.id if e.evaluation else "", e.benchmark.id if e.benchmark else "")
        for e in found
    ]
    return repr(parts)


def common_dataset(evaluations: Sequence[Evaluation], sha256s: Sequence[str]) -> str | None:
    """Id of the images on which accuracies are compared; None = nothing was evaluated.

    Real images before the sample, then those that most subjects were evaluated on, then the newest.
    """
    held = [e for e in evaluations if e.subject_sha256 in sha256s]

    def rank(record: Evaluation) -> tuple[bool, int, str]:
        covered = {e.subject_sha256 for e in held if e.data.dataset_id == record.data.dataset_id}
        return record.data.source != "sample", len(covered), record.made.created

    return max(held, key=rank).data.dataset_id if held else None


def top1_interval(record: Evaluation) -> stats.Estimate:
    """Top-1 accuracy (0..1) with its 95 % Wilson interval."""
    return stats.wilson_interval(round(record.top1 * record.images), record.images)


def entries(subjects: Sequence[Subject], evaluations: Sequence[Evaluation]) -> tuple[SubjectMetrics, ...]:
    """One entry for each subject, with its accuracy and without times."""
    dataset_id = common_dataset(evaluations, [s.sha256 for s in subjects])
    known = techniques(subjects)
    found = [
        SubjectMetrics(
            s.id, subject_name(s, known), format_of(s), s.size_bytes, newest(evaluations, s.sha256, dataset_id, s.id)
        )
        for s in subjects
    ]
    return _distinct(found)


def timed_entries(
    run: Sequence[Benchmark], subjects: Sequence[Subject], evaluations: Sequence[Evaluation]
) -> tuple[SubjectMetrics, ...]:
    """One entry for each subject of a benchmark run; checkpoints first; one that is gone goes by its id."""
    dataset_id = common_dataset(evaluations, [b.subject_sha256 for b in run])
    known, found = techniques(subjects), []
    for b in run:
        evaluation = newest(evaluations, b.subject_sha256, dataset_id, b.subject_id)
        same = [s for s in subjects if s.sha256 == b.subject_sha256]
        subject = next((s for s in same if s.id == b.subject_id), same[0] if same else None)
        label, name = (subject_name(subject, known), format_of(subject)) if subject else (b.subject_id, "")
        found.append(SubjectMetrics(b.subject_id, label, name, b.size_bytes, evaluation, b))
    return _distinct(sorted(found, key=lambda e: e.format != "torch"))


def for_charts(found: Sequence[SubjectMetrics]) -> tuple[SubjectMetrics, ...]:
    """The same entries with labels that a chart shows as they are written."""
    return tuple(replace(e, label=in_chart(e.label)) for e in found)


def _distinct(found: Sequence[SubjectMetrics]) -> tuple[SubjectMetrics, ...]:
    """The same entries; labels that occur twice get those digests of their ids in which they differ."""
    groups: dict[str, list[list[str]]] = {}
    for e in found:
        groups.setdefault(e.label, []).append(e.id.split("-")[-2:])
    return tuple(e if len(groups[e.label]) == 1 else replace(e, label=f"{e.label} {_own(e, groups[e.label])}") for e in found)


def _own(entry: SubjectMetrics, group: Sequence[Sequence[str]]) -> str:
    """The last parts of an id, without one that all ids of the group share."""
    parts = entry.id.split("-")[-2:]
    return " ".join(part for place, part in enumerate(parts) if any(other[place] != part for other in group))


def stages(evidence: ArtifactEvidence) -> tuple[Stage, Stage, Stage]:
    """Baseline, optimized and mobile, from one dataset and one benchmark run; gaps stay gaps.

    There is no optimized stage where the artifact was made from the baseline itself.
    """
    checkpoint, baseline, artifact = evidence.checkpoint, evidence.baseline, evidence.artifact
    compressed = None if checkpoint and baseline and checkpoint.sha256 == baseline.sha256 else checkpoint
    return (
        _stage("Baseline", baseline, evidence.baseline_evaluation, evidence.benchmarks),
        _stage("Optimized", compressed, evidence.checkpoint_evaluation, evidence.benchmarks),
        _stage("Mobile", artifact, evidence.evaluation, evidence.benchmarks),
    )


def _stage(name: str, subject: Subject | None, evaluation: Evaluation | None, run: Sequence[Benchmark]) -> Stage:
    if subject is None:
        return Stage(name, "torch", None, None, None, None)
    bench = newest(run, subject.sha256, subject_id=subject.id)
    return Stage(
        name,
        format_of(subject),
        subject.id,
        subject.size_bytes,
        evaluation.top1 if evaluation else None,
        stats.mean(bench.steady_s) if bench else None,
    )
