"""Statistics over several starts of a file: a measurement is replicated by starts of its process, not by runs inside one.

Two processes of one file differ for as long as they live, by where their memory lies and by what they share a core's caches
with. No number of runs inside one process shows that, so subjects are started again and again and an interval is made from one
figure for each start: Georges, Buytaert and Eeckhout, "Statistically Rigorous Java Performance Evaluation", OOPSLA 2007;
Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from udacisense.metrics.percentiles import percentile_interval
from udacisense.metrics.stats import (
    MIN_BLOCKS,
    Estimate,
    bootstrap_interval,
    log_ratios,
    mean,
    median,
    ratio_interval,
)
from udacisense.number_format import percent
from udacisense.types import Benchmark

MIN_STARTS = MIN_BLOCKS
"""Fewest starts for an interval over starts."""
TRIMMED = 1 / 6
"""Share of the starts that is set aside at each end: one of 6 to 11, two of 12 to 17. One odd start then decides nothing."""
ONE_START = 0.25
"""How far two starts of one file may differ, as a share: the interval of subjects that were started once is widened by it.
Up to 20 % were seen between processes that the system was free to put on any core; docs/performance.md has the figures."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Time of one subject over that of another, with a 95 % interval."""

    estimate: Estimate
    pairs: int
    repeated: bool  # whether the pairs are starts; else blocks of one start, and the interval is widened

    @property
    def origin(self) -> str:
        """Origin of the interval in words."""
        if self.repeated:
            return f"{self.pairs} pairs of starts"
        widened = f"widened by {percent(ONE_START, 0)} as far as two starts may differ"
        return f"{self.pairs} pairs of blocks of one start each, {widened}"


def trimmed_interval(values: ArrayLike, level: float = 0.95, fewest: int = MIN_STARTS) -> Estimate:
    """The trimmed mean of independent values with its interval, in the unit of the input.

    Student's t on the winsorised variance: Tukey and McLaughlin, "Less Vulnerable Confidence and Significance Procedures for
    Location Based on a Single Sample", Sankhya A 1963; Yuen, "The Two-Sample Trimmed t for Unequal Population Variances",
    Biometrika 1974.

    Raises:
        ValueError: fewer than `fewest` values.
    """
    from scipy import special

    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = ordered.size
    if n < fewest:
        raise ValueError(f"an interval over starts needs at least {fewest} of them, got {n}")
    cut = int(n * TRIMMED)
    kept = ordered[cut : n - cut]
    winsorised = np.clip(ordered, kept[0], kept[-1])
    half = float(special.stdtrit(kept.size - 1, 0.5 + level / 2)) * float(winsorised.std(ddof=1)) * math.sqrt(n) / kept.size
    value = float(kept.mean())
    return Estimate(value, value - half, value + half)


def start_ratios(first: Benchmark, second: Benchmark) -> NDArray[np.float64]:
    """Natural logarithm of the ratio of times of each pair of starts; start i was timed in turn with start i.

    Of a start it is the median over its blocks, so that a disturbance of one block does not speak for the start.

    Raises:
        ValueError: not as many starts, or not as many blocks in them.
    """
    pairs = zip(first.by_start, second.by_start, strict=True)
    return np.array([one_start(a, b) for a, b in pairs])


def one_start(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> float:
    """The same of one pair of starts, from their blocks of times in seconds."""
    return median(log_ratios(first, second))


def ratio(first: Benchmark, second: Benchmark) -> Ratio | None:
    """Ratio of the times of two subjects of one run; None = too few starts and blocks for an interval."""
    if [len(s) for s in first.by_start] != [len(s) for s in second.by_start]:
        return None
    if len(first.by_start) >= MIN_STARTS:
        return ratio_of_starts(start_ratios(first, second))
    if len(first.blocks_s) < MIN_BLOCKS:
        return None
    value, low, high = ratio_interval(first.blocks_s, second.blocks_s)
    return Ratio(Estimate(value, low / (1 + ONE_START), high * (1 + ONE_START)), len(first.blocks_s), repeated=False)


def ratio_value(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> float | None:
    """The value of `ratio` alone, from the median of each block of each start; it needs no scipy. None = no pairs."""
    if not first or [len(start) for start in first] != [len(start) for start in second]:
        return None
    apart = [[math.log(a / b) for a, b in zip(*pair, strict=True)] for pair in zip(first, second, strict=True)]
    if len(apart) < MIN_STARTS:
        return math.exp(mean([log for start in apart for log in start]))
    ordered = np.sort([median(start) for start in apart])
    cut = int(len(ordered) * TRIMMED)
    return math.exp(mean(ordered[cut : len(ordered) - cut]))


def ratio_of_starts(logs: ArrayLike) -> Ratio:
    """The ratio of times from the logarithms that `start_ratios` gives.

    Raises:
        ValueError: fewer than MIN_STARTS.
    """
    return Ratio(Estimate(*(math.exp(v) for v in trimmed_interval(logs))), np.size(logs), repeated=True)


def average(bench: Benchmark) -> Estimate | None:
    """The mean of all steady times in seconds with a 95 % interval over starts, or over the blocks where there was one start.

    None = too few of both.
    """
    starts = [[s for block in start for s in block] for start in bench.by_start]
    if len(starts) >= MIN_STARTS:
        return mean_of_starts(starts)
    blocks = [block for block in bench.blocks_s if block]
    return bootstrap_interval(blocks) if len(blocks) >= MIN_BLOCKS else None


def slow_end(bench: Benchmark, q: float) -> Estimate | None:
    """The q-th percentile of all steady times in seconds with a 95 % interval over starts, or blocks of one start.

    None = too few of both.
    """
    starts = [[s for block in start for s in block] for start in bench.by_start]
    groups = starts if len(starts) >= MIN_STARTS else [block for block in bench.blocks_s if block]
    return percentile_interval(groups, q) if len(groups) >= MIN_BLOCKS else None


def mean_of_starts(starts: Sequence[Sequence[float]], level: float = 0.95) -> Estimate:
    """The mean of all runs, with Student's t over starts, each counted by the number of its runs.

    A slow start holds fewer runs, so this is a ratio of two sums: Cochran, "Sampling Techniques", 3rd ed. 1977, section 6.4.
    """
    from scipy import special

    totals, counts = np.array([[math.fsum(runs), len(runs)] for runs in starts]).T
    value = float(totals.sum() / counts.sum())
    apart = (totals - value * counts) / counts.mean()
    n = len(starts)
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * math.sqrt(float((apart**2).sum()) / (n - 1) / n)
    return Estimate(value, value - half, value + half)


def average_s(bench: Benchmark) -> Estimate:
    """The same where a figure is drawn in any case: without an interval both its ends are the mean."""
    return average(bench) or Estimate(*[mean(bench.steady_s)] * 3)
