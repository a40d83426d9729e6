from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from scipy.stats import mstats

from tests.benchmark.series import bench, sped
from udacisense.benchmark.replication import (
    MIN_STARTS,
    average,
    average_s,
    mean_of_starts,
    ratio,
    start_ratios,
    trimmed_interval,
)
from udacisense.metrics.stats import mean


@given(st.lists(st.floats(-5, 5), min_size=MIN_STARTS, max_size=30), st.sampled_from([0.9, 0.95, 0.99]))
def test_the_trimmed_interval_is_that_of_scipy(values: list[float], level: float) -> None:
    cut = int(len(values) / 6) / len(values)
    low, high = mstats.trimmed_mean_ci(values, limits=(cut, cut), alpha=1 - level)
    found = trimmed_interval(values, level)
    assert found.interval == pytest.approx((low, high), abs=1e-9)
    assert found.low <= found.value <= found.high


def test_a_trimmed_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    found = [trimmed_interval(rng.normal(3, 1, size=8)) for _ in range(1000)]
    assert 925 <= sum(f.low <= 3 <= f.high for f in found) <= 975


def test_one_odd_start_hardly_moves_it() -> None:
    values = [0.10, 0.09, 0.11, 0.10, 0.095, 0.105, 0.10, 0.10]
    odd = trimmed_interval([*values[:-1], -0.4])
    assert odd.value == pytest.approx(0.0983, abs=1e-3)
    assert odd.low > 0.08


def test_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6 of them, got 5"):
        trimmed_interval([1.0] * 5)


def test_the_middle_block_speaks_for_a_start() -> None:
    a = bench([0.01] * 24)
    disturbed = replace(a, blocks_s=tuple((0.5,) if i % 3 == 0 else b for i, b in enumerate(a.blocks_s)))
    assert start_ratios(disturbed, a) == pytest.approx([0.0] * 8)


def test_a_ratio_of_one_start_is_wider_by_what_two_starts_may_differ() -> None:
    a = bench([0.01] * 24)
    many, one = ratio(sped(a, 2.0), a), ratio(sped(a, 2.0, blocks_per_start=()), replace(a, blocks_per_start=()))
    assert many is not None
    assert one is not None
    assert many.estimate == pytest.approx((2.0, 2.0, 2.0))
    assert one.estimate == pytest.approx((2.0, 1.6, 2.5))
    assert (many.origin, one.repeated) == ("8 pairs of starts", False)


def test_an_average_is_over_starts_and_knows_how_they_differ() -> None:
    rng = np.random.default_rng(2)
    levels = np.repeat(0.01 * (1 + 0.1 * rng.normal(size=8)), 4)
    starts = bench(list(levels))
    found, blind = average(starts), average(replace(starts, blocks_per_start=()))
    assert found is not None
    assert blind is not None
    assert found.value == pytest.approx(mean(starts.steady_s)) == pytest.approx(blind.value)
    half = (found.high - found.low) / 2
    assert half > 1.5 * float(levels.std()) / math.sqrt(8)


@given(st.lists(st.floats(0.1, 10), min_size=MIN_STARTS, max_size=20), st.integers(1, 5), st.sampled_from([0.9, 0.95]))
def test_the_average_of_equal_starts_is_students(levels: list[float], runs: int, level: float) -> None:
    assume(np.std(levels) > 1e-6)
    found = mean_of_starts([[v] * runs for v in levels], level)
    wanted = scipy_stats.ttest_1samp(levels, 0).confidence_interval(level)
    assert found == pytest.approx((np.mean(levels), wanted.low, wanted.high), abs=1e-7)


def test_an_average_of_uneven_starts_is_that_of_all_runs() -> None:
    starts = [[0.005] * 120, [0.05] * 12, [0.005] * 130, [0.06] * 10, [0.005] * 110, [0.005] * 125]
    found = mean_of_starts(starts)
    assert found.value == pytest.approx(np.mean(np.concatenate(starts)))
    assert found.low < found.value < found.high


def test_an_average_of_few_blocks_has_no_interval() -> None:
    few = bench([0.01] * 4)
    assert average(few) is None
    assert average_s(few) == pytest.approx([mean(few.steady_s)] * 3)
