"""The verdicts of a verification, in three values with their reasons.

*Same* (shown as "Equivalent"): every logit agrees within the tolerance, or the 95 % Wilson interval of the share of equal
answers lies above `agreement_limit` and the accuracy is not seen to change. *Different* ("Not equivalent"): the interval lies
below the limit, or the accuracy changed. *Unknown* ("Inconclusive"): too few images, and the reason says how many would do.
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
from udacisense.number_format import count, percent, percent_range, points, points_range
from udacisense.types import TOLERANCE, Equivalence, Precision, Status, TensorCheck, Verification
from udacisense.verify.inputs import GOLDEN, input_name

AGREEMENT_LIMIT = 0.99
"""Share of equal answers that makes two files equivalent where their logits differ by more than the rounding of floats."""
ACCURACY_LIMIT = 0.01
"""Largest change of the accuracy, up or down, that an equivalent file may show: the course's 1 percentage point."""
SIGNIFICANCE = 0.05
FLOATS: tuple[Precision, ...] = ("fp32", "fp16")


def agreement_limit(precision: Precision) -> float:
    """The share of equal answers required for equivalence: AGREEMENT_LIMIT in floats, the recipe search's in coarser numbers.

    An int8 or palettised file turns near-ties by its nature; it is held to the share of its recipe search, on other images.
    """
    return AGREEMENT_LIMIT if precision in FLOATS else MIN_AGREEMENT


def judge_equivalence(
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
    share = f"{percent(agreement.value)}, 95 % CI {percent_range(agreement)}"
    said = f"{count(images - flips)} of {count(images)} answers are equal ({share})"
    needed = agreement_limit(precision)
    limit = f"the {percent(needed, 0)} required for {precision}"
    if agreement.high < needed:
        return "different", f"{said}: below {limit}. Look at the changed images, or convert at a higher precision."
    if p is not None and p < SIGNIFICANCE:
        return "different", f"{said}, but the accuracy changed significantly (McNemar p = {p:.3f})."
    broken = [c.name for c in checks if not c.predictions_match]
    if broken and precision in FLOATS:  # a coarser file may answer noise otherwise, which is no evidence about images
        return "unknown", f"{said}, but the answers to other inputs ({', '.join(broken)}) changed. Verify on more images."
    if agreement.low < needed:
        return (
            "unknown",
            f"{said}: the interval includes {limit}. {_more(agreement.value, images, needed)}",
        )
    return "same", f"{said}: above {limit}. Max logit difference {max_abs_diff:.3g}."


def reason_of(record: Verification, precision: Precision) -> str:
    """The reason for a record's verdict in the words of this version, from the record's figures.

    Where these figures give another verdict by today's limits, the reason on record stands, for it is the verdict's own.
    """
    tolerance = record.tolerance or next((c.tolerance for c in record.checks), TOLERANCE)
    verdict, reason = judge_equivalence(
        record.checks, record.images, len(record.flips), record.max_abs_diff, record.mcnemar_p, tolerance, precision
    )
    return reason if verdict == record.verdict else record.reason


def _inputs(checks: Sequence[TensorCheck]) -> str:
    random = sum(c.inputs for c in checks if input_name(c) != GOLDEN)
    golden = sum(c.inputs for c in checks if input_name(c) == GOLDEN)
    named = ((random, "random image"), (golden, "golden image"))
    return " and ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in named if n)


def _more(share: float, images: int, limit: float) -> str:
    needed = images_to_tell_share(share, limit)
    if needed is None:
        return "The share lies at that limit itself, so more images like these would not decide. Look at the changed images."
    further = max(needed - images, 1)
    return f"Verify on a larger split: needs about {further:,} more images at this share."


def judge_accuracy(lost: int, won: int, images: int, limit: float = ACCURACY_LIMIT) -> tuple[Status, Estimate, str]:
    """Verdict on the change of accuracy: pass or fail only where the whole interval lies on one side of the limit.

    Args:
        lost: images answered right before and wrong after. won: wrong before and right after. images: labelled images.
        limit: a fraction.

    Returns:
        The status, the change as a fraction with its 95 % paired bootstrap interval, and the reason.
    """
    change = accuracy_difference_of(lost, won, images)
    said = f"Accuracy changed by {points(change.value)} on {count(images)} images (95 % CI {points_range(change)})"
    words = f"{limit * 100:g} pp"
    if max(abs(change.low), abs(change.high)) < limit:
        return "pass", change, f"{said}: within {words}."
    if change.low >= limit or change.high <= -limit:
        return "fail", change, f"{said}: more than the {words} allowed. Look at the images that it lost."
    further = further_images(lost, won, images, limit if won >= lost else -limit)
    return "unknown", change, f"{said}: the interval includes the limit of {words}. {further}"


def accuracy_verdict(record: Verification) -> tuple[Status | None, str]:
    """`judge_accuracy` of a record; None where it holds nothing to judge, with the reason."""
    found = record.measures
    if record.accuracy_before is None:
        return None, "The images have no labels, so the agreement was measured and the accuracy was not."
    if found is None or found.lost is None or found.won is None:
        return None, "This record was made before the accuracy interval was measured. Verify again to measure it."
    images = sum(c.images for c in found.per_class if c)
    status, _, reason = judge_accuracy(found.lost, found.won, images)
    return status, reason


def further_images(lost: int, won: int, images: int, limit: float) -> str:
    """Sentence on the number of further labelled images that would decide; the limit is a fraction with its sign."""
    needed = images_to_tell_change(lost, won, images, limit)
    if needed is None:
        return "The change lies at the limit itself, so no number of images would decide."
    if needed <= images:  # the estimate is reached, and chance had it that the interval still holds the limit
        return "Needs a few more labelled images."
    return f"Needs about {needed - images:,} more labelled images (80 % power)."
