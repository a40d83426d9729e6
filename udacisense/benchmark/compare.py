"""Comparison of the speed of two subjects: faster, slower, equal or inconclusive, from starts timed in turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from udacisense.benchmark.replication import MIN_STARTS, Ratio, ratio, ratio_of_starts
from udacisense.metrics.stats import Estimate
from udacisense.number_format import percent, ratio_range
from udacisense.types import Benchmark

Speed = Literal["faster", "slower", "same", "unknown"]

FLOOR = 0.02
"""A difference counts when the whole interval lies beyond this share: less matters to nobody, and it keeps wrong alarms far
below the 5 % that an interval of 95 % alone would give. `selftest bench` says what is left of them on a machine."""
SAME = 0.05
"""Two subjects take the same time when the whole interval lies within this share."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ratio of the times of two subjects, with a 95 % interval."""

    speed: Speed  # of the first against the second
    ratio: Estimate | None  # time of the first over that of the second; None = too few starts
    reason: str  # a sentence


def compare(first: Benchmark, second: Benchmark) -> Comparison:
    """Two subjects of one run, under one setting."""
    if first.run_id != second.run_id or first.setting != second.setting:
        return Comparison("unknown", None, "They were not timed side by side in one run under one setting. Benchmark both.")
    return _judged(ratio(first, second))


def compare_starts(logs: ArrayLike) -> Comparison:
    """The same from the logarithm of the ratio of times of each pair of starts."""
    return _judged(ratio_of_starts(logs))


def speed_of(ratio: Estimate) -> Speed:
    """Verdict on a ratio of times by its whole interval."""
    if ratio.low > 1 + FLOOR:
        return "slower"
    if ratio.high < 1 / (1 + FLOOR):
        return "faster"
    if ratio.low >= 1 / (1 + SAME) and ratio.high <= 1 + SAME:
        return "same"
    return "unknown"


def _judged(found: Ratio | None) -> Comparison:
    if found is None:
        few = f"Too few starts for an interval, which needs {MIN_STARTS}. Time them again."
        return Comparison("unknown", None, few)
    speed = speed_of(found.estimate)
    return Comparison(speed, found.estimate, _reason(speed, found))


def _reason(speed: Speed, found: Ratio) -> str:
    took = found.estimate
    figures = f"{took.value:.2f} times as long, 95 % interval {ratio_range(took)} from {found.origin}"
    if speed != "unknown":
        words = {"faster": "Faster", "slower": "Slower", "same": f"Equal within {percent(SAME, 0)}"}
        return f"{words[speed]}: {figures}."
    advice = (
        "Use a protocol with more starts, or a quieter machine." if found.repeated else "Time both again with this version."
    )
    return f"Inconclusive: {figures}. {advice}"
