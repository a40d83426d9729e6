"""Is one subject faster than another? Faster, slower, the same, or not enough evidence: from blocks timed in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from udacisense.stats import MIN_BLOCKS, Estimate, independent, log_ratios, ratio_interval
from udacisense.types import Benchmark

Speed = Literal["faster", "slower", "same", "unknown"]

FLOOR = 0.02
"""A difference counts when the whole interval lies beyond this share. Two processes of one file differ a little by where their
memory happens to lie, and no number of blocks can tell that away: Mytkowicz, Diwan, Hauswirth and Sweeney, "Producing Wrong
Data Without Doing Anything Obviously Wrong!", ASPLOS 2009. `selftest bench` says whether it is enough on a machine."""
SAME = 0.05
"""Two subjects take the same time when the whole interval lies within this share."""
FOLLOWERS = 0.3
"""Blocks that are worth less than this share of their number follow each other: something else changed during the run."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How long one subject takes against another, with a 95 % interval."""

    speed: Speed  # of the first against the second
    ratio: Estimate | None  # time of the first over that of the second; None = too few blocks
    blocks: int
    reason: str  # a sentence


def compare(first: Benchmark, second: Benchmark) -> Comparison:
    """Two subjects of one run, under one setting."""
    if first.run_id != second.run_id or first.setting != second.setting:
        return Comparison("unknown", None, 0, "They were not timed side by side in one run under one setting. Benchmark both.")
    return compare_blocks(first.blocks_s, second.blocks_s)


def compare_blocks(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> Comparison:
    """The same from blocks of times in seconds, block i beside block i."""
    n = min(len(first), len(second))
    if n < MIN_BLOCKS or len(first) != len(second):
        return Comparison(
            "unknown", None, n, f"{n} pairs of blocks are too few: an interval needs {MIN_BLOCKS}. Time them again."
        )
    ratio = ratio_interval(first, second)
    worth = independent(log_ratios(first, second))
    speed = speed_of(ratio)
    return Comparison(speed, ratio, n, _reason(speed, ratio, n, worth))


def speed_of(ratio: Estimate) -> Speed:
    """What the whole interval of a ratio of times says."""
    if ratio.low > 1 + FLOOR:
        return "slower"
    if ratio.high < 1 / (1 + FLOOR):
        return "faster"
    if ratio.low >= 1 / (1 + SAME) and ratio.high <= 1 + SAME:
        return "same"
    return "unknown"


def _reason(speed: Speed, ratio: Estimate, n: int, worth: float) -> str:
    figures = f"{ratio.value:.2f} times as long, 95 % interval {ratio.low:.2f} to {ratio.high:.2f} from {n} pairs of blocks"
    if speed == "unknown" and worth < FOLLOWERS * n:
        return (
            f"Not enough evidence: {figures}, which follow each other so closely that they are worth {worth:.0f}. "
            "Something else changed during the run: measure again on a quiet machine."
        )
    if speed == "unknown":
        return f"Not enough evidence: {figures}. Use a protocol with more rounds, or a quieter machine."
    words = {"faster": "Faster", "slower": "Slower", "same": f"The same within {SAME:.0%}"}
    return f"{words[speed]}: {figures}."
