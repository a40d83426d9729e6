"""`verify`: the same inputs through checkpoint and artifact, and whether they are the same model.

The verdict has three values. *Same*: every logit agrees within the tolerance, or the share of equal answers is surely at least
AGREEMENT_LIMIT and neither is the accuracy seen to change. *Different*: the share is surely lower, or the accuracy changed.
*Unknown*: the pictures are too few to tell. "Surely" is the 95 % Wilson interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from udacisense import store
from udacisense.artifacts import open_session
from udacisense.data.dataset import Dataset
from udacisense.models.checkpoint import find_checkpoint
from udacisense.predictions import Predictions, data_options, predict_all, run_session
from udacisense.progress import part, report
from udacisense.provenance import here
from udacisense.settings import settings
from udacisense.stats import mcnemar, wilson_interval
from udacisense.types import Artifact, Checkpoint, Flip, Images, Logits, Provenance, Sameness, TensorCheck, Verification

TOLERANCE = 1e-5
"""The notebook's: the largest difference of a logit at which outputs match."""
AGREEMENT_LIMIT = 0.99
"""Share of equal answers that makes two files the same model where their logits differ by more than rounding."""
SIGNIFICANCE = 0.05
RANDOM_INPUTS: tuple[tuple[str, int], ...] = (("single", 1), ("batch of 4", 4))
"""The notebook's inputs: name and number of random images."""


def verify(artifact: Artifact, data: Dataset, tolerance: float = TOLERANCE) -> Verification:
    """Compare an artifact with its checkpoint on random inputs and on every picture of the split; saves the record.

    Raises:
        NotFoundError: the checkpoint is not here. RunError: one of the two cannot be run.
        MeasureError: an answer is not a number.
    """
    made = here(f"python -m udacisense verify {artifact.id} {data_options(data.ref)} --tolerance {tolerance:g}")
    checkpoint = find_checkpoint(artifact.checkpoint_id)
    report(0.0, "random inputs")
    checks = random_checks(checkpoint, artifact, tolerance)
    with part(0.1, 0.55, "checkpoint: "):
        before = predict_all(checkpoint, data)
    with part(0.55, 1.0, "artifact: "):
        after = predict_all(artifact, data)
    record = _compare(checkpoint, artifact, data, before, after, checks, tolerance, made)
    store.save(record)
    return record


def random_checks(checkpoint: Checkpoint, artifact: Artifact, tolerance: float = TOLERANCE) -> tuple[TensorCheck, ...]:
    """The notebook's checks: one random image and a batch of four, from the fixed seed, through both files."""
    old, new = (open_session(s, threads=settings().threads) for s in (checkpoint, artifact))
    rng = np.random.default_rng(settings().seed)
    checks = []
    for name, n in RANDOM_INPUTS:
        images: Images = rng.standard_normal((n, 3, *checkpoint.input_px)).astype(np.float32)
        classes = len(checkpoint.classes)
        before = run_session(old, images, classes, checkpoint.id)
        after = run_session(new, images, classes, artifact.id)
        checks.append(check_tensors(name, before, after, tolerance))
    return tuple(checks)


def check_tensors(name: str, before: Logits, after: Logits, tolerance: float) -> TensorCheck:
    """Two sets of logits (N, classes) of the same inputs, compared as the notebook does."""
    gap = np.abs(before.astype(np.float64) - after)
    return TensorCheck(
        name=name,
        inputs=len(before),
        max_abs_diff=float(gap.max()),
        mean_abs_diff=float(gap.mean()),
        predictions_match=bool((before.argmax(axis=1) == after.argmax(axis=1)).all()),
        tolerance=tolerance,
        outputs_match=bool(gap.max() < tolerance),
    )


def find_flips(before: Predictions, after: Predictions) -> tuple[Flip, ...]:
    """Every picture whose answer changed, the largest lost margin first."""
    old, new = before.answers, after.answers
    found = [
        Flip(
            image=before.hashes[i],
            label=int(before.labels[i]) if before.labels[i] >= 0 else None,
            before=int(old[i]),
            after=int(new[i]),
            margin=float(before.logits[i, old[i]] - before.logits[i, new[i]]),
        )
        for i in np.flatnonzero(old != new)
    ]
    return tuple(sorted(found, key=lambda flip: -flip.margin))


def psnr_db(before: Logits, after: Logits) -> float | None:
    """Peak signal-to-noise ratio of the logits in dB; the peak is the range of the reference. None = identical outputs.

    10 log10(range**2 / mean squared error), ITU-T J.144's definition with the signal's own range for the peak.
    """
    reference = before.astype(np.float64)
    error = float(((reference - after) ** 2).mean())
    peak = float(np.ptp(reference))
    if error == 0 or peak == 0:
        return None
    return 10 * math.log10(peak**2 / error)


def judge_sameness(
    checks: Sequence[TensorCheck], images: int, flips: int, max_abs_diff: float, p: float | None, tolerance: float
) -> tuple[Sameness, str]:
    """The verdict and its reason.

    Args:
        images: pictures compared. flips: of these, how many answers changed. max_abs_diff: in logits, over them.
        p: McNemar's p-value of the accuracy change; None without labels.
    """
    inputs = sum(c.inputs for c in checks)
    if max_abs_diff < tolerance and all(c.outputs_match for c in checks):
        found = (
            f"differ by at most {max_abs_diff:.1e}, below the tolerance of {tolerance:.0e}" if max_abs_diff else "are identical"
        )
        return "same", f"The logits of {images} images and {inputs} random inputs {found}."
    agreement = wilson_interval(images - flips, images)
    share = f"95 % interval of the share: {agreement.low:.1%} to {agreement.high:.1%}"
    said = f"{images - flips} of {images} answers are equal ({share})"
    limit = f"the {AGREEMENT_LIMIT:.0%} that the same model needs"
    if agreement.high < AGREEMENT_LIMIT:
        return "different", f"{said}, surely below {limit}. Look at the changed images, or convert at a higher precision."
    if p is not None and p < SIGNIFICANCE:
        return "different", f"{said}, but the accuracy changed by more than chance explains (McNemar p = {p:.3f})."
    broken = [c.name for c in checks if not c.predictions_match]
    if broken:
        return "unknown", f"{said}, yet the answers to random input ({', '.join(broken)}) changed. Verify on more images."
    if agreement.low < AGREEMENT_LIMIT:
        return "unknown", f"{said}: too few images to tell whether it reaches {limit}. Verify on a larger split."
    return "same", f"{said}, surely at least {limit}; the largest difference of a logit is {max_abs_diff:.1e}."


def _compare(
    checkpoint: Checkpoint,
    artifact: Artifact,
    data: Dataset,
    before: Predictions,
    after: Predictions,
    checks: tuple[TensorCheck, ...],
    tolerance: float,
    made: Provenance,
) -> Verification:
    gap = np.abs(before.logits.astype(np.float64) - after.logits)
    flips = find_flips(before, after)
    labelled = before.labelled
    old, new = before.correct[labelled], after.correct[labelled]
    p = mcnemar(int((old & ~new).sum()), int((~old & new).sum())) if labelled.any() else None
    verdict, reason = judge_sameness(checks, len(data), len(flips), float(gap.max()), p, tolerance)
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
        psnr_db=psnr_db(before.logits, after.logits),
        accuracy_before=float(old.mean()) if labelled.any() else None,
        accuracy_after=float(new.mean()) if labelled.any() else None,
        mcnemar_p=p,
        checks=checks,
        flips=flips,
        verdict=verdict,
        reason=reason,
        made=made,
        warnings=_warnings(data),
    )


def _warnings(data: Dataset) -> tuple[str, ...]:
    if data.ref.source != "sample":
        return ()
    return (
        f"Compared on the {len(data)} drawn pictures of the sample pack. Set UDACISENSE_DATA_DIR or download CIFAR-100 and "
        "verify again for evidence on real photographs.",
    )
