"""What one evaluation says beside its accuracy: the class that is recognised worst, and how far confidence misleads."""

from __future__ import annotations

from udacisense.errors import StoreError
from udacisense.evaluation.predictions import load_predictions
from udacisense.metrics.logits import calibration_estimate
from udacisense.metrics.stats import wilson_interval
from udacisense.number_format import count, in_unit, percent, percent_range
from udacisense.readiness.measures.accuracy import doubt_about
from udacisense.readiness.measures.measure import RUN, Measure, Measurement
from udacisense.records import queries
from udacisense.types import Artifact

MORE_IMAGES = "Evaluate on more images."


def worst_class(artifact: Artifact) -> Measurement:
    """Recall of the class that is recognised worst.

    The worst of ten is a pick, so each class has a Wilson interval at 95 % for all ten together (Bonferroni): the worst class
    of all images lies between the lowest low end and the lowest high end.
    """
    newest = queries.standing_evaluation(artifact.sha256)
    if newest is None:
        return _not_evaluated(artifact)
    counted = [(row[true], sum(row), newest.classes[true]) for true, row in enumerate(newest.confusion) if sum(row)]
    right, images, name = min(counted, key=lambda found: found[0] / found[1])
    each = [wilson_interval(hits, of, level=1 - 0.05 / len(counted)) for hits, of, _ in counted]
    low, high = 100 * min(e.low for e in each), 100 * min(e.high for e in each)
    return Measurement(
        f"The class recognised worst is {name}: {right} of {images} {newest.data.split} images, {percent(right / images)} "
        f"(95 % CI {in_unit(low, '%')} to {in_unit(high, '%')}, for all classes together).",
        measured=100 * right / images,
        interval=(low, high),
        evidence=(newest.id,),
        data=newest.data,
        doubt=doubt_about(newest),
        if_failed=f"Look at what {name} is taken for on the Benchmark page, then train or compress with more images of it.",
        if_unsure=MORE_IMAGES,
    )


def calibration_error(artifact: Artifact) -> Measurement:
    """Expected calibration error, from the logits that the evaluation kept."""
    newest = queries.standing_evaluation(artifact.sha256)
    if newest is None:
        return _not_evaluated(artifact)
    evidence = (newest.id,)
    try:
        kept = load_predictions(newest)
    except StoreError as exc:
        return Measurement(str(exc), evidence=evidence, data=newest.data)
    found = calibration_estimate(kept.logits, kept.labels)
    low, high = 100 * found.low, 100 * found.high
    return Measurement(
        f"Confidence and accuracy lie {in_unit(100 * found.value, 'pp')} pp apart on average, on {count(newest.images)} "
        f"{newest.data.split} images (95 % CI {percent_range(found)}).",
        measured=100 * found.value,
        interval=(low, high),
        evidence=evidence,
        data=newest.data,
        doubt=doubt_about(newest),
        if_failed="Convert at a higher precision, or scale the logits by a temperature before they are shown as probabilities.",
        if_unsure=MORE_IMAGES,
    )


def _not_evaluated(artifact: Artifact) -> Measurement:
    return Measurement(f"Not evaluated yet. Run: {RUN} evaluate {artifact.id}")


WORST_CLASS = Measure(
    "worst_class",
    "Recall of the worst class",
    "The share of its images that the class recognised worst is recognised on; the reason names the class.",
    "%",
    "evaluate",
    worst_class,
    "at_least",
    (0.0, 100.0),
)
CALIBRATION_ERROR = Measure(
    "calibration_error",
    "Calibration error",
    "How far confidence and accuracy lie apart on average: expected calibration error, 15 bins.",
    "pp",
    "evaluate",
    calibration_error,
    "below",
    (0.0, 100.0),
)
