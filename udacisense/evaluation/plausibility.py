"""Evaluations that cannot be what they seem: a model that guesses, one that knows a class by another's name, too few images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udacisense.metrics.stats import wilson_interval
from udacisense.number_format import percent

FEWEST_OF_A_CLASS = 10
"""Images of a class from which on it means something that none was answered right."""
WIDEST = 0.10
"""Half of a 95 % interval of the accuracy beyond which the images tell little."""
GAINED, REACHED = 0.25, 0.5
"""What other names for the answers must gain in accuracy, and reach, before they are believed."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that an evaluation's confusion matrix cannot be explained by a model that works."""

    said: str  # a sentence, and what to do
    of_labels: bool  # whether it questions the class names that an app would show


def doubts(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> tuple[Doubt, ...]:
    """What is doubtful in a confusion matrix (rows true, columns answered).

    Args:
        classes: the name of each row and column.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    images, right = int(counts.sum()), int(np.trace(counts))
    if not images:
        return ()
    order = _order(counts, classes)
    found = [order] if order else [*_guesses(right, images, len(classes)), *_never(counts, classes)]
    return (*found, *_few(right, images))


def _order(counts: Counts, classes: Sequence[str]) -> Doubt | None:
    """Whether the answers fit far better when they are given other classes' names."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(counts, maximize=True)
    images, right, better = counts.sum(), np.trace(counts), counts[rows, columns].sum()
    if better - right < GAINED * images or better < REACHED * images:
        return None
    meant = [classes[row] for row in np.argsort(columns)]
    names = "the alphabetical order" if meant == sorted(classes) else f"the order {', '.join(meant)}"
    return Doubt(
        f"The answers fit {names} of the classes: with it {percent(better / images)} of the images are right, and "
        f"{percent(right / images)} with the order that was used. Most likely the class names are in the wrong order. "
        "Write them in the order of the network's outputs.",
        of_labels=True,
    )


def _guesses(right: int, images: int, classes: int) -> list[Doubt]:
    if wilson_interval(right, images).low > 1 / classes:
        return []
    chance = f"{percent(right / images)} right of {images:,} images is what guessing among {classes} classes gives"
    return [Doubt(f"{chance}. Check preprocessing, class names and weights before anything else.", of_labels=True)]


def _never(counts: Counts, classes: Sequence[str]) -> list[Doubt]:
    lost = [i for i, row in enumerate(counts) if row.sum() >= FEWEST_OF_A_CLASS and not row[i]]
    if not lost:
        return []
    named = ", ".join(f"{classes[i]} (0 of {counts[i].sum():,})" for i in lost)
    return [Doubt(f"Never answered right: {named}. Check that class's name and its training images.", of_labels=True)]


def _few(right: int, images: int) -> list[Doubt]:
    share = wilson_interval(right, images)
    if (share.high - share.low) / 2 <= WIDEST:
        return []
    known = f"{images:,} images leave the accuracy between {percent(share.low)} and {percent(share.high)} (95 % CI)"
    return [Doubt(f"{known}. Evaluate on more images.", of_labels=False)]
