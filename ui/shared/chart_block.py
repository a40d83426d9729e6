"""Blocks of several pages: a chart with its caption and its CSV, a row of figures, a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from udacisense.types import DatasetRef
from ui.shared.plain_text import Markdown, escape
from ui.shared.rows import Row, to_csv

MISSING = "–"
"""A cell of a table that nobody measured."""
PLOT_CONFIG = {"displayModeBar": False, "scrollZoom": False, "responsive": True}


def chart(
    name: str, title: str, reading: str, figure: go.Figure, rows: Callable[[], Sequence[Row]], help: Markdown | None = None
) -> None:
    """A chart below its title and the sentence that reads it, with the figures behind it as CSV.

    Args:
        name: unique on the page; names the CSV file too.
        title: what the chart shows; left out where `reading` stands below a heading that says so.
        reading: one sentence made from the records; it is also what a screen reader says.
        figure: the chart.
        rows: gives the figures behind it, called when the file is asked for.
        help: a hint shown on hover.
    """
    with st.container(gap="small"):
        if title:
            st.markdown(f"**{escape(title)}**", help=help)
        st.markdown(escape(reading))
        st.plotly_chart(figure, key=f"chart_{name}", config=PLOT_CONFIG, alt=f"{title}. {reading}" if title else reading)
        csv_button(name, rows)


def csv_button(name: str, rows: Callable[[], Sequence[Row]]) -> None:
    """A small download button for rows as CSV; the file is made when it is asked for."""
    st.download_button(
        "CSV",
        data=lambda: to_csv(rows()),
        file_name=f"udacisense_{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def figures(items: Sequence[tuple[str, str, str | None]]) -> None:
    """Figures (label, value, hint) side by side, as many in a row as the screen is wide."""
    with st.grid(4, min_column_width=150, gap="small"):
        for label, value, hint in items:
            st.metric(escape(label), escape(value), help=escape(hint or "") or None, border=True)


def table(name: str, rows: Sequence[Row], columns: dict[str, Any], alt: str) -> None:
    """Rows as a table; `columns` gives the column_config of the columns that are shown, in their order."""
    st.dataframe(
        list(rows),
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        placeholder=MISSING,
        alt=alt,
        key=f"table_{name}",
    )
    csv_button(name, lambda: rows)


def remarks(found: Iterable[Markdown], data: DatasetRef | None = None) -> None:
    """Warnings of records in one box, each once; the one on the sample pack is left to `source_note`.

    Args:
        found: sentences, which may repeat.
        data: the images behind the records, where there are any.
    """
    on_sample = data is not None and data.source == "sample"
    kept = [w for w in dict.fromkeys(found) if not (on_sample and "sample pack" in w)]
    if kept:
        st.warning("\n\n".join(kept), icon=":material/warning:")
