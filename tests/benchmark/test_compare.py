"""Verdicts on clocks that are made up: machines that wander, processes that differ, starts that are odd."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmark.series import ar1, bench, sped
from udacisense.benchmark.compare import Speed, compare, speed_of
from udacisense.benchmark.protocol import get_protocol
from udacisense.metrics.stats import Estimate, independent, ratio_interval
from udacisense.types import Benchmark


@dataclass(frozen=True)
class Clock:
    """A machine on which one comparison after another is made."""

    between: float  # standard deviation of the level of a process, as a share
    within: float = 0.03  # of a block in it, whose neighbours resemble each other by `rho`
    rho: float = 0.5
    odd: float = 0.0  # share of processes that are slower by `by` for as long as they live
    by: float = 0.25

    def records(self, rng: np.random.Generator, effect: float, starts: int, rounds: int) -> tuple[Benchmark, Benchmark]:
        """Two subjects of one run, the first `effect` times as slow; the machine's own wandering slows both."""
        machine = ar1(rng, starts * rounds, 0.9, 0.1)
        return tuple(  # type: ignore[return-value]
            replace(RECORD, blocks_s=tuple((v,) for v in level), blocks_per_start=(rounds,) * starts)
            for level in (effect * np.exp(self._subject(rng, starts, rounds) + machine) for effect in (effect, 1.0))
        )

    def _subject(self, rng: np.random.Generator, starts: int, rounds: int) -> np.typing.NDArray[np.float64]:
        level = self.between * rng.normal(size=starts) + self.by * (rng.random(starts) < self.odd)
        noise = np.concatenate([ar1(rng, rounds, self.rho, self.within) for _ in range(starts)])
        return np.repeat(level, rounds) + noise


RECORD = bench([0.01] * 8)
TIMES = 300


def verdicts(clock: Clock, effect: float, protocol: str = "standard") -> Counter[Speed]:
    """What `compare` says of so many comparisons made as the protocol makes them."""
    rng, plan = np.random.default_rng(3), get_protocol(protocol)
    return Counter(compare(*clock.records(rng, effect, plan.starts, plan.rounds)).speed for _ in range(TIMES))


@pytest.mark.parametrize(("protocol", "most"), [("quick", 0.04), ("standard", 0.025)])
@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(Clock(0.0, within=0.01), id="processes alike"),
        pytest.param(Clock(0.02), id="2 % between processes"),
        pytest.param(Clock(0.05), id="5 %"),
        pytest.param(Clock(0.08), id="8 %"),
        pytest.param(Clock(0.02, odd=0.05), id="odd starts"),
        pytest.param(Clock(0.01, odd=0.3), id="two levels"),
    ],
)
def test_the_same_is_seldom_called_different(clock: Clock, protocol: str, most: float) -> None:
    """Fewer than the 5 % that are allowed: an interval of 95 % alone would use them up, the floor of 2 % keeps them lower."""
    said = verdicts(clock, 1.0, protocol)
    assert said["slower"] + said["faster"] <= most * TIMES, said


@pytest.mark.parametrize(
    "clock", [pytest.param(Clock(0.2), id="20 %"), pytest.param(Clock(0.02, within=0.15, rho=0.8), id="noisy inside")]
)
def test_on_a_wild_machine_wrong_alarms_come_no_oftener_than_the_interval_says(clock: Clock) -> None:
    said = verdicts(clock, 1.0)
    assert said["slower"] + said["faster"] <= (0.05 + 2 * 0.0126) * TIMES, said  # two standard deviations of 300 tries


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(Clock(0.01), id="1 % between processes"),
        pytest.param(Clock(0.02), id="2 %"),
        pytest.param(Clock(0.02, odd=0.01), id="2 % and odd starts"),
        pytest.param(Clock(0.01, within=0.04, rho=0.3), id="noisy inside"),
    ],
)
def test_ten_percent_more_work_is_found(clock: Clock) -> None:
    said = verdicts(clock, 1.1)
    assert said["slower"] >= 0.97 * TIMES, said


@pytest.mark.parametrize("between", [0.05, 0.1, 0.2])
def test_where_processes_differ_much_ten_percent_is_found_or_left_open(between: float) -> None:
    said = verdicts(Clock(between, within=0.15), 1.1)
    assert said["faster"] + said["same"] <= 0.01 * TIMES, said
    assert said["unknown"] > 0


def test_one_start_of_each_is_weaker_than_many() -> None:
    """Processes that differ by 8 % for as long as they live: blocks of one start agree with each other, and mislead."""
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(100):
        a, b = Clock(0.06, within=0.005).records(rng, 1.0, starts=1, rounds=32)
        found = compare(replace(a, blocks_per_start=()), replace(b, blocks_per_start=()))
        wrong += found.speed in ("faster", "slower")
    assert wrong <= 3
    assert "of one start each, widened by 25 %" in found.reason
    assert "Time both again with this version." in found.reason


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
    a = bench([0.01] * 16)
    assert compare(a, sped(a, 0.5)).speed == "slower"
    assert "from 8 pairs of starts" in compare(a, sped(a, 0.5)).reason
    assert compare(a, bench([0.01] * 16, run_id="run-2")).ratio is None
    assert "not timed side by side" in compare(a, bench([0.01] * 16, threads=2)).reason


@pytest.mark.parametrize("starts", [1, 4])
def test_few_blocks_decide_nothing(starts: int) -> None:
    a = bench([0.01] * 4, starts=starts)
    found = compare(a, sped(a, 2.0))
    assert (found.speed, found.ratio) == ("unknown", None)
    assert "Too few starts" in found.reason


def test_starts_that_do_not_pair_decide_nothing() -> None:
    a = bench([0.01] * 16)
    assert compare(a, replace(a, blocks_per_start=(1, 3, *(2,) * 6))).ratio is None


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
