"""Benchmark records -> plotly figures: distributions, the course of a run, scaling, starts, trade-offs, history.

No Streamlit call here. Lines hold as many points as a screen can show, not as many as runs were taken: the CSV has them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from udacisense.benchmark.drift import drift
from udacisense.metrics import stats
from udacisense.number_format import MB, NOT_MEASURED, count, ms
from udacisense.readiness.rules import Rule
from udacisense.types import Benchmark
from ui.benchmark.rows import CoursePoint, course_points, start_parts, whole_parts
from ui.shared.chart_style import OTHER_COLOR, SYMBOLS, finish, format_color, titled
from ui.shared.entries import SubjectMetrics, for_charts
from ui.shared.plain_text import in_chart

POINTS = 160
"""Points of a distribution's line."""
PERCENTILES = ((50, "P50", "circle"), (95, "P95", "diamond"), (99, "P99", "square"))
FAIL_SHADE = "rgba(140,140,140,0.16)"
STARTS = (("process", 0.2), ("import", 0.4), ("load", 0.7), ("first inference", 1.0))


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the rules in the units of a trade-off chart; None = no rule limits it."""

    most: float | None = None  # of the x axis
    least_top1: float | None = None  # percent


def latency(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """Share of the runs that end within a time, with P50, P95 and P99 marked; slow runs beyond the edge are counted."""
    fig = go.Figure()
    timed = [(e, e.benchmark) for e in for_charts(entries) if e.benchmark]
    for e, b in timed:
        times = np.asarray(b.steady_s) * 1000
        shares = np.linspace(0, 1, min(POINTS, times.size))
        fig.add_scatter(
            x=np.quantile(times, shares).round(4).tolist(),
            y=(shares * 100).round(2).tolist(),
            name=e.label,
            mode="lines",
            line={"color": format_color(e.format), "width": 2.5},
            hovertemplate="%{y:.0f} % within %{x:.2f} ms<extra>" + e.label + "</extra>",
        )
        fig.add_scatter(
            x=[stats.percentile(times, q) for q, _, _ in PERCENTILES],
            y=[q for q, _, _ in PERCENTILES],
            name=e.label,
            mode="markers",
            showlegend=False,
            marker={"color": format_color(e.format), "size": 10, "symbol": [s for _, _, s in PERCENTILES]},
            customdata=[name for _, name, _ in PERCENTILES],
            hovertemplate="%{customdata} %{x:.2f} ms<extra>" + e.label + "</extra>",
        )
    axis, edge = "time per image, ms · ● P50  ◆ P95  ■ P99", _edge_ms([b for _, b in timed])
    beyond = sum(s * 1000 > edge for _, b in timed for s in b.steady_s) if edge else 0
    if edge and beyond:
        slowest = max(max(b.steady_s) for _, b in timed)
        axis += f"<br>{count(beyond, 'run')} beyond the right edge, up to {ms(slowest)}"
        fig.update_xaxes(range=[0, edge])
    fig.update_xaxes(title=axis, rangemode="tozero")
    fig.update_yaxes(title="runs, %", range=[0, 102])
    return finish(fig, 360, legend=True)


def _edge_ms(timed: Sequence[Benchmark]) -> float:
    return max((stats.percentile(b.steady_s, 99) * 1300 for b in timed), default=0.0)


def course(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """The median of each block over the time of the run, a stroke for each start; a dashed line where the level changed."""
    fig = go.Figure()
    for number, e in enumerate(e for e in for_charts(entries) if e.benchmark):
        assert e.benchmark is not None
        points = _with_gaps(course_points(e.benchmark))
        fig.add_scatter(
            x=[p and round(p.at_s, 2) for p in points],
            y=[p and round(p.median_s * 1000, 4) for p in points],
            name=e.label,
            mode="lines+markers",
            line={"color": format_color(e.format), "width": 1.5},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
            hovertemplate="after %{x:.0f} s: %{y:.2f} ms<extra>" + e.label + "</extra>",
        )
        found = drift(e.benchmark)
        if found.course in ("slower", "faster") and found.change_at_s is not None:
            fig.add_vline(x=found.change_at_s, line_dash="dash", line_width=1.5, line_color=format_color(e.format))
    fig.update_yaxes(title="median of a block, ms", rangemode="tozero")
    fig.update_xaxes(title="seconds since the first block<br>dashed: change of level")
    return finish(fig, 340, legend=True)


def _with_gaps(points: Sequence[CoursePoint]) -> list[CoursePoint | None]:
    """The points with a gap before each further start: another process, so no line leads to it."""
    found: list[CoursePoint | None] = []
    for before, point in zip((None, *points), points, strict=False):
        found += [None, point] if before and before.start != point.start else [point]
    return found


def scaling(groups: Sequence[tuple[str, str, Sequence[Benchmark]]], by: str) -> go.Figure:
    """Images a second over threads or batch, a line for each subject; dotted: twice the threads, twice the images.

    Args:
        groups: label, format and the records of each subject, rising. by: "threads", "batch" or "background_processes".
    """
    fig = go.Figure()
    for number, (said, name, found) in enumerate(groups):
        label = in_chart(said)
        at = [getattr(b, by) for b in found]
        speeds = [stats.latency(b.steady_s, b.batch).images_per_s for b in found]
        color = format_color(name)
        fig.add_scatter(
            x=at,
            y=[round(v, 2) for v in speeds],
            name=label,
            mode="lines+markers",
            line={"color": color, "width": 2},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 10},
            hovertemplate="%{x}: %{y:.1f} images per second<extra>" + label + "</extra>",
        )
        if by == "threads" and at:
            ideal = {"x": [at[0], at[-1]], "y": [speeds[0], speeds[0] * at[-1] / at[0]]}
            fig.add_scatter(
                **ideal, mode="lines", line={"color": color, "width": 1, "dash": "dot"}, showlegend=False, hoverinfo="skip"
            )
    titles = {"threads": "threads<br>dotted: ideal scaling", "batch": "images per batch"}
    values = sorted({getattr(b, by) for _, _, found in groups for b in found})
    fig.update_xaxes(title=titles.get(by, "background processes (CPU load)"), tickvals=values)
    fig.update_yaxes(title="images per second", rangemode="tozero")
    return finish(fig, 320, legend=True)


def whole(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """End-to-end time per image: decoding, preprocessing, inference, in milliseconds."""
    fig, entries = go.Figure(), for_charts(entries)
    parts = [whole_parts(e.benchmark) if e.benchmark else None for e in entries]
    for place, (name, opacity) in enumerate((("decode", 0.3), ("preprocess", 0.6), ("infer", 1.0))):
        fig.add_bar(
            x=[None if p is None else p[place] * 1000 for p in parts],
            y=[e.label for e in entries],
            name=name,
            orientation="h",
            width=0.45,
            marker={"color": [format_color(e.format) for e in entries], "opacity": opacity},
            hovertemplate=name + " %{x:.2f} ms<extra>%{y}</extra>",
        )
    fig.update_layout(barmode="stack")
    texts = [NOT_MEASURED if p is None else f"{ms(sum(p))}, inference {ms(p[2])}" for p in parts]
    return titled(fig, [e.label for e in entries], texts, "ms: decode (pale), preprocess, infer (full)", break_title=True)


def startup(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """Cold start to first inference in milliseconds, median of the starts, phase by phase."""
    fig, entries = go.Figure(), for_charts(entries)
    parts = [start_parts(e.benchmark) if e.benchmark else None for e in entries]
    for place, (name, opacity) in enumerate(STARTS):
        fig.add_bar(
            x=[None if p is None or (s := p[place]) is None else s * 1000 for p in parts],
            y=[e.label for e in entries],
            name=name,
            orientation="h",
            width=0.45,
            marker={"color": [format_color(e.format) for e in entries], "opacity": opacity},
            hovertemplate=name + " %{x:.1f} ms<extra>%{y}</extra>",
        )
    fig.update_layout(barmode="stack")
    texts = [
        NOT_MEASURED if p is None else " · ".join(f"{name.split()[0]} {ms(v)}" for (name, _), v in zip(STARTS, p, strict=True))
        for p in parts
    ]
    axis = "ms: process (palest), import, load, first inference (full)"
    return titled(fig, [e.label for e in entries], texts, axis, break_title=True)


def tradeoff(entries: Sequence[SubjectMetrics], by: str, limits: Limits) -> go.Figure:
    """Top-1 accuracy over time or size; shaded where a rule fails, dotted along the Pareto front.

    Args:
        by: "time" (median of one image, ms; the mark's size is the file's) or "size" (MB).
    """
    fig = go.Figure()
    points = [(e, x, e.evaluation.top1 * 100) for e in for_charts(entries) if e.evaluation and (x := _x(e, by)) is not None]
    largest = max((e.size_bytes or 0 for e, _, _ in points), default=0) or 1
    front = sorted(pareto([(x, y) for _, x, y in points]))
    fig.add_scatter(
        x=[x for x, _ in front], y=[y for _, y in front], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": OTHER_COLOR, "width": 1.5, "dash": "dot", "shape": "hv"},
    )  # fmt: skip
    for number, (e, x, y) in enumerate(points):
        size = 12 + 16 * (e.size_bytes or 0) / largest if by == "time" else 15
        fig.add_scatter(
            x=[x],
            y=[y],
            name=e.label,
            mode="markers",
            marker={
                "color": format_color(e.format),
                "size": size,
                "symbol": SYMBOLS[number % len(SYMBOLS)],
                "line": {"width": 1},
            },
            hovertemplate=f"%{{x:.2f}} {'ms' if by == 'time' else 'MB'}, %{{y:.1f}} %<extra>{e.label}</extra>",
        )
    return _within(fig, points, limits, by)


def _x(e: SubjectMetrics, by: str) -> float | None:
    if by == "size":
        return None if e.size_bytes is None else e.size_bytes / MB
    return stats.median(e.benchmark.steady_s) * 1000 if e.benchmark else None


def _within(fig: go.Figure, points: Sequence[tuple[SubjectMetrics, float, float]], limits: Limits, by: str) -> go.Figure:
    xs, ys = [x for _, x, _ in points], [y for _, _, y in points]
    right = max([*xs, limits.most if limits.most and limits.most < 3 * max(xs, default=1) else 0], default=1) * 1.15
    low = max(min([*ys, limits.least_top1 or 100], default=0) - 4, 0)
    if limits.most is not None and limits.most < right:
        fig.add_vrect(x0=limits.most, x1=right, fillcolor=FAIL_SHADE, line_width=0, layer="below")
    if limits.least_top1 is not None:
        fig.add_hrect(y0=low, y1=limits.least_top1, fillcolor=FAIL_SHADE, line_width=0, layer="below")
    unit = "time per image, ms (larger mark: larger file)" if by == "time" else "MB on disk"
    fig.update_xaxes(title=f"{unit}<br>shaded: fails a rule · dotted: Pareto front", range=[0, right])
    fig.update_yaxes(title="top-1 accuracy, %", range=[low, min(max(ys, default=100) + 4, 101)])
    return finish(fig, 380, legend=True)


def limits(rules: Iterable[Rule], base: SubjectMetrics | None, by: str) -> Limits:
    """The strictest lines that rules draw in a trade-off chart; those against a baseline need its entry."""
    most: list[float] = []
    least: list[float] = []
    cost = _x(base, by) if base else None
    for rule in rules:
        if rule.limit is None:
            continue
        if (rule.measure, by) == ("latency", "time"):
            most.append(rule.limit)
        if (rule.measure, by) in (("time_saving", "time"), ("size_saving", "size")) and cost is not None:
            most.append(cost * (1 - rule.limit / 100))
        if rule.measure == "accuracy_loss" and base and base.evaluation:
            least.append(base.evaluation.top1 * 100 - rule.limit)
    return Limits(min(most, default=None), max(least, default=None))


def pareto(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points (smaller is better, larger is better) that no other point beats in both."""
    return [p for p in points if not any(q[0] <= p[0] and q[1] >= p[1] and q != p for q in points)]
