"""One sentence above each chart of the Verify page, made from the record that the chart shows. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udacisense.labels import CLASSES
from udacisense.metrics.logits import gaps
from udacisense.number_format import count, percent
from udacisense.types import Flip, Localisation, Measures, Verification
from udacisense.verify import split


def kinds(found: Sequence[Flip]) -> str:
    """How many of the changed answers are near-ties and how many real breaks."""
    breaks, ties = split(tuple(found))
    if not found:
        return "No image changed its answer."
    return (
        f"{count(len(breaks), 'real break')} and {count(len(ties), 'near-tie')}: a near-tie is an image on which the "
        "checkpoint held its own answer less than twice as likely as the new one."
    )


def classes(found: Measures) -> str:
    """The class that lost most and the one that won most."""
    change = [(c.accuracy_after - c.accuracy_before, name, c) for name, c in zip(CLASSES, found.per_class, strict=True) if c]
    if not change:
        return "The images have no labels, so nothing is known by class."
    lost, won = [c for c in change if c[0] < 0], [c for c in change if c[0] > 0]
    if not lost and not won:
        return f"In none of {len(change)} classes did the accuracy change."
    parts = [f"{len(lost)} of {len(change)} classes lost accuracy and {len(won)} gained"]
    for word, (points, name, c) in (("most lost", min(change)), ("most gained", max(change))):
        if (points < 0) == (word == "most lost") and points:
            parts.append(
                f"{word}: {name}, {percent(c.accuracy_before)} to {percent(c.accuracy_after)} of {count(c.images, 'image')}"
            )
    return "; ".join(parts) + "."


def confusion(found: Measures) -> str:
    """The pair of class and answer that became more frequent by the largest number."""
    change = np.array(found.confusion_after) - np.array(found.confusion_before)
    if not change.any():
        return "Every class is answered exactly as before."
    np.fill_diagonal(change, 0)
    true, answer = (int(i) for i in np.unravel_index(change.argmax(), change.shape))
    more = int(change[true, answer])
    if more <= 0:
        return "No mistake became more frequent."
    images = sum(found.confusion_before[true])
    return f"The mistake that grew most: {CLASSES[true]} taken for {CLASSES[answer]}, {more:+d} of {images:,}."


def distribution(before: np.ndarray, after: np.ndarray) -> str:
    """Half, 99 of 100, and all of the logits: how far they moved at most, beside the range that they span."""
    apart = gaps(before, after)
    if not apart.any():
        return "No logit differs."
    half, most = np.percentile(apart, [50, 99])
    return (
        f"Half of all {apart.size:,} logits moved by less than {half:.2g}, 99 of 100 by less than {most:.2g}, none by more "
        f"than {apart.max():.2g}; the checkpoint's logits span {np.ptp(before):.3g}."
    )


def inputs(record: Verification) -> str:
    """Which of the small inputs stay within the tolerance, and which do not."""
    if not record.checks:
        return "This record holds no random inputs."
    tolerance = record.checks[0].tolerance
    sides = ((True, f"Within the tolerance of {tolerance:g}"), (False, "beyond it"))
    parts = []
    for within, word in sides:
        named = [f"{c.name} ({count(c.inputs, 'image')})" for c in record.checks if c.outputs_match == within]
        if named:
            parts.append(f"{word}: {', '.join(named)}")
    text = "; ".join(parts)
    return f"{text.replace('beyond it', f'Beyond the tolerance of {tolerance:g}') if len(parts) == 1 else text}."


def along(record: Localisation) -> str:
    """The search's own reason, which is one sentence or two."""
    return record.reason
