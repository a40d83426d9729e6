"""Table of every phone file and of the checkpoints that it was made from, for the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from udacisense.benchmark.compare import compare
from udacisense.metrics.stats import latency, wilson_interval
from udacisense.number_format import NOT_MEASURED, mb, ms, ratio, share
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.report.blocks import Table
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Benchmark, Evaluation, Status, Subject, Verification
from udacisense.verdict_words import readiness

COLUMNS = (
    "file",
    "verdict",
    "size",
    "top-1 with its 95 % interval",
    "average, 1 thread",
    "P95",
    "against the baseline",
    "answers equal to its checkpoint's",
)
ORDER: tuple[Status, ...] = ("pass", "unknown", "fail")


def files_grid(collected: Sequence[ArtifactEvidence]) -> Table:
    """A row for each checkpoint, the baseline first, then the phone files, those that are ready first.

    Times of different runs do not stand in one column: those shown are of the run that timed most of the files, and a file of
    another run has its ratio alone.
    """
    timed = Counter(b.run_id for d in collected if (b := d.timing_of(d.artifact))).most_common(1)
    run = timed[0][0] if timed else ""
    return Table(COLUMNS, (*_checkpoints(collected, run), *(_file(d, run) for d in sorted(collected, key=_place))))


def runs_of(collected: Sequence[ArtifactEvidence]) -> tuple[Benchmark, ...]:
    """One timing of each run that the table rests on."""
    return tuple({b.run_id: b for d in collected if (b := d.timing_of(d.artifact))}.values())


def _place(d: ArtifactEvidence) -> tuple[int, int]:
    return (ORDER.index(d.readiness.status) if d.readiness else len(ORDER), d.artifact.size_bytes)


def _checkpoints(collected: Sequence[ArtifactEvidence], run: str) -> tuple[tuple[str, ...], ...]:
    rows: dict[str, tuple[str, ...]] = {}
    for d in collected:
        for found, judged in ((d.baseline, d.baseline_evaluation), (d.checkpoint, d.checkpoint_evaluation)):
            if found is not None and found.id not in rows:
                rows[found.id] = (subject_name(found, {}), "–", *_figures(found, judged, d, run), "–")
    return tuple(rows.values())


def _file(d: ArtifactEvidence, run: str) -> tuple[str, ...]:
    verdict = readiness(d.readiness.status if d.readiness else None)
    name = subject_name(d.artifact, techniques([d.checkpoint] if d.checkpoint else []))
    return (name, verdict, *_figures(d.artifact, d.evaluation, d, run), _equal(d.verification))


def _figures(subject: Subject, judged: Evaluation | None, d: ArtifactEvidence, run: str) -> tuple[str, ...]:
    timed = d.timing_of(subject)
    times = latency(timed.steady_s) if timed and timed.run_id == run else None
    return (
        mb(subject.size_bytes),
        _top1(judged),
        ms(times.mean_s) if times else ("another run" if timed else NOT_MEASURED),
        ms(times.p95_s) if times else ("another run" if timed else NOT_MEASURED),
        _against(timed, d.timing_of(d.baseline)),
    )


def _against(timed: Benchmark | None, baseline: Benchmark | None) -> str:
    """Time over the baseline's: "0.22 (0.21 to 0.23)"."""
    if timed is None or baseline is None or timed is baseline:
        return "–"
    return ratio(compare(timed, baseline).ratio)


def _top1(judged: Evaluation | None) -> str:
    if judged is None:
        return NOT_MEASURED
    found = wilson_interval(round(judged.top1 * judged.images), judged.images)
    return share(found, ", sample" if judged.data.source == "sample" else "")


def _equal(verified: Verification | None) -> str:
    return NOT_MEASURED if verified is None else f"{verified.images - len(verified.flips):,} of {verified.images:,}"
