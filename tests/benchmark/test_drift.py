from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmark.series import ar1, bench
from udacisense.benchmark.drift import change_point, drift


def test_a_step_is_found_where_it_is() -> None:
    rng = np.random.default_rng(1)
    levels = np.where(np.arange(60) < 24, 0.010, 0.0115) * (1 + 0.01 * rng.normal(size=60))
    found = drift(bench(list(levels), sustained=True))
    assert found.course == "slower"
    assert found.change_at_s == pytest.approx(24 * 5, abs=10)
    assert found.change == pytest.approx(0.15, abs=0.03)
    assert "judge it by its steady state" in found.reason


def test_noise_is_steady() -> None:
    rng = np.random.default_rng(2)
    courses = [drift(bench(list(0.01 * np.exp(ar1(rng, 60, 0.4, 0.03))))).course for _ in range(60)]
    assert courses.count("steady") >= 57


def test_a_small_change_is_told_and_is_no_drift() -> None:
    levels = [0.0100 + 0.00001 * (i % 3) for i in range(30)] + [0.0102 + 0.00001 * (i % 3) for i in range(30)]
    found = drift(bench(levels))
    assert found.course == "steady"
    assert "under 3 %" in found.reason


def test_few_blocks_say_nothing() -> None:
    assert drift(bench([0.01] * 8)).course == "unknown"


def test_records_without_conditions_take_the_time_from_their_runs() -> None:
    levels = [0.01] * 20 + [0.02] * 20
    found = drift(replace(bench(levels), conditions=()))
    assert found.course == "slower"
    assert found.change_at_s == pytest.approx(20 * 20 * 0.01, rel=0.1)


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=40), st.floats(0.5, 3))
def test_a_change_point_does_not_hang_on_the_unit(values: list[float], unit: float) -> None:
    plain = change_point(values)
    assert 0 <= plain.p <= 1
    assert 1 <= plain.at < len(values)
    assert change_point([8 * v for v in values]).at == plain.at


@given(st.lists(st.integers(0, 6), min_size=2, max_size=15))
def test_the_change_point_is_where_pettitts_statistic_is_largest(values: list[int]) -> None:
    """By the definition: the sum of the signs of all differences across the cut."""
    cuts = [abs(sum(np.sign(a - b) for a in values[:t] for b in values[t:])) for t in range(1, len(values))]
    assert change_point(values).at == int(np.argmax(cuts)) + 1
