"""The ladder: what a recipe's file measured on validation images, and whether that is good enough to stop climbing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udacisense.number_format import percent
from udacisense.types import ConversionRecipe, RecipeTrial

MIN_AGREEMENT = 0.96
"""Share of validation images that a smaller file must answer as its checkpoint does."""
MAX_LOSS = 0.01
"""Accuracy on validation images that it may lose, as a fraction."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A file beside its checkpoint on the validation images."""

    images: int
    agreement: float
    top1: float | None  # None = no validation image has a label of this model
    top1_checkpoint: float | None
    latency_s: float
    latency_fp32_s: float | None  # the fp32 file's of the same format, timed in turn with it


def judge_rung(recipe: ConversionRecipe, size_bytes: int, found: Measured) -> RecipeTrial:
    """Trial of a measured file: passed if it agrees often enough and loses little accuracy."""
    loss = None if found.top1 is None or found.top1_checkpoint is None else found.top1_checkpoint - found.top1
    wrong = []
    if found.agreement < MIN_AGREEMENT:
        wrong.append(f"agrees on {percent(found.agreement)}, {percent(MIN_AGREEMENT)} is needed")
    if loss is not None and loss > MAX_LOSS:
        wrong.append(f"loses {100 * loss:.1f} points of accuracy, {100 * MAX_LOSS:.1f} are allowed")
    good = f"agrees on {percent(found.agreement)} of {found.images} validation images and {_change(loss)}"
    return RecipeTrial(
        recipe=recipe.name,
        what=recipe.what,
        size_bytes=size_bytes,
        agreement=found.agreement,
        top1=found.top1,
        top1_checkpoint=found.top1_checkpoint,
        latency_s=found.latency_s,
        latency_fp32_s=found.latency_fp32_s,
        passed=not wrong,
        reason="; ".join(wrong) or good,
    )


def failed_rung(recipe: ConversionRecipe, why: str) -> RecipeTrial:
    """Trial of a recipe whose file could not be written or run."""
    return RecipeTrial(recipe.name, recipe.what, None, None, None, None, None, None, False, why)


def best(trials: Sequence[RecipeTrial]) -> int | None:
    """Index of the trial to keep: the first that passed, else the one that agrees most; None if none wrote a file."""
    passed = [i for i, trial in enumerate(trials) if trial.passed]
    if passed:
        return passed[0]
    written = [i for i, trial in enumerate(trials) if trial.agreement is not None]
    return max(written, key=lambda i: trials[i].agreement or 0.0) if written else None


def _change(loss: float | None) -> str:
    if loss is None:
        return "none of them has a label, so accuracy was not compared"
    if abs(loss) < 0.0005:
        return "keeps the accuracy"
    return f"{'loses' if loss > 0 else 'gains'} {100 * abs(loss):.1f} points of accuracy"
