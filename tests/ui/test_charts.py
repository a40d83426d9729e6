"""The charts by the data that they hold: every measured value, no other, one colour for a format."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from tests.story import Story
from udacisense.formats import FORMATS
from udacisense.number_format import MB
from udacisense.records import store
from udacisense.report.artifact_evidence import collect
from udacisense.types import Evaluation
from ui.benchmark import charts as benchmark_charts
from ui.shared import charts
from ui.shared.chart_style import OTHER_COLOR, finish, format_color
from ui.shared.entries import Stage, SubjectMetrics, entries, stages, timed_entries

UNMEASURED = SubjectMetrics("nothing-fp32", "nothing fp32", "nothing", None)


@pytest.fixture
def measured(seeded_home: Story) -> tuple[SubjectMetrics, ...]:
    """The story's three subjects with every record, and one of which nothing is known."""
    subjects = (seeded_home.checkpoint, seeded_home.faithful, seeded_home.drifting)
    return (*timed_entries(seeded_home.benchmarks, subjects, seeded_home.evaluations), UNMEASURED)


def notes(fig: object) -> str:
    return "\n".join(note.text for note in fig.layout.annotations)  # type: ignore[attr-defined]


# --- colours -----------------------------------------------------------------------------------------------------------


def test_every_format_has_a_colour_of_its_own() -> None:
    colors = [format_color(name) for name in FORMATS]
    assert len({*colors, OTHER_COLOR}) == len(FORMATS) + 1
    assert format_color("brand new") == OTHER_COLOR


def test_colours_are_okabe_and_ito() -> None:
    """Okabe & Ito, "Color Universal Design", 2008; their black is left out, which would vanish on a dark page, and yellow
    is darker, which has a contrast of 1.3 on white."""
    palette = {"#E69F00", "#56B4E9", "#009E73", "#A98600", "#0072B2", "#D55E00", "#CC79A7"}
    assert {format_color(name) for name in FORMATS} == palette


def test_a_format_has_the_same_colour_in_every_chart(measured: tuple[SubjectMetrics, ...], seeded_home: Story) -> None:
    blue, orange, green = (format_color(f) for f in ("torch", "torchscript", "torchscript-lite"))
    wanted = [blue, orange, green]
    for chart in (charts.accuracy, charts.per_class):
        assert [trace.marker.color for trace in chart(measured).data] == wanted
    assert [trace.line.color for trace in benchmark_charts.course(measured).data] == wanted
    assert [trace.line.color for trace in benchmark_charts.latency(measured).data[::2]] == wanted
    for chart in (charts.sizes, charts.memory, benchmark_charts.startup, benchmark_charts.whole):
        assert list(chart(measured).data[0].marker.color[:3]) == wanted
    pipeline = charts.pipeline(stages(collect(seeded_home.drifting)), lambda s: s.top1, "{:.2f}", "share")
    assert list(pipeline.data[0].marker.color) == [blue, blue, green]
    assert charts.probabilities(["bed"], [1.0], "torchscript").data[0].marker.color == orange


# --- values ------------------------------------------------------------------------------------------------------------


def test_sizes_and_memory_are_in_mb_and_leave_gaps(measured: tuple[SubjectMetrics, ...], seeded_home: Story) -> None:
    sizes = charts.sizes(measured).data[0].x
    assert list(sizes[:3]) == pytest.approx([b.size_bytes / MB for b in seeded_home.benchmarks])
    assert sizes[3] is None
    assert list(charts.memory(measured).data[0].x) == [260.0, 260.0, 260.0, None]


def test_accuracy_shows_the_interval_around_the_share(measured: tuple[SubjectMetrics, ...]) -> None:
    fig = charts.accuracy(measured)
    assert len(fig.data) == 3
    record = measured[0].evaluation
    assert record is not None
    assert fig.data[0].x[0] == pytest.approx(record.top1 * 100)
    assert fig.data[0].error_x.array[0] > 0
    assert fig.data[0].error_x.arrayminus[0] > 0


def test_a_class_without_images_has_no_mark(measured: tuple[SubjectMetrics, ...]) -> None:
    entry = measured[0]
    assert entry.evaluation is not None
    record = replace(entry.evaluation, per_class=(None, *entry.evaluation.per_class[1:]))
    shown = charts.per_class([replace(entry, evaluation=record)]).data[0].x
    assert shown[0] is None
    assert shown[1] == pytest.approx(record.per_class[1] * 100)  # type: ignore[operator]


def test_confusion_is_the_record(seeded_home: Story) -> None:
    record = seeded_home.evaluations[2]
    assert [list(row) for row in charts.confusion(record).data[0].z] == [list(row) for row in record.confusion]


def test_differences_name_what_is_identical(seeded_home: Story) -> None:
    same, other = (charts.differences(v, "torchscript") for v in seeded_home.verifications)
    assert [note.text for note in same.layout.annotations] == ["identical"] * 3
    assert all(value is None for trace in same.data for value in trace.x)
    drifted = seeded_home.verifications[1]
    assert list(other.data[0].x) == [*(c.max_abs_diff for c in drifted.checks), drifted.max_abs_diff]
    assert list(other.data[1].x) == [*(c.mean_abs_diff for c in drifted.checks), drifted.mean_abs_diff]
    assert other.layout.shapes[0].x0 == drifted.checks[0].tolerance


def test_differences_survive_a_record_without_random_inputs(seeded_home: Story) -> None:
    fig = charts.differences(replace(seeded_home.verifications[0], checks=()), "torchscript")
    assert not fig.layout.shapes


# --- baseline to mobile ------------------------------------------------------------------------------------------------

BASELINE = Stage("Baseline", "torch", "b", 6_253_445, 0.8, 0.007)
MOBILE = Stage("Mobile", "torchscript", "m", 2_000_000, None, None)


def test_pipeline_leaves_a_gap_for_what_nobody_measured() -> None:
    optimized = Stage("Optimized", "torch", "o", 3_000_000, 0.79, None)
    fig = charts.pipeline([BASELINE, optimized, MOBILE], lambda s: s.latency_s, "{:.3f} s", "seconds")
    assert list(fig.data[0].y) == [0.007, None, None]
    assert list(fig.data[0].text) == ["0.007 s", "", ""]
    assert [(note.x, note.text) for note in fig.layout.annotations] == [
        ("Optimized", "not<br>measured"),
        ("Mobile", "not<br>measured"),
    ]


def test_pipeline_says_none_where_there_is_no_such_stage() -> None:
    fig = charts.pipeline([BASELINE, Stage("Optimized", "torch", None, None, None, None)], lambda s: s.top1, "{}", "")
    assert [note.text for note in fig.layout.annotations] == ["none"]


def test_pipeline_of_nothing_measured_draws() -> None:
    fig = charts.pipeline([MOBILE], lambda s: s.top1, "{}", "")
    assert list(fig.data[0].y) == [None]


# --- shape -------------------------------------------------------------------------------------------------------------


def test_charts_of_nothing_do_not_fail() -> None:
    for chart in (
        benchmark_charts.latency,
        benchmark_charts.course,
        benchmark_charts.startup,
        benchmark_charts.whole,
        charts.sizes,
        charts.memory,
        charts.accuracy,
        charts.per_class,
    ):
        assert chart([]).layout.height > 0
        assert chart([UNMEASURED]).layout.height > 0


def test_no_chart_fixes_a_text_colour_or_a_background(measured: tuple[SubjectMetrics, ...], seeded_home: Story) -> None:
    """Both are the theme's, so that light and dark are readable."""
    figures = [
        benchmark_charts.latency(measured),
        charts.sizes(measured),
        charts.differences(seeded_home.verifications[1], "torch"),
    ]
    for fig in figures:
        assert fig.layout.font.color is None
        assert fig.layout.plot_bgcolor is None
        assert fig.layout.paper_bgcolor is None
        assert all(note.font.color is None for note in fig.layout.annotations)


def test_a_phone_can_scroll_past_a_chart(measured: tuple[SubjectMetrics, ...]) -> None:
    assert benchmark_charts.latency(measured).layout.dragmode is False


def test_a_legend_of_many_names_makes_a_chart_taller() -> None:
    """On a phone each name takes a line, and the legend at most half of the chart."""
    few, many = (go.Figure([go.Scatter(y=[1], name=str(n)) for n in range(names)]) for names in (2, 17))
    assert finish(few, 340, legend=True).layout.height == 340
    assert finish(many, 380, legend=True).layout.height > 2 * 17 * 19


def test_entries_without_a_run_show_accuracy_and_size_only(seeded_home: Story) -> None:
    found = entries((seeded_home.checkpoint, seeded_home.drifting), store.records(Evaluation).records)
    assert [e.benchmark for e in found] == [None, None]
    assert [e.evaluation.subject_id for e in found if e.evaluation] == [seeded_home.checkpoint.id, seeded_home.drifting.id]
    assert notes(benchmark_charts.startup(found)).count("not measured") == 2
