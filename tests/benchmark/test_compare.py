from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmark.series import ar1, bench, blocks, sped
from udacisense.benchmark.compare import compare, compare_blocks, speed_of
from udacisense.stats import Estimate, independent, ratio_interval


def verdicts(effect: float, n: int, rho: float, sd: float, times: int = 200) -> list[str]:
    """What `compare_blocks` says of pairs whose ratio is `effect`, under noise that resembles its neighbours."""
    rng = np.random.default_rng(3)
    drift = [np.exp(ar1(rng, n, 0.9, 0.1)) for _ in range(times)]  # of the machine: it slows both
    return [
        compare_blocks([[v] for v in level * effect * np.exp(ar1(rng, n, rho, sd))], [[v] for v in level]).speed
        for level in drift
    ]


@pytest.mark.parametrize(("rho", "sd"), [(0.0, 0.04), (0.3, 0.04), (0.6, 0.04), (0.3, 0.1), (0.6, 0.08)])
def test_the_same_is_seldom_called_different_even_if_blocks_follow_each_other(rho: float, sd: float) -> None:
    said = verdicts(1.0, 24, rho, sd)
    assert said.count("slower") + said.count("faster") <= 0.05 * len(said)


def test_ten_percent_more_work_is_found_on_a_machine_of_ordinary_noise() -> None:
    said = verdicts(1.1, 24, 0.1, 0.03)
    assert said.count("slower") >= 0.95 * len(said)


def test_under_heavy_noise_ten_percent_is_never_called_faster() -> None:
    said = verdicts(1.1, 24, 0.3, 0.15)
    assert said.count("faster") == said.count("same") == 0
    assert said.count("unknown") > 0


@pytest.mark.parametrize(
    ("low", "high", "speed"),
    [
        pytest.param(1.03, 1.2, "slower", id="beyond the floor"),
        pytest.param(1.01, 1.2, "unknown", id="reaches into the floor"),
        pytest.param(0.7, 0.9, "faster", id="faster"),
        pytest.param(0.98, 1.03, "same", id="within five percent"),
        pytest.param(0.9, 1.03, "unknown", id="wide"),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, speed: str) -> None:
    assert speed_of(Estimate((low + high) / 2, low, high)) == speed


def test_only_one_run_and_one_setting_are_put_side_by_side() -> None:
    a = bench([0.01] * 12)
    assert compare(a, sped(a, 0.5)).speed == "slower"
    assert compare(a, bench([0.01] * 12, run_id="run-2")).ratio is None
    assert "not timed side by side" in compare(a, bench([0.01] * 12, threads=2)).reason


def test_few_blocks_decide_nothing() -> None:
    found = compare_blocks(blocks([0.01] * 5), blocks([0.02] * 5))
    assert found.speed == "unknown"
    assert "too few" in found.reason


def test_blocks_that_only_climb_decide_nothing() -> None:
    climbing = compare_blocks([[1.0 + 0.1 * i] for i in range(12)], [[1.0]] * 12)
    assert climbing.speed == "unknown"
    assert "measure again on a quiet machine" in climbing.reason


# --- how much a series is worth -----------------------------------------------------------------------------------------


def test_independent_values_are_worth_nearly_all_and_followers_few() -> None:
    rng = np.random.default_rng(0)
    worth = {rho: np.mean([independent(ar1(rng, 40, rho, 1.0)) for _ in range(200)]) for rho in (0.0, 0.5, 0.9)}
    assert worth[0.0] > 30
    assert 8 < worth[0.5] < 22  # n (1 - r) / (1 + r) = 13
    assert worth[0.9] < 8


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_a_series_is_worth_between_two_and_its_length(values: list[float]) -> None:
    assert min(2.0, len(values)) <= independent(values) <= max(len(values), 2.0)


@given(st.lists(st.floats(0.5, 2), min_size=6, max_size=20), st.floats(0.1, 10))
def test_a_ratio_turns_round_and_scales(values: list[float], factor: float) -> None:
    up = ratio_interval([[v * factor] for v in values], [[1.0]] * len(values))
    plain = ratio_interval([[v] for v in values], [[1.0]] * len(values))
    assert up.value == pytest.approx(plain.value * factor)
    assert up.low == pytest.approx(plain.low * factor)
    assert plain.value == pytest.approx(math.exp(np.mean(np.log(values))))
