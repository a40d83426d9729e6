"""Did a machine slow down under load? The change point of a run, and its first minute against its steady state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from udacisense.metrics.stats import independent, median
from udacisense.number_format import change_percent, percent
from udacisense.types import Benchmark

Course = Literal["steady", "slower", "faster", "unknown"]

MIN_FOR_COURSE = 12
"""Fewest blocks for a verdict on the course of a run."""
MATTERS = 0.03
"""A change of less than this share is told, but is no drift."""
CERTAIN_P = 0.01
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Change point of a series: the place where its level changed most, if it did."""

    at: int  # number of values before the change
    p: float  # chance of as large a change in a series without one


@dataclass(frozen=True, slots=True)
class Drift:
    """The course of one run."""

    course: Course
    change_at_s: float | None  # seconds after the start of the load; None = no change point
    first_s: float | None  # median of the first minute's runs, seconds (or of the blocks before the change)
    steady_s: float | None  # median of the last third's runs
    change: float | None  # steady over first, minus 1
    reason: str


def change_point(values: Sequence[float]) -> ChangePoint:
    """Pettitt's rank test: "A Non-Parametric Approach to the Change-Point Problem", Applied Statistics 1979.

    p = 2 exp(-6 K**2 / (n**3 + n**2)), with n lowered to what a series of neighbours that resemble each other is worth.

    Raises:
        ValueError: fewer than two values.
    """
    series = np.asarray(values, dtype=np.float64)
    n = series.size
    if n < 2:
        raise ValueError(f"a change needs at least two values, got {n}")
    signs = np.sign(series[:, None] - series[None, :])
    u = np.array([signs[:t, t:].sum() for t in range(1, n)])
    at = int(np.abs(u).argmax()) + 1
    worth = _worth_within(series, at)
    k = float(np.abs(u).max()) * (worth / n) ** 1.5
    return ChangePoint(at, min(1.0, 2 * math.exp(-6 * k * k / (worth**3 + worth**2))))


def _worth_within(series: NDArray[np.float64], at: int) -> float:
    """How many independent values the two stretches are worth, each around its own level."""
    apart = np.concatenate([series[:at] - np.median(series[:at]), series[at:] - np.median(series[at:])])
    return max(independent(apart), 3.0)


def drift(bench: Benchmark) -> Drift:
    """The verdict on the course of one benchmark: steady, slower, faster, or unknown where blocks are too few."""
    levels = [median(block) for block in bench.blocks_s if block]
    began = _began(bench)
    if len(levels) < MIN_FOR_COURSE:
        return Drift(
            "unknown", None, None, None, None, f"{len(levels)} blocks are too few to see a drift. Run the soak protocol."
        )
    found = change_point(levels)
    changed = found.p < CERTAIN_P
    early = (
        [s for s, at in zip(levels, began, strict=True) if at < MINUTE_S] if began[-1] > 2 * MINUTE_S else levels[: found.at]
    )
    first, steady = median(early), median(levels[-max(len(levels) // 3, 3) :])
    change = steady / first - 1
    course: Course = "steady" if not changed or abs(change) < MATTERS else "slower" if change > 0 else "faster"
    at_s = began[found.at] if changed else None
    return Drift(course, at_s, first, steady, change, _reason(course, at_s, change, began[-1]))


def _began(bench: Benchmark) -> list[float]:
    """When each block began, seconds after the first; of older records, the time that the blocks before it took."""
    if bench.conditions:
        start = bench.conditions[0].at_s
        return [c.at_s - start for c in bench.conditions]
    lengths = [math.fsum(block) for block in bench.blocks_s]
    return [math.fsum(lengths[:i]) for i in range(len(lengths))]


def _reason(course: Course, at_s: float | None, change: float, length_s: float) -> str:
    over = f"over {length_s:.0f} s"
    if course == "steady":
        small = f", which is under {percent(MATTERS, 0)}" if at_s is not None else ""
        return f"Steady {over}: the last third differs from the start by {change_percent(change)}{small}."
    return f"{course.capitalize()} by {percent(abs(change))} from {at_s or 0:.0f} s on, {over}: judge it by its steady state."
