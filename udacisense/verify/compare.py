"""`verify`: the same inputs through checkpoint and artifact, and whether the two are equivalent.

Three kinds of input: the notebook's random images, the golden images that travel with the file, and every image of a split.
"""

from __future__ import annotations

from collections.abc import Iterable

from udacisense import ranges
from udacisense.artifacts import source_checkpoint
from udacisense.data.dataset import Dataset
from udacisense.evaluation.predictions import Predictions, data_options, predict_all
from udacisense.metrics import logits as measure
from udacisense.metrics.stats import accuracy_difference, mcnemar, percentile
from udacisense.progress import part, report
from udacisense.provenance import here
from udacisense.records import store
from udacisense.types import TOLERANCE, Artifact, Checkpoint, Measures, Provenance, TensorCheck, Verification
from udacisense.verify.flips import find_flips
from udacisense.verify.inputs import golden_check, random_checks
from udacisense.verify.verdict import judge_equivalence


def verify(artifact: Artifact, data: Dataset, tolerance: float = TOLERANCE, known: Iterable[Checkpoint] = ()) -> Verification:
    """Compare an artifact with its checkpoint on random inputs, golden images and a whole split; saves the record.

    Args:
        known: checkpoints that the caller has; the artifact's is looked for among them first.

    Raises:
        NotFoundError: the checkpoint is not here. RunError: one of the two cannot be run.
        MeasureError: an answer is not a number, or the tolerance cannot be used.
    """
    ranges.TOLERANCE.check(tolerance)
    made = here(f"python -m udacisense verify {artifact.id} {data_options(data.ref)} --tolerance {tolerance:g}")
    checkpoint = source_checkpoint(artifact, known)
    report(0.0, "random inputs")
    checks = random_checks(checkpoint, artifact, tolerance)
    golden, missing = golden_check(checkpoint, artifact, tolerance)
    with part(0.1, 0.55, "checkpoint: "):
        before = predict_all(checkpoint, data)
    with part(0.55, 1.0, "artifact: "):
        after = predict_all(artifact, data)
    warnings = (*((missing,) if missing else ()), *_warnings(data, before))
    record = _compare(checkpoint, artifact, data, before, after, (*checks, *golden), tolerance, made, warnings)
    store.save(record)
    return record


# --- the record ---------------------------------------------------------------------------------------------------------


def measures(before: Predictions, after: Predictions, classes: int) -> Measures:
    """Every measure of the two files' answers that a record keeps; the logits themselves stay on disk."""
    old, new, labels = before.logits, after.logits, before.labels
    known = before.labelled
    right, still = before.correct[known], after.correct[known]
    return Measures(
        p99_abs_diff=percentile(measure.gaps(old, new).ravel(), 99),
        cosine=measure.cosine(old, new),
        kl_nats=measure.divergence(old, new),
        top5_agreement=measure.top_overlap(old, new),
        per_class=measure.class_changes(old, new, labels, classes),
        ece_before=measure.calibration_error(old, labels),
        ece_after=measure.calibration_error(new, labels),
        confusion_before=measure.confusion(old, labels, classes),
        confusion_after=measure.confusion(new, labels, classes),
        lost=int((right & ~still).sum()) if known.any() else None,
        won=int((~right & still).sum()) if known.any() else None,
        accuracy_interval=accuracy_difference(right, still).interval if known.any() else None,
    )


def _compare(
    checkpoint: Checkpoint,
    artifact: Artifact,
    data: Dataset,
    before: Predictions,
    after: Predictions,
    checks: tuple[TensorCheck, ...],
    tolerance: float,
    made: Provenance,
    warnings: tuple[str, ...],
) -> Verification:
    found = measures(before, after, len(data.classes))
    gap = measure.gaps(before.logits, after.logits)
    flips = find_flips(before, after)
    p = None if found.lost is None or found.won is None else mcnemar(found.lost, found.won)
    verdict, reason = judge_equivalence(checks, len(data), len(flips), float(gap.max()), p, tolerance, artifact.precision)
    return Verification(
        id=store.new_id(f"verify-{artifact.id}"),
        artifact_id=artifact.id,
        artifact_sha256=artifact.sha256,
        checkpoint_id=checkpoint.id,
        checkpoint_sha256=checkpoint.sha256,
        data=data.ref,
        images=len(data),
        agreement=1 - len(flips) / len(data),
        max_abs_diff=float(gap.max()),
        mean_abs_diff=float(gap.mean()),
        psnr_db=measure.psnr_db(before.logits, after.logits),
        accuracy_before=measure.topk_accuracy(before.logits, before.labels, 1),
        accuracy_after=measure.topk_accuracy(after.logits, after.labels, 1),
        mcnemar_p=p,
        checks=checks,
        flips=flips,
        verdict=verdict,
        reason=reason,
        made=made,
        warnings=warnings,
        measures=found,
        tolerance=tolerance,
        spec=checkpoint.spec,
    )


def _warnings(data: Dataset, found: Predictions) -> tuple[str, ...]:
    said = []
    unlabelled = int((~found.labelled).sum())
    if unlabelled:
        said.append(f"{unlabelled} of {len(data)} images have no label: they count for agreement, not for accuracy.")
    if data.ref.source == "sample":
        said.append(
            f"Compared on the {len(data)} rendered images of the sample pack. Set UDACISENSE_DATA_DIR or download CIFAR-100 "
            "and verify again for evidence on real photographs."
        )
    return tuple(said)
