"""One whole story for the tests: a baseline, two files made from it, and every record on them. Torch-free and seeded.

The faithful file ("torchscript") gives the same logits; the drifting one ("torchscript-lite") flips some answers and is too
large, so that the pages have something to pass, something to fail and something unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.fakes import fake_artifact, fake_checkpoint, fake_ref, made
from udacisense.evaluation.predictions import Predictions
from udacisense.labels import CLASSES
from udacisense.types import (
    Artifact,
    Benchmark,
    Checkpoint,
    Evaluation,
    Logits,
    Readiness,
    SourceName,
    Status,
    Subject,
    TensorCheck,
    Verdict,
    Verification,
)
from udacisense.verify import find_flips
from udacisense.verify.compare import measures

IMAGES = 200


@dataclass(frozen=True)
class Story:
    """Everything that `tell` wrote."""

    home: Path
    checkpoint: Checkpoint
    faithful: Artifact
    drifting: Artifact
    evaluations: tuple[Evaluation, ...]  # checkpoint, faithful, drifting
    verifications: tuple[Verification, ...]  # faithful, drifting
    benchmarks: tuple[Benchmark, ...]  # checkpoint, faithful, drifting: one run
    readiness: tuple[Readiness, ...]  # faithful (unknown), drifting (fail)


def tell(home: Path, source: SourceName = "folder") -> Story:
    """Write the story below `home`, which must be the home of the current settings."""
    from udacisense.records.store import save

    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    mobile = home / "models" / "mobile"
    faithful = fake_artifact(mobile, checkpoint)
    drifting = fake_artifact(mobile, checkpoint, "torchscript-lite", "optimized_model_mobile_lite.ptl", shift=0.3)
    rng = np.random.default_rng(7)
    labels = np.arange(IMAGES, dtype=np.int64) % len(CLASSES)
    logits = rng.normal(size=(IMAGES, len(CLASSES))).astype(np.float32)
    logits[np.arange(IMAGES), labels] += 2.5
    drifted = (logits + rng.normal(size=logits.shape) * 0.3).astype(np.float32)
    evaluations = (
        evaluation(home, checkpoint, labels, logits, source),
        evaluation(home, faithful, labels, logits, source),
        evaluation(home, drifting, labels, drifted, source),
    )
    verifications = (
        verification(checkpoint, faithful, labels, logits, logits, source),
        verification(checkpoint, drifting, labels, logits, drifted, source),
    )
    benchmarks = tuple(
        benchmark(s, runtime, seconds, rng)
        for s, runtime, seconds in [
            (checkpoint, "torch", 0.0070),
            (faithful, "torch.jit", 0.0052),
            (drifting, "torch lite interpreter", 0.0053),
        ]
    )
    verdicts = (
        readiness(faithful, "unknown", evaluations[1], verifications[0], benchmarks[1]),
        readiness(drifting, "fail", evaluations[2], verifications[1], benchmarks[2]),
    )
    for record in (*evaluations, *verifications, *benchmarks, *verdicts):
        save(record)
    return Story(home, checkpoint, faithful, drifting, evaluations, verifications, benchmarks, verdicts)


def hashes() -> tuple[str, ...]:
    """The ids of the story's images."""
    return tuple(f"{i + 1000:016x}" for i in range(IMAGES))


def evaluation(home: Path, subject: Subject, labels: NDArray[np.int64], logits: Logits, source: SourceName) -> Evaluation:
    """An evaluation whose figures follow from the logits; writes the predictions file."""
    data = fake_ref(IMAGES, source)
    answers = logits.argmax(axis=1)
    top5 = (np.argsort(-logits, axis=1)[:, :5] == labels[:, None]).any(axis=1)
    confusion = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    np.add.at(confusion, (labels, answers), 1)
    place = f"predictions/{subject.sha256[:12]}-{data.dataset_id}.npz"
    (home / "results" / "predictions").mkdir(parents=True, exist_ok=True)
    np.savez(home / "results" / place, hashes=np.array(hashes()), labels=labels, logits=logits)
    return Evaluation(
        id=f"eval-{subject.id}",
        subject_id=subject.id,
        subject_sha256=subject.sha256,
        data=data,
        images=IMAGES,
        top1=float((answers == labels).mean()),
        top5=float(top5.mean()),
        per_class=tuple(float((answers == labels)[labels == c].mean()) for c in range(len(CLASSES))),
        confusion=tuple(tuple(int(v) for v in row) for row in confusion),
        overlap_images=0,
        predictions_path=place,
        preprocess_s=0.4,
        forward_s=1.6,
        made=made(f"python -m udacisense evaluate {subject.id}"),
    )


def verification(
    checkpoint: Checkpoint, artifact: Artifact, labels: NDArray[np.int64], before: Logits, after: Logits, source: SourceName
) -> Verification:
    """A verification whose figures follow from the two sets of logits."""
    old, new, gap = before.argmax(axis=1), after.argmax(axis=1), np.abs(before - after)
    sides = [Predictions(hashes(), labels, logits, 0.0, 0.0, Path()) for logits in (before, after)]
    flips = find_flips(*sides)
    same = not flips
    return Verification(
        id=f"verify-{artifact.id}",
        artifact_id=artifact.id,
        artifact_sha256=artifact.sha256,
        checkpoint_id=checkpoint.id,
        checkpoint_sha256=checkpoint.sha256,
        data=fake_ref(IMAGES, source),
        images=IMAGES,
        agreement=float((old == new).mean()),
        max_abs_diff=float(gap.max()),
        mean_abs_diff=float(gap.mean()),
        psnr_db=None if same else 32.5,
        accuracy_before=float((old == labels).mean()),
        accuracy_after=float((new == labels).mean()),
        mcnemar_p=1.0 if same else 0.25,
        checks=tuple(
            TensorCheck(name, n, float(gap.max()), float(gap.mean()), same, 1e-5, bool(gap.max() < 1e-5))
            for name, n in (("single", 1), ("batch of 4", 4))
        ),
        flips=flips,
        verdict="same" if same else "different",
        reason=f"The answer is the same on all {IMAGES} images." if same else f"{len(flips)} of {IMAGES} answers changed.",
        made=made(f"python -m udacisense verify {artifact.id}"),
        measures=measures(*sides, len(CLASSES)),
    )


def benchmark(subject: Subject, runtime: str, seconds: float, rng: np.random.Generator) -> Benchmark:
    """Plausible raw times around `seconds`: four blocks of 25."""
    blocks = tuple(tuple(float(s) for s in seconds * (1 + 0.05 * rng.random(25))) for _ in range(4))
    return Benchmark(
        id=f"bench-{subject.id}",
        run_id="run-20260102T030405-abcdef",
        subject_id=subject.id,
        subject_sha256=subject.sha256,
        runtime=runtime,
        runtime_version="2.13.0",
        threads=1,
        batch=1,
        input_px=(224, 224),
        import_s=1.1,
        load_s=0.05,
        first_s=seconds * 6,
        warmup_s=(seconds * 2, seconds * 1.2, seconds),
        blocks_s=blocks,
        preprocess_s=(0.0011, 0.0012, 0.0010),
        rss_before_bytes=200 * 2**20,
        peak_rss_bytes=260 * 2**20,
        size_bytes=subject.size_bytes,
        made=made(f"python -m udacisense benchmark {subject.id}"),
    )


def readiness(artifact: Artifact, status: Status, ev: Evaluation, ver: Verification, bench: Benchmark) -> Readiness:
    """The rules of the product with one verdict of each kind."""
    a = artifact.id
    small: Status = "unknown" if status == "unknown" else "fail"
    verdicts = (
        Verdict(a, "same_model", "Same model", "pass" if status == "unknown" else "fail", ver.reason, ver.agreement, None,
                1.0, "share", (ver.id,), ver.data),
        Verdict(a, "accuracy_kept", "Accuracy within 1 pp of the checkpoint", "pass", "No answer changed the accuracy.",
                0.0, (-0.5, 0.5), 1.0, "pp", (ev.id,), ev.data),
        Verdict(a, "latency", "Latency under 200 ms", "pass", "The median of 100 runs is 5.2 ms.", 5.2, (5.1, 5.3), 200.0,
                "ms", (bench.id,)),
        Verdict(a, "smaller_than_baseline", "30 % smaller than the baseline", small, "The file is as large as the baseline.",
                0.0, None, 30.0, "%", (artifact.id,)),
        Verdict(a, "accuracy_near_baseline", "Accuracy within 5 pp of the baseline", "unknown",
                "No evaluation of the baseline on these images. Evaluate it.", None, None, 5.0, "pp", ()),
    )  # fmt: skip
    return Readiness(
        id=f"ready-{artifact.id}",
        artifact_id=artifact.id,
        artifact_sha256=artifact.sha256,
        checkpoint_id=artifact.checkpoint_id,
        baseline_id=artifact.checkpoint_id,
        rules_sha256="0" * 64,
        status=status,
        verdicts=verdicts,
        made=made(f"python -m udacisense ready {artifact.id}"),
    )
