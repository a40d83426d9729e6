"""Numbers from raw measurements: pure functions of numpy arrays, each with the source of its formula.

Intervals are two-sided at `level` (95 % unless told) and come from a fixed seed, so a record read again gives the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

RESAMPLES = 4000
MIN_BLOCKS = 6
"""Fewest blocks for an interval: the range of n blocks covers their median with 1 - 2**(1-n), so 6 are needed for 95 %."""


class Estimate(NamedTuple):
    """A value with its interval, in the unit of the input."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Latency:
    """What a list of steady times says."""

    runs: int
    mean_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    images_per_s: float
    outliers: int  # reported, never dropped


def latency(steady_s: Sequence[float], batch: int = 1) -> Latency:
    """Average, percentiles and throughput of steady times in seconds; `batch` images a run."""
    average = mean(steady_s)
    return Latency(
        runs=len(steady_s),
        mean_s=average,
        p50_s=median(steady_s),
        p95_s=percentile(steady_s, 95),
        p99_s=percentile(steady_s, 99),
        images_per_s=batch / average,
        outliers=len(mad_outliers(steady_s)),
    )


# --- one sample ---------------------------------------------------------------------------------------------------------


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise ValueError("a statistic needs at least one value, got 0")
    return array


def mean(values: ArrayLike) -> float:
    """Arithmetic mean."""
    return float(_sample(values).mean())


def median(values: ArrayLike) -> float:
    """Middle value; of an even number the mean of the middle two."""
    return float(np.median(_sample(values)))


def percentile(values: ArrayLike, q: float) -> float:
    """The q-th percentile (0..100), interpolated linearly: definition 7 of Hyndman and Fan, The American Statistician 1996."""
    return float(np.percentile(_sample(values), q))


def mad_outliers(values: ArrayLike, limit: float = 10.0) -> tuple[int, ...]:
    """Positions of the values further than `limit` robust standard deviations from the median.

    The robust deviation is 1.4826 MAD, or 1.2533 times the mean absolute deviation where the MAD is 0: Iglewicz and Hoaglin,
    "How to Detect and Handle Outliers", ASQC 1993. The wide default is hyperfine's: run times are skewed to the right.
    """
    array = _sample(values)
    distance = np.abs(array - np.median(array))
    scale = 1.4826 * float(np.median(distance)) or 1.2533 * float(distance.mean())
    if scale == 0:
        return ()
    return tuple(int(i) for i in np.flatnonzero(distance > limit * scale))


def bootstrap_interval(blocks: Sequence[ArrayLike], level: float = 0.95, seed: int = 0) -> Estimate:
    """The mean of all values with an interval over blocks, in the unit of the input.

    Whole blocks are drawn, because runs close in time resemble each other; a block counts by the number of its values.

    Raises:
        ValueError: fewer than MIN_BLOCKS blocks.
    """
    samples = [_sample(b) for b in blocks]
    totals, counts = np.array([[b.sum(), b.size] for b in samples]).T
    drawn = _draw_blocks(len(blocks), seed)
    return _expanded(
        float(totals.sum() / counts.sum()), totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1), len(blocks), level
    )


def ratio_interval(
    numerator: Sequence[ArrayLike], denominator: Sequence[ArrayLike], level: float = 0.95, seed: int = 0
) -> Estimate:
    """Median time of one subject over that of another, from blocks timed in turn (block i beside block i).

    The geometric mean of the blocks' ratios of medians; pairs of blocks are drawn, so that what slows both cancels.

    Raises:
        ValueError: fewer than MIN_BLOCKS pairs, or unequal numbers of blocks.
    """
    if len(numerator) != len(denominator):
        raise ValueError(f"blocks must come in pairs, got {len(numerator)} and {len(denominator)}")
    logs = np.array([math.log(median(a) / median(b)) for a, b in zip(numerator, denominator, strict=True)])
    means = logs[_draw_blocks(len(logs), seed)].mean(axis=1)
    return Estimate(*(math.exp(v) for v in _expanded(float(logs.mean()), means, len(logs), level)))


def _draw_blocks(n: int, seed: int) -> NDArray[np.int64]:
    """Positions of RESAMPLES draws of n blocks out of n."""
    if n < MIN_BLOCKS:
        raise ValueError(f"an interval over blocks needs at least {MIN_BLOCKS} blocks, got {n}")
    return np.random.default_rng(seed).integers(0, n, size=(RESAMPLES, n))


def _expanded(value: float, resampled: NDArray[np.float64], n: int, level: float) -> Estimate:
    """The expanded percentile interval of n blocks' resampled values.

    The plain percentile interval is too short for few blocks; Hesterberg, "What Teachers Should Know About the Bootstrap",
    The American Statistician 2015, widens it to what Student's t asks for.
    """
    tail = float(special.ndtr(-math.sqrt(n / (n - 1)) * special.stdtrit(n - 1, 0.5 + level / 2)))
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Estimate(value, min(float(low), value), max(float(high), value))


# --- shares and paired answers ------------------------------------------------------------------------------------------


def wilson_interval(successes: int, total: int, level: float = 0.95) -> Estimate:
    """A share (0..1) with its score interval: Wilson, Journal of the American Statistical Association 1927."""
    if not 0 <= successes <= total or total < 1:
        raise ValueError(f"successes must be between 0 and total, and total at least 1; got {successes} of {total}")
    z = float(special.ndtri(0.5 + level / 2))
    share = successes / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return Estimate(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided p-value that answers got lost and won with equal chance.

    McNemar, Psychometrika 1947, with the binomial distribution instead of chi-square, so it holds for few flips too.

    Args:
        lost: images answered right before and wrong after. won: wrong before and right after.
    """
    return float(min(1.0, 2 * special.bdtr(min(lost, won), lost + won, 0.5)))


def accuracy_difference(before: ArrayLike, after: ArrayLike, level: float = 0.95, seed: int = 0) -> Estimate:
    """Accuracy after minus before on the same images, as a fraction, with a paired bootstrap interval.

    Drawing images again is drawing the counts of lost, won and unchanged answers. Half an image is added to each cell of the
    2x2 table (Agresti and Min, Statistics in Medicine 2005), so that no flip among few images is not taken for certainty.

    Args:
        before: N booleans, answered right before. after: the same images after.
    """
    old, new = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if old.shape != new.shape or old.ndim != 1 or old.size == 0:
        raise ValueError(f"answers must be two lists of one length, at least 1; got {old.shape} and {new.shape}")
    n, lost, won = old.size, int((old & ~new).sum()), int((~old & new).sum())
    chances = np.array([lost + 0.5, won + 0.5, n - lost - won + 1.0]) / (n + 2)
    drawn = np.random.default_rng(seed).multinomial(n + 2, chances, size=RESAMPLES)
    low, high = np.quantile((drawn[:, 1] - drawn[:, 0]) / (n + 2), [0.5 - level / 2, 0.5 + level / 2])
    value = (won - lost) / n
    return Estimate(value, min(float(low), value), max(float(high), value))
