"""Accuracy against a reference on the same images, as a change and as a loss."""

from __future__ import annotations

from functools import partial

import numpy as np

from udacisense.errors import StoreError
from udacisense.evaluation.predictions import load_predictions
from udacisense.metrics.stats import accuracy_difference_of
from udacisense.number_format import count, percent, points, points_range
from udacisense.readiness.measures.measure import RUN, Measure, Measurement
from udacisense.records import queries
from udacisense.types import Artifact, Checkpoint, Evaluation
from udacisense.verify import further_images


def accuracy(artifact: Artifact, reference: Checkpoint, sign: float) -> Measurement:
    """Accuracy of the artifact minus that of its reference, times `sign`, in percentage points.

    Args:
        sign: 1 holds the size of the change against the limit; -1 holds the loss, so that a gain is never too large.
    """
    pair = queries.evaluated_on_the_same_images(artifact.sha256, reference.sha256)
    if pair is None:
        commands = f"{RUN} evaluate {artifact.id} and {RUN} evaluate {reference.id}"
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
        f"Top-1 on {count(new.images)} {new.data.split} images is {percent(new.top1)} against {percent(old.top1)} of "
        f"{reference.id}: {points(change.value)} (95 % CI {points_range(change)}).",
        measured=value,
        interval=(low, high),
        judged=unsigned if sign > 0 else None,
        evidence=evidence,
        data=new.data,
        doubt=doubt_about(new),
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


def doubt_about(evaluation: Evaluation) -> str:
    """Why figures of an evaluation prove nothing, and what to do; empty where they count."""
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


ACCURACY_CHANGE = Measure(
    "accuracy_change",
    "Accuracy change",
    "How far top-1 lies from the reference's on the same images, up or down.",
    "pp",
    "evaluate",
    partial(accuracy, sign=1.0),
    "below",
    (0.0, 100.0),
    ("checkpoint", "baseline"),
)
ACCURACY_LOSS = Measure(
    "accuracy_loss",
    "Accuracy loss",
    "How much lower top-1 is than the reference's on the same images; a gain is a loss below 0.",
    "pp",
    "evaluate",
    partial(accuracy, sign=-1.0),
    "below",
    (-100.0, 100.0),
    ("checkpoint", "baseline"),
)
