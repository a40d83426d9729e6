"""The rows of a pipeline as charts: size, accuracy and time of each step, the start on top. No Streamlit call here.

All are checkpoints run by torch, so all have its colour. What nobody measured is a gap that says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from udacisense.metrics.stats import Estimate
from udacisense.number_format import MB, mb, ms, ratio_range, share
from udacisense.report.compression import Row
from ui.shared.chart_style import OTHER_COLOR, format_color, titled
from ui.shared.plain_text import in_chart

COLOR = format_color("torch")


def sizes(rows: Sequence[Row]) -> go.Figure:
    """Size of each file in MB (1,048,576 bytes)."""
    values = [None if row.size_bytes is None else row.size_bytes / MB for row in rows]
    fig = go.Figure(
        go.Bar(
            x=values,
            y=_names(rows),
            orientation="h",
            width=0.4,
            marker={"color": COLOR},
            hovertemplate="%{y}: %{x:.2f} MB<extra></extra>",
        )
    )
    return titled(fig, _names(rows), [mb(row.size_bytes) for row in rows], "MB", break_title=True)


def accuracies(rows: Sequence[Row]) -> go.Figure:
    """Top-1 on the test images in percent with its 95 % Wilson interval."""
    estimates = [row.top1_interval for row in rows]
    texts = [share(e) for e in estimates]
    sample = any(row.evaluation is not None and row.evaluation.data.source == "sample" for row in rows)
    fig = _points(rows, estimates, 100.0, "%{x:.1f} %")
    axis = "top-1, %, 95 % CI" + (" (rendered sample)" if sample else "")
    return titled(fig, _names(rows), texts, axis, break_title=True)


def times(rows: Sequence[Row]) -> go.Figure:
    """Time of one image over the start's, timed side by side, with its 95 % interval; the line is the start."""
    ratios = [row.speed.ratio if row.speed else None for row in rows]
    if rows and rows[0].benchmark is not None:
        ratios[0] = Estimate(1.0, 1.0, 1.0)
    texts = [_time_words(row, ratio) for row, ratio in zip(rows, ratios, strict=True)]
    fig = _points(rows, ratios, 1.0, "%{x:.2f} times as long")
    fig.add_vline(x=1.0, line_dash="dash", line_color=OTHER_COLOR)
    return titled(fig, _names(rows), texts, "time relative to the start, 95 % CI", break_title=True)


def _time_words(row: Row, ratio: Estimate | None) -> str:
    if ratio is None:
        return ms(row.median_s)
    interval = "" if ratio.low == ratio.high else f" ({ratio_range(ratio)})"
    return f"{ms(row.median_s)} · {ratio.value:.2f}{interval}"


def _points(rows: Sequence[Row], estimates: Sequence[Estimate | None], scale: float, template: str) -> go.Figure:
    known = [(in_chart(row.name), e) for row, e in zip(rows, estimates, strict=True) if e is not None]
    return go.Figure(
        go.Scatter(
            x=[e.value * scale for _, e in known],
            y=[name for name, _ in known],
            mode="markers",
            marker={"color": COLOR, "size": 12},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(e.high - e.value) * scale for _, e in known],
                "arrayminus": [(e.value - e.low) * scale for _, e in known],
                "thickness": 2,
                "width": 6,
            },
            hovertemplate="%{y}: " + template + "<extra></extra>",
        )
    )


def _names(rows: Sequence[Row]) -> list[str]:
    return [in_chart(row.name) for row in rows]
