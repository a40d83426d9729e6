from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmark.series import QUIET, bench
from udacisense.benchmark.quality_grade import distrust, trust
from udacisense.types import Benchmark, Conditions

LEVELS = [0.0100 + 0.00002 * (i % 3) for i in range(16)]


def quiet() -> Benchmark:
    return bench(LEVELS)


def under(**changes: object) -> Benchmark:
    """The quiet record under other conditions in every block."""
    return replace(quiet(), conditions=tuple(replace(QUIET, at_s=5.0 * i, **changes) for i in range(16)))


def test_nothing_speaks_against_a_quiet_run() -> None:
    found = trust(quiet())
    assert found.grade == "A", found.words
    assert not found.deductions
    assert distrust(quiet()) == ""


@pytest.mark.parametrize(
    ("record", "grade", "said"),
    [
        pytest.param(replace(quiet(), warmup_stable=False), "B", "had not settled", id="warm-up"),
        pytest.param(replace(quiet(), conditions=()), "B", "was not recorded", id="old record"),
        pytest.param(under(other_cpu_share=0.2), "B", "used 20 % of the processor", id="load"),
        pytest.param(under(other_cpu_share=0.6), "C", "used 60 % of the processor", id="heavy load"),
        pytest.param(under(run_queue_wait_s=0.025), "B", "For 5 % of the time it waited", id="kept waiting"),
        pytest.param(under(run_queue_wait_s=0.3), "D", "For 60 % of the time it waited", id="kept waiting long"),
        pytest.param(replace(quiet(), timer_resolution_s=0.0007), "C", "smallest step is 7 % of a run", id="coarse clock"),
        pytest.param(under(throttles=1), "C", "slowed 16 times for their heat", id="throttled"),
        pytest.param(
            replace(quiet(), blocks_s=quiet().blocks_s[:4], blocks_per_start=(), conditions=()),
            "D",
            "too few for an interval",
            id="few",
        ),
    ],
)
def test_each_doubt_lowers_the_grade_with_a_sentence(record: Benchmark, grade: str, said: str) -> None:
    found = trust(record)
    assert found.grade == grade, found.words
    assert said in found.words
    assert all(d.why.endswith(".") and len(d.why.split(". ")) >= 2 for d in found.deductions), "advice after the reason"


def test_a_clock_that_falls_is_told() -> None:
    clocks: list[Conditions] = [replace(QUIET, at_s=5.0 * i, mhz=3000.0 if i < 12 else 2000.0) for i in range(16)]
    assert "fell by 33 %" in trust(replace(quiet(), conditions=tuple(clocks))).words


def test_a_drift_counts_but_not_where_it_was_looked_for() -> None:
    rng = np.random.default_rng(0)
    levels = list(np.where(np.arange(40) < 20, 0.010, 0.0105) * (1 + 0.002 * rng.normal(size=40)))
    assert "became slower" in trust(bench(levels)).words
    assert "became slower" not in trust(bench(levels, sustained=True)).words


def test_load_that_was_put_there_on_purpose_is_no_deduction() -> None:
    assert trust(replace(under(other_cpu_share=0.6, run_queue_wait_s=0.1), background_processes=2)).grade == "A"


def test_one_far_run_among_many_keeps_the_grade() -> None:
    record = quiet()
    many = tuple(tuple(b) * 5 for b in record.blocks_s)
    assert trust(replace(record, blocks_s=(*many[:-1], (*many[-1], 0.03)))).grade == "A"


def test_far_runs_that_matter_are_told_with_what_they_do() -> None:
    record = quiet()
    words = trust(replace(record, blocks_s=(*record.blocks_s[:-1], (*record.blocks_s[-1], 0.5)))).words
    assert "1 of 321 runs (0.3 %) were far off, up to 500 ms against a median of 10.1 ms" in words
    assert "they are kept, and move the average by +15" in words


def test_the_lowest_grade_is_a_reason_to_decide_nothing() -> None:
    said = distrust(quiet(), under(run_queue_wait_s=0.3))
    assert said.startswith("Measurement quality D")
