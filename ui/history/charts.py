"""Chart of the History page."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ui.history.rows import Line
from ui.shared.chart_style import SYMBOLS, finish, format_color
from ui.shared.plain_text import in_chart

DASHES = ("solid", "dash", "dot", "dashdot")


def history(lines: Sequence[Line]) -> go.Figure:
    """The average of each run with its 95 % interval, run after run; a line ends where the machine was another one."""
    fig = go.Figure()
    for number, line in enumerate(lines):
        name = in_chart(line.name)
        error = {"type": "data", "symmetric": False, "thickness": 1.5, "width": 4}
        fig.add_scatter(
            x=[in_chart(p.at) for p in line.points],
            y=[round(p.mean_s * 1000, 4) for p in line.points],
            error_y={
                **error,
                "array": [(p.high_s - p.mean_s) * 1000 for p in line.points],
                "arrayminus": [(p.mean_s - p.low_s) * 1000 for p in line.points],
            },
            name=name,
            mode="lines+markers",
            line={"color": format_color(line.format), "width": 1.5, "dash": DASHES[line.machine % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
            customdata=[in_chart(p.run_id) for p in line.points],
            hovertemplate="%{y:.2f} ms<br>%{x}<br>%{customdata}<extra>" + name + "</extra>",
        )
    fig.update_yaxes(title="time per image, ms (95 % CI)", rangemode="tozero")
    fig.update_xaxes(title="when (UTC)")
    return finish(fig, 380, legend=True)
