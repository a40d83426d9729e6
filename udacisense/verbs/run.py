"""`run`: the full pipeline of one checkpoint, as in the course's notebook, with measured figures only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from udacisense.errors import FormatError
from udacisense.processes.locks import heavy_work
from udacisense.progress import part, report, side_by_side
from udacisense.provenance import cores
from udacisense.records.store import write_text
from udacisense.settings import settings
from udacisense.types import (
    Artifact,
    Benchmark,
    Checkpoint,
    Evaluation,
    Precision,
    Readiness,
    Subject,
    Verification,
)
from udacisense.verbs import measure
from udacisense.verbs.batch import Pair, convert_pairs
from udacisense.verbs.judge import ready, sample_limits

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.report import PipelineStage, PipelineSummary

FORMATS = {"Mobile": "torchscript", "Mobile Lite": "torchscript-lite"}
"""Stage of the notebook -> the format that it saves there."""

TODAY: tuple[Pair, ...] = (("executorch", "fp32"),)
"""What is made beside them where this machine can: PyTorch's own successor of what the notebook saves."""


@dataclass(frozen=True, slots=True)
class Run:
    """Results of a full pipeline run; the figures of `comparison` are the recommended file's beside the checkpoint's."""

    checkpoint: Checkpoint
    notice: str | None  # why the checkpoint is not the one that was wished for
    recommended_id: str  # the smallest of the artifacts that are judged best
    artifacts: tuple[Artifact, ...]
    evaluations: tuple[Evaluation, ...]
    verifications: tuple[Verification, ...]
    benchmarks: tuple[Benchmark, ...]
    readiness: tuple[Readiness, ...]
    limits: Mapping[str, str]  # artifact id -> how it did on the rendered sample, where real images have the say
    comparison: dict[str, list[str]]  # the notebook's table, column by column
    metrics_path: Path
    image_path: Path


def run(
    checkpoint: Named | None = None,
    source: str | None = None,
    scheme: str | None = None,
    protocol: str = "standard",
    also: Sequence[str] = (),
) -> Run:
    """Convert, evaluate, verify, benchmark and judge a checkpoint, by default the pipeline's or else the baseline.

    >>> verbs.run("model.pth", also=["onnx:int8"]).recommended_id

    Writes models/mobile/mobile_deployment_metrics.json and models/mobile/deployment_pipeline_summary.png.

    Args:
        also: further files, each as "format" or "format:precision"; those made before are taken as they are.

    Raises:
        NotFoundError: no such checkpoint, or none at all. Every error of the verbs that it goes through.
    """
    from udacisense.data.sources import load_dataset
    from udacisense.evaluation.evaluate import evaluate
    from udacisense.models.described import spec_of

    files = _files(also)
    found, notice = _checkpoint(checkpoint)
    with heavy_work(f"the full pipeline of {found.id}", into=(settings().models_dir / "mobile",)):
        # what it cannot find is told before the work
        data = load_dataset("test", source, scheme, spec_of(found))
        with part(0.0, 0.2):
            artifacts = _converted(found, tuple(files.values()))
        subjects = _subjects(found, dict(zip(files, artifacts, strict=True)))
        known = tuple(s for s in subjects.values() if isinstance(s, Checkpoint))
        with part(0.2, 0.55):
            evaluations = side_by_side(tuple(subjects.values()), lambda s: evaluate(s, data, known=known), cores())
        with part(0.55, 0.65):
            verifications = side_by_side(artifacts, lambda a: measure.verify_and_evaluate(a, data, known=known), cores())
        with part(0.65, 0.97):
            benchmarks = measure.benchmark(tuple(subjects.values()), protocol)
        report(0.97, "judging")
        readiness = tuple(r for a in artifacts for r in ready(a, known).readiness)
        stages = _stages(subjects, evaluations, benchmarks)
        return _finish(found, notice, stages, verifications, readiness)


def _checkpoint(wanted: Named | None) -> tuple[Checkpoint, str | None]:
    from udacisense.artifacts import named_checkpoint
    from udacisense.models.checkpoint import default_checkpoint

    return default_checkpoint() if wanted is None else (named_checkpoint(wanted), None)


def _files(also: Sequence[str]) -> dict[str, Pair]:
    """Stage -> format and precision: the notebook's, today's where they can be made and run here, and those asked for."""
    from udacisense.conversion.convert import target, targets

    files: dict[str, Pair] = {stage: (name, "fp32") for stage, name in FORMATS.items()}
    possible = [f.name for f in targets().values() if f.unavailable("export") is None and f.unavailable("run") is None]
    wanted = [pair for pair in TODAY if pair[0] in possible]
    for word in also:
        name, _, precision = word.partition(":")
        wanted.append((target(name).name, cast(Precision, precision or "fp32")))
    return files | {f"{name} {precision}": (name, precision) for name, precision in wanted}


def _subjects(checkpoint: Checkpoint, mobile: dict[str, Artifact]) -> dict[str, Subject]:
    """Stage -> its file; where the checkpoint is the baseline itself, there is no optimised one."""
    from udacisense.models.checkpoint import baseline_for

    baseline = baseline_for(checkpoint.spec, (checkpoint,))
    if baseline is not None and baseline.sha256 == checkpoint.sha256:
        return {"Baseline": checkpoint, **mobile}
    first: dict[str, Subject] = {"Baseline": baseline} if baseline is not None else {}
    return {**first, "Optimized": checkpoint, **mobile}


def _converted(checkpoint: Checkpoint, pairs: tuple[Pair, ...]) -> tuple[Artifact, ...]:
    """The file of each pair, published; the first that cannot be made ends the run."""
    from udacisense.conversion.convert import publish

    found = []
    for artifact in convert_pairs(checkpoint, pairs).values():
        if isinstance(artifact, str):
            raise FormatError(artifact)
        publish(artifact)
        found.append(artifact)
    return tuple(found)


def _stages(
    subjects: dict[str, Subject], evaluations: Sequence[Evaluation], benchmarks: Sequence[Benchmark]
) -> tuple[PipelineStage, ...]:
    from udacisense.artifacts import subject_format
    from udacisense.report import PipelineStage

    timed = {b.subject_id: b for b in benchmarks}
    stages = []
    for (name, subject), evaluation in zip(subjects.items(), evaluations, strict=True):
        fmt = subject_format(subject)
        stages.append(PipelineStage(name, subject, fmt.title, fmt.target, evaluation, timed.get(subject.id)))
    return tuple(stages)


def _finish(
    checkpoint: Checkpoint,
    notice: str | None,
    stages: tuple[PipelineStage, ...],
    verifications: tuple[Verification, ...],
    readiness: tuple[Readiness, ...],
) -> Run:
    from udacisense.report import PipelineSummary
    from udacisense.report.pipeline import comparison

    pipeline = PipelineSummary(notice, stages, verifications, readiness)
    metrics_path, image_path = write_files(pipeline)
    report(1.0, "done")
    return Run(
        checkpoint=checkpoint,
        notice=notice,
        recommended_id=pipeline.mobile.subject.id,
        artifacts=tuple(s.subject for s in stages if isinstance(s.subject, Artifact)),
        evaluations=tuple(s.evaluation for s in stages if s.evaluation),
        verifications=verifications,
        benchmarks=tuple(s.benchmark for s in stages if s.benchmark),
        readiness=readiness,
        limits=sample_limits(s.subject for s in stages if isinstance(s.subject, Artifact)),
        comparison=comparison(pipeline),
        metrics_path=metrics_path,
        image_path=image_path,
    )


def write_files(pipeline: PipelineSummary) -> tuple[Path, Path]:
    """Write the notebook's two files about a pipeline; returns the paths of the metrics and of the image."""
    from udacisense.report import draw_pipeline
    from udacisense.report.pipeline import deployment_metrics

    folder = settings().models_dir / "mobile"
    text = json.dumps(deployment_metrics(pipeline), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    metrics = write_text(folder / "mobile_deployment_metrics.json", text)
    return metrics, draw_pipeline(pipeline, folder / "deployment_pipeline_summary.png")
