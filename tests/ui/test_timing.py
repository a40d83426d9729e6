"""Charts, sentences and rows about times: by the data that they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmark.series import bench, sped
from tests.fakes import MACHINE
from tests.story import Story
from udacisense.benchmark.drift import drift
from udacisense.history.against import against
from udacisense.readiness.rules import load_rules
from udacisense.records import queries, store
from udacisense.settings import PROJECT
from udacisense.types import Benchmark, Start
from udacisense.verdict_words import INCONCLUSIVE, TREND
from ui.benchmark import captions, charts
from ui.benchmark import rows as benchmark_rows
from ui.benchmark.charts import Limits
from ui.history import captions as history_captions
from ui.history import charts as history_charts
from ui.history import rows as history_rows
from ui.shared import entries
from ui.shared.chart_style import format_color
from ui.shared.entries import SubjectMetrics, plainest

LEVELS = list(0.010 * (1 + 0.004 * np.random.default_rng(0).normal(size=24)))


@pytest.fixture
def measured(seeded_home: Story) -> tuple[SubjectMetrics, ...]:
    subjects = (seeded_home.checkpoint, seeded_home.faithful, seeded_home.drifting)
    return entries.timed_entries(seeded_home.benchmarks, subjects, seeded_home.evaluations)


def timed(entry: SubjectMetrics, *blocks: tuple[float, ...]) -> SubjectMetrics:
    assert entry.benchmark is not None
    return replace(entry, benchmark=replace(entry.benchmark, blocks_s=blocks, blocks_per_start=(1,) * len(blocks)))


def entry(record: Benchmark, label: str = "x", format: str = "torchscript") -> SubjectMetrics:
    return SubjectMetrics(record.subject_id, label, format, record.size_bytes, None, record)


# --- charts -------------------------------------------------------------------------------------------------------------


def test_a_distribution_runs_from_the_fastest_to_the_slowest(measured: tuple[SubjectMetrics, ...]) -> None:
    fig = charts.latency(measured)
    for line, marks, e in zip(fig.data[::2], fig.data[1::2], measured, strict=True):
        assert e.benchmark is not None
        times = np.array(e.benchmark.steady_s) * 1000
        assert line.x[0] == pytest.approx(times.min(), abs=1e-4)
        assert line.x[-1] == pytest.approx(times.max(), abs=1e-4)
        assert list(marks.x) == pytest.approx([np.percentile(times, q) for q in (50, 95, 99)])
        assert len(line.x) <= charts.POINTS


def test_runs_beyond_the_edge_are_counted() -> None:
    slow = bench(LEVELS)
    slow = replace(slow, blocks_s=(*slow.blocks_s * 10, (0.9,)), blocks_per_start=())
    fig = charts.latency([entry(slow)])
    assert "1 run beyond the right edge, up to 900 ms" in fig.layout.xaxis.title.text
    assert fig.layout.xaxis.range[1] < 900
    assert max(fig.data[0].x) == 900, "it is still there"


def test_the_course_shows_every_block_and_where_it_changed() -> None:
    levels = [0.010 + i % 3 * 1e-5 for i in range(30)] + [0.012 + i % 3 * 1e-5 for i in range(30)]
    fig = charts.course([entry(bench(levels, sustained=True))])
    assert len(fig.data[0].x) == 60
    assert fig.layout.shapes[0].x0 == pytest.approx(150, abs=5)
    assert fig.data[0].line.color == format_color("torchscript")


def test_no_line_leads_from_one_start_to_the_next() -> None:
    fig = charts.course([entry(bench(LEVELS))])
    assert [i for i, x in enumerate(fig.data[0].x) if x is None] == [3, 7, 11, 15, 19, 23, 27], "8 starts of 3 blocks"
    rows = benchmark_rows.course_rows([entry(bench(LEVELS))])
    assert [row["start"] for row in rows] == [start for start in range(1, 9) for _ in range(3)]


def test_scaling_draws_images_a_second() -> None:
    found = (bench(LEVELS), sped(bench(LEVELS), 0.6, threads=2))
    fig = charts.scaling([("x", "torchscript", found)], "threads")
    one, two = fig.data[0].y
    assert two / one == pytest.approx(1 / 0.6, rel=0.01)
    assert fig.data[1].y[1] == pytest.approx(2 * one, rel=0.01), "the dotted line is twice as fast"
    text = captions.scaling([("x", "torchscript", found)], "threads")
    assert text.startswith("x")
    assert "1.67 times" in text
    assert "95 % CI 1.6" in text
    assert "with 2 threads against 1 thread" in text


def test_a_start_has_four_phases_and_old_records_three(measured: tuple[SubjectMetrics, ...]) -> None:
    record = measured[0].benchmark
    assert record is not None
    starts = (Start(0.2, 1.0, 0.1, 0.05, False), Start(0.4, 1.2, 0.3, 0.07, False), Start(0.3, 1.1, 0.2, 0.06, False))
    fig = charts.startup([replace(measured[0], benchmark=replace(record, starts=starts)), measured[1]])
    assert [trace.x[0] for trace in fig.data] == pytest.approx([300, 1100, 200, 60])
    assert fig.data[0].x[1] is None, "older records do not hold the start of Python"


def test_the_whole_way_adds_up(measured: tuple[SubjectMetrics, ...]) -> None:
    record = measured[0].benchmark
    assert record is not None
    whole = replace(record, end_to_end_s=((0.010, 0.011, 0.012),), decode_s=(0.001,), preprocess_s=(0.002,))
    fig = charts.whole([replace(measured[0], benchmark=whole), measured[1]])
    assert [trace.x[0] for trace in fig.data] == pytest.approx([1, 2, 8])
    assert [trace.x[1] for trace in fig.data] == [None, None, None]
    text = captions.whole([replace(measured[0], benchmark=whole)])
    assert all(fact in text for fact in (measured[0].label, "11.0 ms", "72.7 %"))


def test_limits_come_from_the_rules_in_the_figures_of_the_baseline(measured: tuple[SubjectMetrics, ...]) -> None:
    base = measured[0]
    rules = load_rules(PROJECT / "readiness.toml").rules.values()
    time, size = (charts.limits(rules, base, by) for by in ("time", "size"))
    assert base.benchmark is not None
    assert base.evaluation is not None
    assert time.most == pytest.approx(float(np.median(base.benchmark.steady_s)) * 1000 * 0.6)
    assert size.most == pytest.approx((base.size_bytes or 0) / 2**20 * 0.7)
    assert time.least_top1 == pytest.approx(base.evaluation.top1 * 100 - 5)
    assert charts.limits(rules, None, "time") == Limits(200.0, None), "without a baseline only what needs none"


def test_a_trade_off_shades_where_a_rule_fails_and_names_who_is_best(measured: tuple[SubjectMetrics, ...]) -> None:
    fig = charts.tradeoff(measured, "time", Limits(5.3, 60.0))
    assert len(fig.data) == 1 + len(measured)
    assert (fig.layout.shapes[0].x0, fig.layout.shapes[1].y1) == (5.3, 60.0)
    assert charts.pareto([(1, 5), (2, 6), (3, 4), (2, 5)]) == [(1, 5), (2, 6)]
    text = captions.tradeoff(measured, Limits(5.4, 60.0), "time")
    best, allowed = text.split(". ")
    assert measured[1].label in best
    assert measured[0].label not in best
    assert measured[1].label in allowed


def test_history_keeps_machines_apart_and_goes_on_when_a_file_is_made_again(home: Path) -> None:
    other = replace(bench(LEVELS).made, machine=replace(MACHINE, cpu="Other"))
    records = [
        bench(LEVELS, id="a", run_id="r1"),
        bench(LEVELS, id="b", run_id="r2", subject_id="torchscript-fp32-11111111-222222", subject_sha256="c" * 64),
        bench(LEVELS, id="c", run_id="r3", made=other),
        bench(LEVELS, id="d", run_id="r4", batch=8),
    ]
    for record in records:
        store.save(record)
    found = history_rows.timings(queries.benchmarks().where(queries.is_plain))
    lines = history_rows.lines(found, {"c" * 64: "torchscript"})
    assert [(line.name, len(line.points)) for line in lines] == [
        ("TorchScript fp32 · machine 1", 2),
        ("TorchScript fp32 · machine 2", 1),
    ]
    assert lines[0].format == "torchscript"
    named = history_rows.lines(found, {}, {"c" * 64: "TorchScript fp32 (baseline)"})
    assert named[0].name.startswith("TorchScript fp32 (baseline)"), "the newest file that is here gives the name"
    fig = history_charts.history(lines)
    assert [len(trace.x) for trace in fig.data] == [2, 1]
    assert fig.data[0].error_y.array[0] > 0
    assert "3 runs so far" in history_captions.history(lines)
    assert len(history_rows.history_rows(lines)) == 3


def test_a_run_is_shown_under_its_plainest_setting() -> None:
    records = [bench(LEVELS, id=f"{t}{b}", threads=t, batch=b) for t in (2, 1) for b in (1, 8)]
    assert [b.id for b in plainest(records)] == ["11"]


# --- sentences ----------------------------------------------------------------------------------------------------------


def test_nothing_measured_is_said_in_words() -> None:
    nothing = [SubjectMetrics("x", "x", "torch", None)]
    for sentence in (captions.latency, captions.course, captions.startup, captions.whole):
        assert "measured yet" in sentence(nothing)
    assert "not measured" in captions.tradeoff(nothing, Limits(), "time").lower()
    assert "no run" in history_captions.history(()).lower()


def test_the_course_is_told() -> None:
    rising = entry(bench([0.010] * 20 + [0.0125] * 20), "falls off")
    level = entry(bench([0.010 + i % 3 * 1e-5 for i in range(40)]), "keeps up")
    text = captions.course([rising, level])
    moved, kept = text.split("; ")
    assert "falls off: slower by 2" in moved
    assert "keeps up" in kept
    assert "slower" not in kept
    assert INCONCLUSIVE.lower() in captions.course([entry(bench([0.01] * 8))])
    assert rising.benchmark is not None
    assert "first minute" in captions.sustained([rising])
    assert drift(rising.benchmark).course == "slower"


def test_whether_a_start_was_cold_is_told(measured: tuple[SubjectMetrics, ...]) -> None:
    record = measured[0].benchmark
    assert record is not None

    def said(*cached: bool | None) -> str:
        starts = tuple(Start(0.2, 1.0, 0.1, 0.05, c) for c in cached)
        return captions.cold([replace(measured[0], benchmark=replace(record, starts=starts))])

    assert "file not in the page cache" in said(False, False)
    assert "1 of 2" in said(True, False)
    assert "not measured" in said(None)
    assert len({said(False), said(True), said(None), captions.cold(measured)}) == 4


def test_what_became_worse_is_told_first() -> None:
    base = {"subject_id": "mobilenet_v3_small-baseline-9bfd99f6", "subject_sha256": "b" * 64}
    before = [bench(LEVELS, run_id="r1"), bench(LEVELS, run_id="r1", seed=3, **base)]
    after = [sped(bench(LEVELS, run_id="r2"), 1.5, size_bytes=7_000_000), bench(LEVELS, run_id="r2", seed=3, **base)]
    found = against(before, after)
    text = history_captions.against(found)
    assert text.startswith(TREND["worse"])
    assert [f"torchscript-fp32 is {word}" in text for word in ("slower", "larger", "less accurate")] == [True, True, False]
    assert len(history_rows.against_rows(found)) == 6


def test_latency_names_the_fastest_and_says_that_starts_are_too_few(measured: tuple[SubjectMetrics, ...]) -> None:
    text = captions.latency(measured)
    assert text.index(measured[1].label) < text.index(measured[0].label)
    assert "too few starts" in text


def test_latency_gives_the_interval_of_the_ratio(measured: tuple[SubjectMetrics, ...]) -> None:
    slow = timed(measured[0], *[(0.0200 + i / 1e5,) * 3 for i in range(8)])
    fast = timed(measured[1], *[(0.0100,) * 3 for i in range(8)])
    assert "2.00 times as long (95 % CI 2.00 to 2.01)" in captions.latency([slow, fast])


def test_latency_does_not_claim_what_noise_explains(measured: tuple[SubjectMetrics, ...]) -> None:
    a = timed(measured[0], *[(0.010 if i % 2 else 0.014,) for i in range(8)])
    b = timed(measured[1], *[(0.014 if i % 3 else 0.009,) for i in range(8)])
    assert INCONCLUSIVE.lower() in captions.latency([a, b])


def test_latency_of_one_gives_its_tail(measured: tuple[SubjectMetrics, ...]) -> None:
    text = captions.latency([timed(measured[0], (0.010,) * 100)])
    assert measured[0].label in text
    assert text.count("10.0 ms") == 2
    assert "100 runs" in text


def test_an_old_start_adds_import_load_and_first(measured: tuple[SubjectMetrics, ...]) -> None:
    b = measured[0].benchmark
    assert b is not None
    entry = replace(measured[0], benchmark=replace(b, import_s=1.0, load_s=0.2, first_s=0.3))
    assert f"{entry.label}, 1,500 ms" in captions.startup([entry])
