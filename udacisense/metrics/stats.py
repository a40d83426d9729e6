"""Numbers from raw measurements: pure functions of numpy arrays, each with the source of its formula.

Intervals are two-sided at `level` (95 % unless told) and come from a fixed seed, so a record read again gives the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    """Statistics of a list of steady times."""

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


def _special() -> Any:
    """scipy's distributions, imported when one is asked for: a median needs none, and the first page shows medians."""
    from scipy import special

    return special


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
    means = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    worth = independent(totals / counts)
    return _expanded(float(totals.sum() / counts.sum()), means, len(blocks), worth, level)


def ratio_interval(
    numerator: Sequence[ArrayLike], denominator: Sequence[ArrayLike], level: float = 0.95, seed: int = 0
) -> Estimate:
    """Median time of one subject over that of another, from blocks timed in turn (block i beside block i).

    The geometric mean of the blocks' ratios of medians; pairs of blocks are drawn, so that what slows both cancels.

    Raises:
        ValueError: fewer than MIN_BLOCKS pairs, or unequal numbers of blocks.
    """
    logs = log_ratios(numerator, denominator)
    means = logs[_draw_blocks(len(logs), seed)].mean(axis=1)
    return Estimate(*(math.exp(v) for v in _expanded(float(logs.mean()), means, len(logs), independent(logs), level)))


def log_ratios(numerator: Sequence[ArrayLike], denominator: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Natural logarithm of the ratio of medians of each pair of blocks, in order.

    Raises:
        ValueError: unequal numbers of blocks.
    """
    if len(numerator) != len(denominator):
        raise ValueError(f"blocks must come in pairs, got {len(numerator)} and {len(denominator)}")
    return np.array([math.log(median(a) / median(b)) for a, b in zip(numerator, denominator, strict=True)])


def independent(values: ArrayLike) -> float:
    """Effective number of independent values of a time series, from 2 to its length.

    n (1 - r) / (1 + r) with r the correlation of neighbours: Zwiers and von Storch, "Taking Serial Correlation into Account in
    Tests of the Mean", Journal of Climate 1995. A short series shows too small an r; Kendall, "Note on Bias in the Estimation
    of Autocorrelation", Biometrika 1954, says by how much: (1 + 3 r) / n, which is added. A negative r is taken for 0.
    """
    series = _sample(values)
    n, apart = series.size, series - series.mean()
    total = float((apart**2).sum())
    if n < 4 or total == 0:
        return float(n)
    r = float((apart[1:] * apart[:-1]).sum()) / total
    r = min(max((n * r + 1) / (n - 3), 0.0), 0.99)
    return max(n * (1 - r) / (1 + r), 2.0)


def _draw_blocks(n: int, seed: int) -> NDArray[np.int64]:
    """Positions of RESAMPLES draws of n blocks out of n."""
    if n < MIN_BLOCKS:
        raise ValueError(f"an interval over blocks needs at least {MIN_BLOCKS} blocks, got {n}")
    return np.random.default_rng(seed).integers(0, n, size=(RESAMPLES, n))


def _expanded(value: float, resampled: NDArray[np.float64], n: int, worth: float, level: float) -> Estimate:
    """The expanded percentile interval of n blocks' resampled values, which are `worth` so many independent ones.

    The plain percentile interval is too short for few blocks; Hesterberg, "What Teachers Should Know About the Bootstrap",
    The American Statistician 2015, widens it to what Student's t asks for. Drawing forgets the order of the blocks, so the
    interval of blocks that resemble their neighbours is then stretched to that of the fewer blocks that they are worth.
    """
    t = float(_special().stdtrit(n - 1, 0.5 + level / 2))
    tail = float(_special().ndtr(-math.sqrt(n / (n - 1)) * t))
    stretch = math.sqrt(n / worth) * float(_special().stdtrit(worth - 1, 0.5 + level / 2)) / t
    low, high = (value + stretch * (float(q) - value) for q in np.quantile(resampled, [tail, 1 - tail]))
    return Estimate(value, min(low, value), max(high, value))


# --- shares and paired answers ------------------------------------------------------------------------------------------


def wilson_interval(successes: int, total: int, level: float = 0.95) -> Estimate:
    """A share (0..1) with its score interval: Wilson, Journal of the American Statistical Association 1927.

    Raises:
        ValueError: the counts are those of no share.
    """
    if not 0 <= successes <= total or total < 1:
        raise ValueError(f"successes must be between 0 and total, and total at least 1; got {successes} of {total}")
    z = float(_special().ndtri(0.5 + level / 2))
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
    return float(min(1.0, 2 * _special().bdtr(min(lost, won), lost + won, 0.5)))


def accuracy_difference(before: ArrayLike, after: ArrayLike, level: float = 0.95, seed: int = 0) -> Estimate:
    """Accuracy after minus before on the same images, as a fraction, with a paired bootstrap interval.

    Args:
        before: N booleans, answered right before. after: the same images after.

    Raises:
        ValueError: the lists are empty, or not of the same images.
    """
    old, new = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if old.shape != new.shape or old.ndim != 1 or old.size == 0:
        raise ValueError(f"answers must be two lists of one length, at least 1; got {old.shape} and {new.shape}")
    return accuracy_difference_of(int((old & ~new).sum()), int((~old & new).sum()), old.size, level, seed)


def accuracy_difference_of(lost: int, won: int, images: int, level: float = 0.95, seed: int = 0) -> Estimate:
    """`accuracy_difference` from its counts: images answered right before and wrong after, the other way round, and all.

    Drawing images again is drawing the counts of lost, won and unchanged answers. Half an image is added to each cell of the
    2x2 table (Agresti and Min, Statistics in Medicine 2005), so that no flip among few images is not taken for certainty.
    """
    _check_flips(lost, won, images)
    chances = np.array([lost + 0.5, won + 0.5, images - lost - won + 1.0]) / (images + 2)
    drawn = np.random.default_rng(seed).multinomial(images + 2, chances, size=RESAMPLES)
    low, high = np.quantile((drawn[:, 1] - drawn[:, 0]) / (images + 2), [0.5 - level / 2, 0.5 + level / 2])
    value = (won - lost) / images
    return Estimate(value, min(float(low), value), max(float(high), value))


def _check_flips(lost: int, won: int, images: int) -> None:
    if images < 1 or min(lost, won) < 0 or lost + won > images:
        raise ValueError(f"lost and won answers must be among at least 1 image, got {lost} and {won} of {images}")


def images_to_tell_share(share: float, limit: float, level: float = 0.95) -> int | None:
    """From how many images on the score interval of this share leaves out the limit; None where the two are equal.

    z**2 limit (1 - limit) / (share - limit)**2: the score test that Wilson's interval is made of, solved for the number of
    images (Wilson, Journal of the American Statistical Association 1927).

    Args:
        share: what was found. limit: what it is held against, between 0 and 1 without them.

    Raises:
        ValueError: the limit is no share that can be missed on both sides.
    """
    if not 0 < limit < 1:
        raise ValueError(f"the limit must lie between 0 and 1, got {limit}")
    if math.isclose(share, limit):
        return None
    z = float(_special().ndtri(0.5 + level / 2))
    return math.ceil(z * z * limit * (1 - limit) / (share - limit) ** 2)


def images_to_tell_change(
    lost: int, won: int, images: int, limit: float, level: float = 0.95, power: float = 0.8
) -> int | None:
    """Number of images at which a paired interval of the accuracy's change excludes the limit, with a chance of `power`.

    (z_level + z_power)**2 (p_lost + p_won - change**2) / (limit - change)**2, with the shares of lost and won answers seen
    so far: Liu, Hsueh, Hsieh and Chen, "Tests for equivalence or non-inferiority for paired binary data", Statistics in
    Medicine 2002. Half an image is added to each cell, as in `accuracy_difference`.

    Args:
        lost: images answered right before and wrong after. won: wrong before and right after. images: all of them.
        limit: the change that is held against, as a fraction and with its sign.

    Returns:
        The number of images in all; None where the change seen is the limit itself, which no number of images can tell.
    """
    _check_flips(lost, won, images)
    n = images + 2
    p_lost, p_won = (lost + 0.5) / n, (won + 0.5) / n
    change = p_won - p_lost
    if math.isclose(change, limit, abs_tol=1e-12):
        return None
    z = float(_special().ndtri(0.5 + level / 2) + _special().ndtri(power))
    return math.ceil(z * z * (p_lost + p_won - change * change) / (limit - change) ** 2)
