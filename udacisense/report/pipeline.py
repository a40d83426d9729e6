"""Baseline → optimised → mobile: the course's view of the same records, as a table and as the files of its notebook."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from udacisense.metrics import stats
from udacisense.number_format import MB, NOT_MEASURED
from udacisense.types import Artifact, Benchmark, Checkpoint, Evaluation, Readiness, Subject, Verification


@dataclass(frozen=True, slots=True)
class PipelineStage:
    """One stop of the pipeline with what was measured there."""

    name: str  # "Baseline", "Optimized", "Mobile", "Mobile Lite"
    subject: Subject
    runtime: str  # title of the format that runs it
    target: str  # where it is meant to run
    evaluation: Evaluation | None
    benchmark: Benchmark | None

    @property
    def top1_percent(self) -> float | None:
        """Top-1 accuracy, percent."""
        return None if self.evaluation is None else self.evaluation.top1 * 100

    @property
    def size_mb(self) -> float:
        """Size of the file, in units of 1,048,576 bytes."""
        return self.subject.size_bytes / MB

    @property
    def mean_ms(self) -> float | None:
        """Average steady time of one inference, ms."""
        return None if self.benchmark is None else stats.mean(self.benchmark.steady_s) * 1000

    @property
    def peak_mb(self) -> float | None:
        """Peak resident memory of the process that ran it, in units of 1,048,576 bytes."""
        peak = self.benchmark.peak_rss_bytes if self.benchmark else None
        return None if peak is None else peak / MB


@dataclass(frozen=True, slots=True)
class PipelineSummary:
    """Pipeline of one checkpoint. `stages` begins with the baseline; "Optimized" follows only if it is another."""

    notice: str | None  # why the checkpoint is not the one that was wished for
    stages: tuple[PipelineStage, ...]
    verifications: tuple[Verification, ...]  # one for each mobile stage
    readiness: tuple[Readiness, ...]  # one for each mobile stage

    @property
    def on_sample(self) -> bool:
        """Whether an accuracy rests on the rendered sample and not on real images."""
        return any(s.evaluation is not None and s.evaluation.data.source == "sample" for s in self.stages)

    @property
    def optimized(self) -> PipelineStage:
        """The checkpoint that was converted: the last stage before the mobile ones."""
        return [s for s in self.stages if isinstance(s.subject, Checkpoint)][-1]

    @property
    def mobile(self) -> PipelineStage:
        """The recommended file: of those with the best verdict, and then the best equivalence, the smallest one."""
        return min((s for s in self.stages if isinstance(s.subject, Artifact)), key=self._rank)

    def _rank(self, stage: PipelineStage) -> tuple[int, int, int]:
        proof, verdict = self.verification_of(stage), self.readiness_of(stage)
        judged = ("pass", "unknown", "fail").index(verdict.status if verdict else "unknown")
        proved = ("same", "unknown", "different").index(proof.verdict if proof else "unknown")
        return judged, proved, stage.subject.size_bytes

    def verification_of(self, stage: PipelineStage) -> Verification | None:
        """The proof of a mobile stage."""
        return next((v for v in self.verifications if v.artifact_id == stage.subject.id), None)

    def readiness_of(self, stage: PipelineStage) -> Readiness | None:
        """The judgement of a mobile stage."""
        return next((r for r in self.readiness if r.artifact_id == stage.subject.id), None)


def comparison(pipeline: PipelineSummary) -> dict[str, list[str]]:
    """The notebook's table, column by column, every figure measured."""
    before, after = pipeline.optimized, pipeline.mobile
    rows = (
        ("Top-1 Accuracy (%)", before.top1_percent, after.top1_percent, _points(before.top1_percent, after.top1_percent)),
        ("Model Size (MB)", before.size_mb, after.size_mb, relative(before.size_mb, after.size_mb)),
        ("Inference Time (ms)", before.mean_ms, after.mean_ms, relative(before.mean_ms, after.mean_ms)),
        ("Memory Footprint (MB, peak)", before.peak_mb, after.peak_mb, relative(before.peak_mb, after.peak_mb)),
    )
    return {
        "Metric": [*(row[0] for row in rows), "Format Compatibility"],
        "Optimized Model": [*(_figure(row[1]) for row in rows), before.target],
        "Mobile Model": [*(_figure(row[2]) for row in rows), after.target],
        "Change": [*(row[3] for row in rows), f"{before.runtime} → {after.runtime}"],
    }


def _figure(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2f}"


def _points(before: float | None, after: float | None) -> str:
    return NOT_MEASURED if before is None or after is None else f"{after - before:+.2f}pp"


def relative(before: float | None, after: float | None) -> str:
    """The change from one value to another, as "+1.5%"."""
    return NOT_MEASURED if not before or after is None else f"{(after - before) / before * 100:+.1f}%"


def deployment_metrics(pipeline: PipelineSummary) -> dict[str, Any]:
    """The content of mobile_deployment_metrics.json: the notebook's keys, and the records behind them.

    `consistency_check` and `deployment_ready` are null where the evidence does not suffice for yes or no.
    """
    mobile = pipeline.mobile
    proof, verdict = pipeline.verification_of(mobile), pipeline.readiness_of(mobile)
    records = (mobile.evaluation, mobile.benchmark, proof, verdict)
    return {
        "mobile_model_path": f"models/mobile/{mobile.subject.path.name}",
        "mobile_accuracy": _accuracy(mobile.evaluation),
        "mobile_accuracy_on": None if mobile.evaluation is None else asdict(mobile.evaluation.data),
        "mobile_timing": _timing(mobile.benchmark),
        "mobile_size_mb": mobile.size_mb,
        "consistency_check": {"same": True, "different": False}.get(proof.verdict) if proof else None,
        "deployment_ready": {"pass": True, "fail": False}.get(verdict.status) if verdict else None,
        "comparison": comparison(pipeline),
        "artifact": mobile.subject.id,
        "records": [record.id for record in records if record],
    }


def _accuracy(e: Evaluation | None) -> dict[str, float] | None:
    return None if e is None else {"top1_acc": e.top1 * 100, "top5_acc": e.top5 * 100}


def _timing(b: Benchmark | None) -> dict[str, dict[str, float]] | None:
    if b is None:
        return None
    steady = stats.latency(b.steady_s, b.batch)
    times = {"total_time_ms": sum(b.steady_s) * 1000, "avg_time_ms": steady.mean_s * 1000, "fps": steady.images_per_s}
    return {"cpu": times}
