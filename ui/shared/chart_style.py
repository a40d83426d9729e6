"""The shape that all charts share: one colour for a format, rows with their name and value above them, quiet axes."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from udacisense.formats import FORMATS

OTHER_COLOR = "#8C8C8C"
SYMBOLS = ("circle", "diamond", "square", "x", "cross", "triangle-up", "star", "hexagon")

_ROW_PX = 58
_TITLE_SHIFT_PX = 19
LEGEND_LINE_PX = 22
"""On a phone each name takes a line of its own above the chart, which must not be squeezed by them."""
LEGEND_LINES = 3
"""Lines of a legend that the height of a chart leaves room for."""
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0, "title": None}


def format_color(name: str) -> str:
    """The colour of a format, the same on every page; grey for one that is not known here or says none."""
    known = FORMATS.get(name)
    return (known.color if known else None) or OTHER_COLOR


def titled(
    fig: go.Figure, labels: Sequence[str], texts: Sequence[str], axis: str, row_px: int = _ROW_PX, break_title: bool = False
) -> go.Figure:
    """Horizontal rows, the first on top, each with its name and value above it."""
    for label, text in zip(labels, texts, strict=True):
        fig.add_annotation(
            xref="paper",
            x=0,
            y=label,
            text=f"<b>{label}</b>{'<br>' if break_title else '  '}{text}",
            xanchor="left",
            yanchor="bottom",
            align="left",
            yshift=_TITLE_SHIFT_PX * row_px / _ROW_PX - 6,
            showarrow=False,
        )
    extra = 18 if break_title else 0
    fig.update_yaxes(visible=False, categoryorder="array", categoryarray=list(labels), range=[len(labels) - 0.6, -0.8])
    fig.update_xaxes(title=axis)
    return finish(fig, (row_px + extra) * max(len(labels), 1) + 60)


def finish(fig: go.Figure, height: int, legend: bool = False) -> go.Figure:
    """The figure with its height in pixels, room for its legend, thin margins and no dragging, so that a thumb scrolls past."""
    names = sum(trace.showlegend is not False for trace in fig.data) if legend else 0
    return fig.update_layout(
        height=height + LEGEND_LINE_PX * max(names - LEGEND_LINES, 0),
        margin={"l": 0, "r": 12, "t": 34 if legend else 8, "b": 0},
        showlegend=legend,
        legend=LEGEND,
        dragmode=False,
        hoverlabel={"namelength": -1},
    )
