"""Errors of a file's intermediate values against its reference's, layer by layer, and the first layer that diverges.

A value is found by what it holds, not by its name: converters rename, fold and reorder, but the output of a block is still
somewhere in the file, and of all values of its shape it is the one that comes closest. A place that has none, because it was
fused away, shows itself too: what comes after it agrees again, which a broken value could not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from udacisense.types import LayerGap, Precision

Array = NDArray[np.float32]

EXPECTED_DB: Mapping[Precision, float] = {"fp32": 100.0, "fp16": 50.0, "int8": 30.0, "palette6": 25.0}
"""What rounding to the precision leaves at least of a sound block's output, in dB.

One rounding costs what Oppenheim and Schafer, "Discrete-Time Signal Processing", say, 6.02 dB a bit: some 144 for fp32's 24
bits, 66 for fp16's 11, 48 for 8; a network adds dozens of them up.
"""
CLIFF_DB = 10.0
"""A fall by this much, ten times the noise power, at one block is no adding up of roundings."""
RETURN_DB = 20.0
"""A dip by this much that is gone at the next place: a broken value would have spoilt that too."""
STEP_DB = 3.0
"""Twice the noise power: less is what any step adds."""
MATCH_DB = 10.0
"""Below this a value is not recognised: the closest one may be any of its shape, so it gets no name."""


@dataclass(slots=True)
class _Sum:
    """Running sums of one value's error at one layer, over the images."""

    error: float = 0.0
    largest: float = 0.0


class Closest:
    """Adds up images, and keeps for each place of the reference how far every value of its shape is from it."""

    def __init__(self) -> None:
        self._signal: dict[str, float] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._sums: dict[str, dict[str, _Sum]] = {}

    def add(self, reference: Mapping[str, Array], values: Iterable[tuple[str, Array]]) -> None:
        """One image: the reference's values by place (1, ...), and the file's by its own names."""
        by_shape: dict[tuple[int, ...], list[str]] = {}
        for place, expected in reference.items():
            self._shapes[place] = expected.shape[1:]
            self._signal[place] = self._signal.get(place, 0.0) + power(expected)
            by_shape.setdefault(_shape(expected), []).append(place)
        for name, value in values:
            for found in _layouts(value):
                for place in by_shape.get(_shape(found), ()):
                    self._note(place, name, found.reshape(reference[place].shape) - reference[place])

    def _note(self, place: str, name: str, difference: Array) -> None:
        held = self._sums.setdefault(place, {}).setdefault(name, _Sum())
        held.error += power(difference)
        held.largest = max(held.largest, float(np.abs(difference).max(initial=0.0)))

    def gaps(self, places: Iterable[str]) -> tuple[LayerGap, ...]:
        """The closest value of each place, in the order given; a place without any value of its shape is left out."""
        return tuple(self._gap(place) for place in places if place in self._sums)

    def _gap(self, place: str) -> LayerGap:
        name, held = min(self._sums[place].items(), key=lambda item: item[1].error)
        ratio = sqnr_db(self._signal[place], held.error)
        known = ratio is None or ratio >= MATCH_DB
        return LayerGap(place, name if known else None, self._shapes[place], ratio, held.largest)


def _shape(value: Array) -> tuple[int, ...]:
    return tuple(n for n in value.shape if n != 1)


def _layouts(value: Array) -> tuple[Array, ...]:
    """The value as it is, and a channels-last one with its channels first."""
    return (value, value.transpose(0, 3, 1, 2)) if value.ndim == 4 and _shape(value) == value.shape[1:] else (value,)


def power(value: Array) -> float:
    """Sum of the squares."""
    return float(np.square(value, dtype=np.float64).sum())


def sqnr_db(signal: float, error: float) -> float | None:
    """Signal to quantisation noise ratio in dB, 10 log10(signal / error) of two powers; None where there is no error."""
    if error == 0:
        return None
    return 10 * math.log10(max(signal, 1e-30) / error)


def measure_gap(place: str, reference: Array, found: Array) -> LayerGap:
    """The gap of one place from its two values (N, ...), which may be flattened."""
    difference = found.reshape(reference.shape) - reference
    largest = float(np.abs(difference).max(initial=0.0))
    return LayerGap(place, None, reference.shape[1:], sqnr_db(power(reference), power(difference)), largest)


# --- what they say ------------------------------------------------------------------------------------------------------


def level(gap: LayerGap) -> float:
    """Its SQNR in dB; infinite where the values are identical."""
    return math.inf if gap.sqnr_db is None else gap.sqnr_db


def seen(gaps: Sequence[LayerGap]) -> tuple[LayerGap, ...]:
    """The gaps without the places that the file has no value for: a single dip, before and after which values agree."""
    kept = []
    for i, gap in enumerate(gaps):
        beside = [level(g) for g in (*gaps[i - 1 : i], *gaps[i + 1 : i + 2])]
        if i == len(gaps) - 1 or min(beside) < level(gap) + RETURN_DB or math.isinf(level(gap)):
            kept.append(gap)
    return tuple(kept)


def first_departure(gaps: Sequence[LayerGap], precision: Precision) -> LayerGap | None:
    """The first place that falls by a cliff below all before it and below what the precision leaves; None where none does."""
    lowest = EXPECTED_DB[precision]
    for gap in gaps:
        if level(gap) < lowest - CLIFF_DB:
            return gap
        lowest = min(lowest, level(gap))
    return None


def steepest(gaps: Sequence[LayerGap], precision: Precision, start: float = math.inf) -> tuple[LayerGap, float] | None:
    """The place with the largest fall in dB from the one before it, below what the precision leaves; None = none falls.

    Args:
        start: dB before the first place.
    """
    clamped = [min(db, EXPECTED_DB[precision]) for db in (start, *map(level, gaps))]
    falls = [(gap, before - after) for gap, (before, after) in zip(gaps, pairwise(clamped), strict=True)]
    return max((item for item in falls if item[1] > 0), key=lambda item: item[1], default=None)


def broken_step(inside: Sequence[LayerGap], precision: Precision, start: float) -> LayerGap | None:
    """Of the steps inside a block that diverges the one that falls most, from `start` dB on, if it doubles the noise power."""
    fall = steepest(inside, precision, start)
    return fall[0] if fall is not None and fall[1] >= STEP_DB else None


def bisect(places: Sequence[str], look: Callable[[str], LayerGap], precision: Precision) -> tuple[LayerGap, ...]:
    """The gaps of the places that halving the network has to look at, in its order: the last, then the first that diverges.

    What has departed does not come back, so the first that lies below the limit is found in about log2(places) looks.
    """
    limit = EXPECTED_DB[precision] - CLIFF_DB
    found = {len(places) - 1: look(places[-1])}
    low, high = -1, len(places) - 1  # departs at high, not at low
    if level(found[high]) < limit:
        while high - low > 1:
            middle = (low + high) // 2
            found[middle] = look(places[middle])
            low, high = (low, middle) if level(found[middle]) < limit else (middle, high)
    return tuple(found[i] for i in sorted(found))
