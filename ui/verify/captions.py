"""Captions of the charts of the Verify page: one sentence each, from the record that the chart shows. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udacisense.metrics.logits import gaps
from udacisense.number_format import count, percent
from udacisense.types import Flip, Localisation, Measures, Verification
from udacisense.verify import input_name, split


def kinds(found: Sequence[Flip]) -> str:
    """Number of near-ties and of real breaks among the changed answers."""
    breaks, ties = split(tuple(found))
    if not found:
        return "No image changed its answer."
    return (
        f"{count(len(breaks), 'real break')} and {count(len(ties), 'near-tie')}. On a near-tie the checkpoint "
        "gave its own answer less than twice the probability of the new one."
    )


def classes(found: Measures, names: Sequence[str]) -> str:
    """Classes with the largest loss and the largest gain of accuracy."""
    change = [(c.accuracy_after - c.accuracy_before, name, c) for name, c in zip(names, found.per_class, strict=True) if c]
    if not change:
        return "Accuracy by class: not measured, for the images have no labels."
    lost, won = [c for c in change if c[0] < 0], [c for c in change if c[0] > 0]
    if not lost and not won:
        return f"Accuracy unchanged in all {len(change)} classes."
    parts = [f"{len(lost)} of {len(change)} classes lost accuracy and {len(won)} gained"]
    for word, (points, name, c) in (("most lost", min(change)), ("most gained", max(change))):
        if (points < 0) == (word == "most lost") and points:
            parts.append(
                f"{word}: {name}, {percent(c.accuracy_before)} to {percent(c.accuracy_after)} of {count(c.images, 'image')}"
            )
    return "; ".join(parts) + "."


def confusion(found: Measures, names: Sequence[str]) -> str:
    """The confusion of two classes that grew most."""
    change = np.array(found.confusion_after) - np.array(found.confusion_before)
    if not change.any():
        return "Confusions unchanged."
    np.fill_diagonal(change, 0)
    true, answer = (int(i) for i in np.unravel_index(change.argmax(), change.shape))
    more = int(change[true, answer])
    if more <= 0:
        return "No confusion became more frequent."
    images = sum(found.confusion_before[true])
    return f"Largest increase: {names[true]} answered as {names[answer]}, {more:+d} of {images:,}."


def distribution(before: np.ndarray, after: np.ndarray) -> str:
    """Median, 99th percentile and maximum of the logit differences, with the range of the checkpoint's logits."""
    apart = gaps(before, after)
    if not apart.any():
        return "No logit differs."
    half, most = np.percentile(apart, [50, 99])
    return (
        f"Difference of {apart.size:,} logits: median {half:.3g}, P99 {most:.3g}, max {apart.max():.3g} "
        f"(logit range of the checkpoint {np.ptp(before):.3g})."
    )


def inputs(record: Verification) -> str:
    """The inputs whose logits stay within the tolerance, and those beyond it."""
    if not record.checks:
        return "This record holds no random inputs."
    tolerance = record.checks[0].tolerance
    sides = ((True, f"Within the tolerance of {tolerance:g}"), (False, "beyond it"))
    parts = []
    for within, word in sides:
        named = [f"{input_name(c)} ({count(c.inputs, 'image')})" for c in record.checks if c.outputs_match == within]
        if named:
            parts.append(f"{word}: {', '.join(named)}")
    text = "; ".join(parts)
    return f"{text.replace('beyond it', f'Beyond the tolerance of {tolerance:g}') if len(parts) == 1 else text}."


def largest(record: Verification) -> str:
    """The max logit difference on test images, of a file that is not held to the tolerance."""
    return (
        f"Max logit difference on test images: {record.max_abs_diff:.3g}. No tolerance applies at this precision: "
        "the verdict rests on the share of equal answers."
    )


def layers(record: Localisation) -> str:
    """The comparison's own reason, which is one sentence or two."""
    return record.reason
