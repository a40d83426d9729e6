"""The charts of the Verify page: records -> plotly figures. No Streamlit call here, so each can be tested by its data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from udacisense.types import LayerGap, Localisation, Measures, Precision
from udacisense.verify import EXPECTED_DB
from ui.shared.chart_style import OTHER_COLOR, finish, format_color
from ui.shared.plain_text import in_chart
from ui.verify.rows import distribution as quantiles

BROKEN_COLOR = "#D55E00"
"""Okabe and Ito's vermillion: the layer that diverges, which a cross marks too."""
PALE = 8
"""A change of this many images has the full colour at least, so that one image is no dark spot."""


def classes(found: Measures, classes: Sequence[str], format_name: str) -> go.Figure:
    """Accuracy of each class before and after in percent, joined by a line; the class that lost most on top."""
    known = [(in_chart(name), c) for name, c in zip(classes, found.per_class, strict=True) if c]
    known.sort(key=lambda item: item[1].accuracy_after - item[1].accuracy_before)
    names = [name for name, _ in known]
    before, after = ([100 * getattr(c, side) for _, c in known] for side in ("accuracy_before", "accuracy_after"))
    fig = go.Figure()
    joined = [(name, old, new) for name, old, new in zip(names, before, after, strict=True)]
    fig.add_scatter(
        x=[x for _, old, new in joined for x in (old, new, None)],
        y=[y for name, _, _ in joined for y in (name, name, None)],
        mode="lines",
        line={"color": OTHER_COLOR, "width": 3},
        hoverinfo="skip",
        showlegend=False,
    )
    for label, values, color, symbol in (
        ("checkpoint", before, format_color("torch"), "circle-open"),
        ("converted file", after, format_color(format_name), "diamond"),
    ):
        fig.add_scatter(
            x=values,
            y=names,
            mode="markers",
            name=label,
            marker={"color": color, "symbol": symbol, "size": 11, "line": {"width": 2, "color": color}},
            hovertemplate=f"{label} %{{x:.1f}} %<extra>%{{y}}</extra>",
        )
    fig.update_xaxes(title="accuracy of the class, %")
    fig.update_yaxes(autorange="reversed", automargin=True, showgrid=True, type="category")
    return finish(fig, 34 * len(names) + 100, legend=True)


def confusion(found: Measures, classes: Sequence[str]) -> go.Figure:
    """Confusion matrix of the change: how many more (or fewer) images of a class get an answer; the diagonal is right."""
    change = np.array(found.confusion_after) - np.array(found.confusion_before)
    names = [in_chart(name) for name in classes]
    reach = max(PALE, int(np.abs(change).max()))
    fig = go.Figure(
        go.Heatmap(
            z=[[n or None for n in row] for row in change.tolist()],
            x=names,
            y=names,
            text=[[f"{n:+d}" if n else "" for n in row] for row in change.tolist()],
            texttemplate="%{text}",
            colorscale="PuOr",
            zmin=-reach,
            zmax=reach,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y} answered as %{x}: %{z:+d}<extra></extra>",
        )
    )
    fig.update_xaxes(title="answer", tickangle=-60, automargin=True)
    fig.update_yaxes(title="true class", autorange="reversed", automargin=True)
    return finish(fig, 430)


def distribution(before: np.ndarray, after: np.ndarray, format_name: str) -> go.Figure:
    """Share of all logits that moved by at most so much, on a logarithmic axis."""
    rows = [row for row in quantiles(before, after) if row["difference"]]
    fig = go.Figure(
        go.Scatter(
            x=[row["difference"] for row in rows],
            y=[row["percent_of_logits"] for row in rows],
            mode="lines",
            line={"color": format_color(format_name), "width": 3, "shape": "hv"},
            hovertemplate="%{y:.1f} % of the logits differ by at most %{x:.2e}<extra></extra>",
        )
    )
    fig.update_xaxes(type="log", exponentformat="power", dtick=1, title="absolute logit difference")
    fig.update_yaxes(title="logits, %", range=[0, 101])
    return finish(fig, 300)


def layers(record: Localisation, format_name: str, precision: Precision) -> go.Figure:
    """Signal to noise of each layer's output in dB, in the network's order; dashed: what rounding leaves at least."""
    top = max((g.sqnr_db for g in record.gaps if g.sqnr_db is not None), default=EXPECTED_DB[precision]) + 10
    names = [in_chart(g.name) for g in record.gaps]
    fig = go.Figure(
        go.Scatter(
            x=names,
            y=[_height(g, top) for g in record.gaps],
            mode="lines+markers",
            line={"color": format_color(format_name), "width": 2},
            marker={
                "size": [14 if g.name == record.departs else 8 for g in record.gaps],
                "symbol": ["x" if g.name == record.departs else "circle" for g in record.gaps],
                "color": [BROKEN_COLOR if g.name == record.departs else format_color(format_name) for g in record.gaps],
            },
            text=["identical" if g.sqnr_db is None else f"{g.sqnr_db:.1f} dB" for g in record.gaps],
            hovertemplate="%{x}: %{text}<extra></extra>",
        )
    )
    fig.add_hline(y=EXPECTED_DB[precision], line_dash="dash", line_color=OTHER_COLOR)
    if record.departs is not None:
        broken = next(g for g in record.gaps if g.name == record.departs)
        name = in_chart(broken.name)
        fig.add_annotation(x=name, y=_height(broken, top), text=f"{name} diverges", ax=60, ay=-44, font_size=13)
    fig.update_xaxes(type="category", tickangle=-60, automargin=True)
    fig.update_yaxes(
        title="signal to noise, dB (higher is closer)", range=[min(0.0, *(_height(g, top) for g in record.gaps)) - 3, top + 6]
    )
    return finish(fig, 360)


def _height(gap: LayerGap, top: float) -> float:
    """Height of a layer's point; identical values have no finite ratio and stand at the top."""
    return top if gap.sqnr_db is None else gap.sqnr_db
