"""The History page and the views of the Benchmark page that came with it, driven as a visitor drives them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmark.series import bench, sped
from tests.driving import app, go, quick_answers, words
from tests.story import Story
from udacisense.history.runs import tags
from udacisense.records import store
from udacisense.types import Benchmark
from udacisense.verdict_words import TREND

__all__ = ["quick_answers"]
HISTORY, BENCHMARK = "pages/history.py", "pages/benchmark.py"
LEVELS = list(0.010 * (1 + 0.004 * np.random.default_rng(0).normal(size=24)))
BASE = {"subject_id": "mobilenet_v3_small-baseline-9bfd99f6", "subject_sha256": "b" * 64, "runtime": "torch"}


def save_run(name: str, day: int, factor: float = 1.0) -> None:
    """One run of a baseline and of a file that takes `factor` times as long as the first time."""
    for number, (record, levels) in enumerate(((BASE, 1.4), ({}, factor))):
        made = replace(bench(LEVELS).made, created=f"2026-02-{day:02d}T00:00:00Z")
        one = sped(bench(LEVELS, seed=number, run_id=name, made=made, **record), levels)
        store.save(replace(one, id=f"bench-{name}-{number}"))


def test_without_a_run_it_says_how_the_history_starts(home: Path) -> None:
    at = go(app(), HISTORY)
    assert "python -m udacisense benchmark" in words(at)


def test_one_run_has_nothing_to_be_held_against(home: Path) -> None:
    save_run("run-1", 1)
    at = go(app(), HISTORY)
    assert not [s for s in at.selectbox if s.key == "history_after"]
    assert len(at.get("plotly_chart")) == 1


def test_what_became_slower_stands_first_with_its_interval(home: Path) -> None:
    save_run("run-1", 1)
    save_run("run-2", 2, factor=1.5)
    at = go(app(), HISTORY)
    text = words(at)
    assert "TorchScript fp32 is slower" in text
    assert "1.50 times as long" in text
    assert "mobilenet_v3_small-baseline-9bfd99f6" in text
    badges = [m.value for m in at.markdown if "-badge[" in m.value]
    assert TREND["worse"] in badges[0]
    assert len(at.get("plotly_chart")) == 1


def test_a_run_can_be_named_and_is_then_offered_by_its_name(home: Path) -> None:
    save_run("run-1", 1)
    save_run("run-2", 2)
    at = go(app(), HISTORY)
    at.selectbox(key="tag_run").set_value("run-1")
    at.text_input(key="tag_name").set_value("first")
    at.button[-1].click().run()
    assert tags() == {"first": "run-1"}
    assert any(option.startswith("first · ") for option in at.selectbox(key="history_after").options)


def test_a_name_that_cannot_be_is_refused_in_words(home: Path) -> None:
    save_run("run-1", 1)
    at = go(app(), HISTORY)
    at.text_input(key="tag_name").set_value("run-9")
    at.button[-1].click().run()
    assert "cannot be a tag" in at.error[0].value


@pytest.mark.parametrize(
    ("view", "said"),
    [
        pytest.param("Scaling", "benchmark SUBJECT --threads", id="scaling"),
        pytest.param("Sustained", "benchmark SUBJECT --protocol soak", id="sustained"),
    ],
)
def test_what_was_not_measured_says_how_to_get_it(seeded_home: Story, view: str, said: str) -> None:
    at = go(app(), BENCHMARK)
    at.segmented_control(key="bench_view").set_value(view).run()
    assert said in words(at)


def test_settings_soaks_and_trade_offs_have_their_charts(seeded_home: Story) -> None:
    record: Benchmark = replace(seeded_home.benchmarks[1], run_id="run-later")
    for threads, beside in ((1, 0), (2, 0), (1, 1)):
        store.save(replace(record, id=f"b{threads}{beside}", threads=threads, background_processes=beside))
    store.save(replace(bench([0.010] * 20 + [0.013] * 20, sustained=True), id="soak", run_id="run-soak"))
    counts = {"Latency": 2, "Scaling": 2, "Sustained": 1, "Trade-off": 2}
    at = go(app(), BENCHMARK)
    at.selectbox(key="bench_run").set_value("run-later").run()
    assert len(at.dataframe[0].value) == 1, "the plainest setting stands for the run"
    found = {}
    for view in counts:
        at.segmented_control(key="bench_view").set_value(view).run()
        assert not at.exception
        found[view] = len(at.get("plotly_chart"))
    assert found == counts


def test_what_a_run_varies_goes_to_the_command_line(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted: list[list[str]] = []
    monkeypatch.setattr("udacisense.jobs.submit", lambda argv, title: submitted.append(list(argv)))
    at = go(app(), BENCHMARK)
    at.pills(key="bench_subjects").set_value([seeded_home.drifting.id]).run()
    at.pills(key="bench_more").set_value(["threads", "busy"]).run()
    at.button(key="start_benchmark").click().run()
    options = ["--protocol", "standard", "--threads", "1,2,all", "--busy", "1"]
    assert submitted == [["benchmark", seeded_home.drifting.id, *options]]
