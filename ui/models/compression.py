"""Views of compression on the Models page: lineage of a checkpoint, pipelines that ran, model card."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from udacisense.errors import UdaciSenseError
from udacisense.models.checkpoint import list_checkpoints
from udacisense.number_format import count
from udacisense.report.compression import Compressed, Row, compressed, lineage, pipelines_that_ran
from udacisense.report.compression_table import COLUMNS, grid
from udacisense.report.model_card import model_card
from udacisense.types import Checkpoint
from ui.models import charts as models_charts
from ui.shared.chart_block import PLOT_CONFIG, table
from ui.shared.jobs import job_button, job_panel
from ui.shared.plain_text import Markdown, code, escape
from ui.shared.rows import Row as TableRow
from ui.shared.widgets import empty_state, error_box, provenance_note

BUTTONS = (
    ("pipeline_03", "Run shipped pipeline", "Runs pipelines/pipeline_03.toml. It trains a model, which takes long."),
    (
        "single_techniques",
        "Run each technique alone",
        "Each on the baseline, measured the same way. It trains, which takes long.",
    ),
)
"""Pipeline, its button, its hint."""

TITLES = {"pipeline_03": "Shipped pipeline (pipeline_03)", "single_techniques": "Each technique alone"}
"""Pipeline, its title."""

SHOWN = ("step", "size", "time", "against the start", "top-1", "change", "parameters", "zeros", "multiply-adds")
"""The table's columns, those that matter most first: the others are a scroll away."""

DRAWN = {"Size": models_charts.sizes, "Accuracy": models_charts.accuracies, "Time": models_charts.times}
"""Title -> the chart below it."""


def origin(checkpoint: Checkpoint) -> None:
    """Lineage of a checkpoint, step by step, with size, accuracy and time of each."""
    way = lineage(checkpoint)
    if len(way) < 2:
        st.markdown("No compression step recorded for this file: it was trained, or came from elsewhere.")
        return
    here = {c.id for c in list_checkpoints().records}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for index, row in enumerate(way):
            if index:
                st.markdown(":material/arrow_forward:")
            _stop(row, row.subject_id in here and row.sha256 != checkpoint.sha256)
    charts("lineage", way)


def _stop(row: Row, linked: bool) -> None:
    if linked:
        st.page_link("pages/models.py", label=escape(row.name), query_params={"checkpoint": row.subject_id})
    else:
        st.markdown(f"**{escape(row.name)}**")


def charts(name: str, rows: Sequence[Row]) -> None:
    """Size, accuracy and time of each row."""
    drawn = (
        ("Size", models_charts.sizes),
        ("Accuracy", models_charts.accuracies),
        ("Time", models_charts.times),
    )
    with st.grid(3, min_column_width=280):
        for title, draw in drawn:
            figure = draw(rows)
            with st.container():
                st.markdown(f"**{title}**")
                st.plotly_chart(figure, key=f"{name}_{title}", config=PLOT_CONFIG, alt=f"{title} of {count(len(rows), 'step')}")


def pipelines(checkpoint: Checkpoint) -> None:
    """The pipelines that ran, one at a time, and buttons that run them; charts of the checkpoint's own lineage are above."""
    st.header("Compression", anchor=False)
    names = pipelines_that_ran()
    if not names:
        empty_state(
            "No pipeline has run yet",
            "A pipeline compresses the baseline step by step and measures every step. It trains, so it takes long: see "
            "`docs/compression.md`. A run that was stopped goes on where it was.",
            command="python -m udacisense compress --pipeline pipeline_03",
        )
    else:
        chosen = st.segmented_control("Pipeline", names, default=names[0], required=True, format_func=_title, key="pipeline")
        try:
            _pipeline(compressed(chosen or names[0]), checkpoint)
        except UdaciSenseError as exc:
            error_box(exc)
    with st.container(horizontal=True):
        for name, label, hint in BUTTONS:
            job_button(label, ["compress", "--pipeline", name], label, key=f"compress_{name}", help=hint, kind="secondary")
    job_panel("compress")


def _title(name: str) -> Markdown:
    """The title of a shipped pipeline; of another the name of its file."""
    return escape(TITLES.get(name, name))


def _pipeline(found: Compressed, checkpoint: Checkpoint) -> None:
    for failed in found.run.failed:
        said = f"Step {failed.place}, {failed.name} ({failed.technique}), failed: {failed.message}"
        st.error(escape(said), icon=":material/error:")
    st.markdown(_reading(found))
    done = [row for row in found.rows if row.message is None]
    if found.run.mode == "singles" or checkpoint.sha256 != done[-1].sha256:
        charts(found.run.pipeline, done)
    rows: list[TableRow] = [dict(zip(COLUMNS, cells, strict=True)) for cells in grid(found).rows]
    columns = {name: st.column_config.TextColumn(name.capitalize(), pinned=name == "step") for name in SHOWN}
    table(f"pipeline_{found.run.pipeline}", rows, columns, f"{count(len(rows), 'step')} with size, time and accuracy")
    st.markdown("\n".join(f"- **{escape(str(row['step']))}** {escape(str(row['verdict']))}" for row in rows[1:]))
    st.caption(
        "Times are of torch, one image per batch, all files timed in turns in one run; the interval is of the ratio. "
        "The change of accuracy is paired: the same images before and after."
    )
    provenance_note(found.run.made, found.run.id)


def _reading(found: Compressed) -> Markdown:
    """Number and kind of the steps in one sentence."""
    done, planned = len(found.run.steps), len(found.run.planned)
    kind = "each on the result of the previous one" if found.run.mode == "chain" else "each alone on the same checkpoint"
    return f"**{done:d} of {count(planned, 'step')}** done, {kind}, from {code(found.run.start_id)}."


def card(checkpoint: Checkpoint) -> None:
    """The model card, and its file; of a checkpoint that nobody described there is none."""
    if not checkpoint.described:
        st.markdown("No model card: nobody said which classes this file answers.")
        return
    text = model_card(checkpoint)
    st.download_button(
        "Download model card",
        data=text,
        file_name=f"{checkpoint.id}.card.md",
        mime="text/markdown",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.container(border=True):
        st.markdown(text)
