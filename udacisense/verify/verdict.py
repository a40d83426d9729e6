"""The verdicts of a verification, in three values with their reasons.

*Same*: every logit agrees within the tolerance, or the share of equal answers is surely at least `agreement_limit` and the
accuracy is not seen to change. *Different*: the share is surely lower, or the accuracy changed. *Unknown*: the images are too
few to tell, and the reason says how many would do. "Surely" is the 95 % Wilson interval.
"""

from __future__ import annotations

from collections.abc import Sequence

from udacisense.conversion.recipe_search import MIN_AGREEMENT
from udacisense.metrics.stats import (
    Estimate,
    accuracy_difference_of,
    images_to_tell_change,
    images_to_tell_share,
    wilson_interval,
)
from udacisense.number_format import percent, percent_range, points, points_range
from udacisense.types import Equivalence, Precision, Status, TensorCheck, Verification
from udacisense.verify.inputs import GOLDEN

AGREEMENT_LIMIT = 0.99
"""Share of equal answers that makes two files the same model where their logits differ by more than the rounding of floats."""
ACCURACY_LIMIT = 0.01
"""Largest change of the accuracy, up or down, that the same model may show: the course's 1 percentage point."""
SIGNIFICANCE = 0.05
FLOATS: tuple[Precision, ...] = ("fp32", "fp16")


def agreement_limit(precision: Precision) -> float:
    """The share of equal answers that the same model needs: AGREEMENT_LIMIT in floats, the ladder's limit in coarser numbers.

    An int8 or palettised file turns near-ties by its nature; it is held to its ladder's share, on other images.
    """
    return AGREEMENT_LIMIT if precision in FLOATS else MIN_AGREEMENT


def judge_sameness(
    checks: Sequence[TensorCheck],
    images: int,
    flips: int,
    max_abs_diff: float,
    p: float | None,
    tolerance: float,
    precision: Precision = "fp32",
) -> tuple[Equivalence, str]:
    """The verdict and its reason.

    Args:
        images: images compared. flips: of these, how many answers changed. max_abs_diff: in logits, over them.
        p: McNemar's p-value of the accuracy change; None without labels.
    """
    if max_abs_diff < tolerance and all(c.outputs_match for c in checks):
        found = (
            f"differ by at most {max_abs_diff:.1e}, below the tolerance of {tolerance:.0e}" if max_abs_diff else "are identical"
        )
        also = f" and of {_inputs(checks)}" if checks else ""
        return "same", f"The logits of {images} images{also} {found}."
    agreement = wilson_interval(images - flips, images)
    share = f"95 % interval of the share: {percent_range(agreement)} %"
    said = f"{images - flips} of {images} answers are equal ({share})"
    needed = agreement_limit(precision)
    limit = f"the {percent(needed, 0)} that the same model needs in {precision}"
    if agreement.high < needed:
        return "different", f"{said}, surely below {limit}. Look at the changed images, or convert at a higher precision."
    if p is not None and p < SIGNIFICANCE:
        return "different", f"{said}, but the accuracy changed by more than chance explains (McNemar p = {p:.3f})."
    broken = [c.name for c in checks if not c.predictions_match]
    if broken and precision in FLOATS:  # a coarser file may answer noise otherwise, which is no evidence about images
        return "unknown", f"{said}, yet the answers to other input ({', '.join(broken)}) changed. Verify on more images."
    if agreement.low < needed:
        return (
            "unknown",
            f"{said}: not enough evidence to tell whether it reaches {limit}. {_more(agreement.value, images, needed)}",
        )
    return "same", f"{said}, surely at least {limit}; the largest difference of a logit is {max_abs_diff:.1e}."


def _inputs(checks: Sequence[TensorCheck]) -> str:
    random = sum(c.inputs for c in checks if c.name != GOLDEN)
    golden = sum(c.inputs for c in checks if c.name == GOLDEN)
    named = ((random, "random image"), (golden, "golden image"))
    return " and ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in named if n)


def _more(share: float, images: int, limit: float) -> str:
    needed = images_to_tell_share(share, limit)
    if needed is None:
        return "The share lies at that limit itself, so more of the same would not tell. Look at the changed images."
    further = max(needed - images, 1)
    return f"Verify on a larger split: about {further:,} further images would decide it, if the share stays as it is."


def judge_accuracy(lost: int, won: int, images: int, limit: float = ACCURACY_LIMIT) -> tuple[Status, Estimate, str]:
    """Whether the accuracy stays within the limit up or down: pass and fail only where the whole interval says so.

    Args:
        lost: images answered right before and wrong after. won: wrong before and right after. images: labelled images.
        limit: a fraction.

    Returns:
        The status, the change as a fraction with its 95 % paired bootstrap interval, and the reason.
    """
    change = accuracy_difference_of(lost, won, images)
    said = f"Accuracy changed by {points(change.value)} on {images:,} images (95 % interval {points_range(change)})"
    words = f"{limit * 100:g} pp"
    if max(abs(change.low), abs(change.high)) < limit:
        return "pass", change, f"{said}: surely within {words}."
    if change.low >= limit or change.high <= -limit:
        return "fail", change, f"{said}: surely by {words} or more. Look at the images that it lost."
    further = further_images(lost, won, images, limit if won >= lost else -limit)
    return "unknown", change, f"{said}: not enough evidence to tell whether it stays within {words}. {further}"


def accuracy_verdict(record: Verification) -> tuple[Status | None, str]:
    """`judge_accuracy` of a record; None where it holds nothing to judge, with the reason."""
    found = record.measures
    if record.accuracy_before is None:
        return None, "The images have no labels, so agreement is known and accuracy is not."
    if found is None or found.lost is None or found.won is None:
        return None, "This record is older than the interval of the accuracy. Verify again to have it judged."
    images = sum(c.images for c in found.per_class if c)
    status, _, reason = judge_accuracy(found.lost, found.won, images)
    return status, reason


def further_images(lost: int, won: int, images: int, limit: float) -> str:
    """How many further labelled images would decide on which side of the limit (a fraction with its sign) the change lies."""
    needed = images_to_tell_change(lost, won, images, limit)
    if needed is None:
        return "The change lies at the limit itself, so no number of images would tell."
    if needed <= images:  # the estimate is reached, and chance had it that the interval still holds the limit
        return "A few further labelled images like these would decide it."
    return f"About {needed - images:,} further labelled images like these would decide it, with a chance of 80 %."
