"""Flips: the images whose answer changed, with the margins and the top classes of both files."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from udacisense.errors import NotFoundError, StoreError
from udacisense.evaluation.predictions import Predictions, kept_predictions
from udacisense.metrics import logits as measure
from udacisense.types import Flip, Verification

NEAR_TIE = math.log(2)
"""Margin in logits below which a flip is a near-tie.

A margin is the logarithm of how many times likelier the checkpoint held its answer than the one that took its place. Below
twice as likely it had hardly chosen, and any rounding may turn the answer. The limit does not depend on the file, so that a
coarse file cannot excuse its breaks by its own noise.
"""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class TopK:
    """The likeliest classes of both files for one image, as (class, probability), likeliest first."""

    before: tuple[tuple[int, float], ...]
    after: tuple[tuple[int, float], ...]


def find_flips(before: Predictions, after: Predictions) -> tuple[Flip, ...]:
    """Every image whose answer changed, the largest lost margin first."""
    old, new = before.answers, after.answers
    found = [
        Flip(
            image=before.hashes[i],
            label=int(before.labels[i]) if before.labels[i] >= 0 else None,
            before=int(old[i]),
            after=int(new[i]),
            margin=float(before.logits[i, old[i]] - before.logits[i, new[i]]),
            margin_after=float(after.logits[i, new[i]] - after.logits[i, old[i]]),
        )
        for i in np.flatnonzero(old != new)
    ]
    return tuple(sorted(found, key=lambda flip: -flip.margin))


def is_near_tie(flip: Flip) -> bool:
    """Whether the checkpoint itself had hardly chosen (see NEAR_TIE); otherwise the flip is a real break."""
    return flip.margin < NEAR_TIE


def split(flips: tuple[Flip, ...]) -> tuple[tuple[Flip, ...], tuple[Flip, ...]]:
    """Real breaks and near-ties, each in the order given."""
    ties = tuple(f for f in flips if is_near_tie(f))
    return tuple(f for f in flips if not is_near_tie(f)), ties


def logits_of(record: Verification) -> tuple[Predictions, Predictions] | None:
    """The raw answers behind a verification, checkpoint's and artifact's; None where they are not on this machine."""
    try:
        pair = tuple(kept_predictions(s, record.spec, record.data) for s in (record.checkpoint_sha256, record.artifact_sha256))
    except (NotFoundError, StoreError):
        return None
    before, after = pair
    return (before, after) if before.hashes == after.hashes else None


def top_classes(before: Predictions, after: Predictions, flips: tuple[Flip, ...]) -> dict[str, TopK]:
    """The three likeliest classes of both files for each flip that the answers hold, by the image's id."""
    place = {name: i for i, name in enumerate(before.hashes)}
    known = [f.image for f in flips if f.image in place]
    rows = [place[image] for image in known]
    if not rows:
        return {}
    sides = [_likeliest(side, rows) for side in (before, after)]
    return {image: TopK(old, new) for image, old, new in zip(known, *sides, strict=True)}


def _likeliest(side: Predictions, rows: list[int]) -> list[tuple[tuple[int, float], ...]]:
    chosen = side.logits[rows]
    shares, best = measure.probabilities(chosen), measure.top(chosen, SHOWN)
    return [tuple((int(c), float(shares[i, c])) for c in classes) for i, classes in enumerate(best)]
