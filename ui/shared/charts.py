"""Records -> plotly figures. No Streamlit call here, so every figure can be tested by its data.

One colour for a format everywhere (Okabe-Ito, told apart by colour-blind people). The name and the value of a row stand above
its bar, so that a phone's width is left to the bar, and no value is read from colour alone. What nobody measured is a gap
that says so, never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from udacisense.number_format import MB, NOT_MEASURED, mb, percent
from udacisense.types import Evaluation, Verification
from udacisense.verify import input_name
from ui.shared.chart_style import OTHER_COLOR, SYMBOLS, finish, format_color, titled
from ui.shared.entries import Stage, SubjectMetrics, for_charts, top1_interval
from ui.shared.plain_text import in_chart


def sizes(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """Size of each file in MB (1,048,576 bytes)."""
    return _byte_bars(for_charts(entries), [e.size_bytes for e in entries], "MB")


def memory(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """Highest resident memory of the process that ran each subject, in MB (1,048,576 bytes)."""
    peaks = [e.benchmark.peak_rss_bytes if e.benchmark else None for e in entries]
    return _byte_bars(for_charts(entries), peaks, "peak memory, MB")


def accuracy(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """Top-1 accuracy in percent with its 95 % Wilson interval.

    Raises:
        ValueError: the accuracies are of different images.
    """
    entries, where = for_charts(entries), _images(entries)
    fig = go.Figure()
    for e in (e for e in entries if e.evaluation):
        assert e.evaluation is not None
        _, low, high = top1_interval(e.evaluation)
        top1 = e.evaluation.top1
        error = {"type": "data", "symmetric": False, "array": [(high - top1) * 100], "arrayminus": [(top1 - low) * 100]}
        fig.add_scatter(
            x=[top1 * 100],
            y=[e.label],
            name=e.label,
            mode="markers",
            error_x={**error, "thickness": 2, "width": 6},
            marker={"color": format_color(e.format), "size": 12},
            hovertemplate="%{x:.1f} %<extra>" + e.label + "</extra>",
        )
    texts = [f"{percent(e.evaluation.top1)} of {e.evaluation.images:,}" if e.evaluation else NOT_MEASURED for e in entries]
    return _rows(fig, entries, texts, f"top-1 accuracy, %{where}, with 95 % interval")


def _images(entries: Sequence[SubjectMetrics]) -> str:
    """What an axis says of the images behind it: nothing where they are real ones."""
    found = {e.evaluation.data.dataset_id: e.evaluation.data for e in entries if e.evaluation}
    if len(found) > 1:
        raise ValueError(f"accuracies of different images cannot stand in one chart: {sorted(found)}")
    return " on the rendered sample" if any(data.source == "sample" for data in found.values()) else ""


def per_class(entries: Sequence[SubjectMetrics]) -> go.Figure:
    """Share of each class that was recognised, in percent, a mark per subject; a class without images has no mark.

    Raises:
        ValueError: the shares are of different images.
    """
    entries, where = for_charts(entries), _images(entries)
    fig = go.Figure()
    for number, e in enumerate(e for e in entries if e.evaluation):
        assert e.evaluation is not None
        fig.add_scatter(
            x=[None if share is None else share * 100 for share in e.evaluation.per_class],
            y=[in_chart(name) for name in e.evaluation.classes],
            name=e.label,
            mode="markers",
            marker={
                "color": format_color(e.format),
                "symbol": SYMBOLS[number % len(SYMBOLS)],
                "size": 13 - 2 * (number % 4),
                "opacity": 0.85,
            },
            hovertemplate="%{y}: %{x:.1f} %<extra>" + e.label + "</extra>",
        )
    fig.update_xaxes(title=f"accuracy of the class, %{where}")
    fig.update_yaxes(autorange="reversed", automargin=True, showgrid=True)
    return finish(fig, 420, legend=True)


def confusion(evaluation: Evaluation) -> go.Figure:
    """Images by true class (rows) and answer (columns); the diagonal is right."""
    counts = [list(row) for row in evaluation.confusion]
    names = [in_chart(name) for name in evaluation.classes]
    fig = go.Figure(
        go.Heatmap(
            z=counts,
            x=names,
            y=names,
            text=[[str(n) if n else "" for n in row] for row in counts],
            texttemplate="%{text}",
            colorscale="Cividis",
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y} answered as %{x}: %{z}<extra></extra>",
        )
    )
    fig.update_xaxes(title="answer", tickangle=-60, automargin=True)
    fig.update_yaxes(title="true class", autorange="reversed", automargin=True)
    return finish(fig, 430)


def differences(verification: Verification, format_name: str, tolerance: bool = True) -> go.Figure:
    """Max and mean logit difference for each kind of input, on a logarithmic axis; a difference of 0 is written out.

    Args:
        tolerance: draw the tolerance; without it where the file is not held to one.
    """
    limits = [c.tolerance for c in verification.checks[:1]] if tolerance else []
    rows = [(in_chart(input_name(c)), c.max_abs_diff, c.mean_abs_diff) for c in verification.checks]
    rows.append((f"{verification.images:,} test images", verification.max_abs_diff, verification.mean_abs_diff))
    labels = [name for name, _, _ in rows]
    fig = go.Figure()
    for name, symbol, values in (
        ("max", "diamond", [r[1] for r in rows]),
        ("mean", "circle-open", [r[2] for r in rows]),
    ):
        fig.add_scatter(
            x=[v or None for v in values],
            y=labels,
            name=name,
            mode="markers",
            marker={"symbol": symbol, "size": 12, "color": format_color(format_name), "line": {"width": 2}},
            hovertemplate=name + " %{x:.2e}<extra>%{y}</extra>",
        )
    for limit in limits:
        fig.add_vline(x=limit, line_dash="dash", line_color=OTHER_COLOR)
    values = [v for _, high, mean in rows for v in (high, mean) if v] + limits
    decades = [math.log10(v) for v in values] or [0.0]
    lowest = math.floor(min(decades)) - 1
    fig.update_xaxes(
        type="log",
        exponentformat="power",
        dtick=max(1, round((max(decades) - lowest) / 5)),
        range=[lowest, max(decades) + 0.5],
        title="logit difference" + (" (dashed: tolerance)" if limits else ""),
    )
    for name in (name for name, high, _ in rows if high == 0):
        fig.add_annotation(xref="paper", x=0.02, y=name, text="identical", xanchor="left", yanchor="bottom", showarrow=False)
    fig.update_yaxes(autorange="reversed", automargin=True, showgrid=True, type="category")
    return finish(fig, 52 * len(rows) + 100, legend=True)


def pipeline(stages: Sequence[Stage], value: Callable[[Stage], float | None], template: str, unit: str) -> go.Figure:
    """One figure of baseline -> optimized -> mobile; a stage without the figure is a gap that says so."""
    values = [value(s) for s in stages]
    fig = go.Figure(
        go.Bar(
            x=[s.name for s in stages],
            y=values,
            text=["" if v is None else template.format(v) for v in values],
            textposition="outside",
            cliponaxis=False,
            width=0.6,
            marker={"color": [format_color(s.format) for s in stages]},
            hovertemplate="%{x}: %{text}<extra></extra>",
        )
    )
    for stage, known in zip(stages, values, strict=True):
        if known is None:
            text = NOT_MEASURED.replace(" ", "<br>") if stage.subject_id else "none"
            fig.add_annotation(x=stage.name, y=0, text=text, showarrow=False, yanchor="bottom")
    top = max((v for v in values if v is not None), default=1.0)
    fig.update_yaxes(title=unit, range=[0, top * 1.18])
    fig.update_xaxes(categoryorder="array", categoryarray=[s.name for s in stages], range=[-0.5, len(stages) - 0.5])
    return finish(fig, 270)


def probabilities(names: Sequence[str], shares: Sequence[float], format_name: str) -> go.Figure:
    """The best answers and their probabilities in percent, best on top."""
    fig = go.Figure(
        go.Bar(
            x=[p * 100 for p in shares],
            y=list(names),
            orientation="h",
            width=0.35,
            marker={"color": format_color(format_name)},
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    )
    fig = titled(fig, list(names), [percent(p) for p in shares], "", row_px=40)
    return fig.update_xaxes(range=[0, 100], visible=False)


def _byte_bars(entries: Sequence[SubjectMetrics], values: Sequence[int | None], axis: str) -> go.Figure:
    fig = go.Figure(
        go.Bar(
            x=[None if v is None else v / MB for v in values],
            y=[e.label for e in entries],
            orientation="h",
            width=0.45,
            marker={"color": [format_color(e.format) for e in entries]},
            hovertemplate="%{x:.2f} MB<extra>%{y}</extra>",
        )
    )
    return _rows(fig, entries, [mb(v) for v in values], axis).update_xaxes(rangemode="tozero")


def _rows(
    fig: go.Figure, entries: Sequence[SubjectMetrics], texts: Sequence[str], axis: str, break_title: bool = False
) -> go.Figure:
    return titled(fig, [e.label for e in entries], texts, axis, break_title=break_title)
