"""Views of the Verify page: one verification, and the layer-by-layer comparison."""

from __future__ import annotations

import streamlit as st

from udacisense.artifacts import cannot_run
from udacisense.number_format import count, percent, when
from udacisense.records import queries
from udacisense.records.queries import Found, Row, is_real
from udacisense.report.equivalence import psnr
from udacisense.report.sample_limit import what_counts
from udacisense.types import Artifact, Localisation, Verification
from udacisense.verify import FLOATS, accuracy_verdict, reason_of, split
from ui.shared import cache
from ui.shared import captions as shared_captions
from ui.shared import charts as shared_charts
from ui.shared import rows as shared_rows
from ui.shared.chart_block import chart, figures, remarks, table
from ui.shared.jobs import job_button, job_panel
from ui.shared.plain_text import code, escape
from ui.shared.widgets import empty_state, equivalence_badge, listing_problems, rule_badge_text, source_note
from ui.verify import captions, charts, rows
from ui.verify.flip_browser import browse

OLDER = "Not measured: this record was made before the measure existed. Verify again to measure it."
LAYERS = "Layer-by-layer comparison"

CHECK_COLUMNS = {
    "input": st.column_config.TextColumn("Input"),
    "inputs": st.column_config.NumberColumn("Images", format="localized"),
    "largest_difference": st.column_config.NumberColumn("Max difference", format="%.3g", help="in logits"),
    "mean_difference": st.column_config.NumberColumn("Mean difference", format="%.3g", help="in logits"),
    "same_answers": st.column_config.CheckboxColumn("Same answers"),
    "within_tolerance": st.column_config.CheckboxColumn("Within tolerance", help="empty: the tolerance does not apply"),
}
MEASURE_COLUMNS = {
    "measure": st.column_config.TextColumn("Measure"),
    "value": st.column_config.TextColumn("Value"),
    "meaning": st.column_config.TextColumn("Meaning"),
}
LAYER_COLUMNS = {
    "place": st.column_config.TextColumn("Layer"),
    "sqnr_db": st.column_config.NumberColumn("Signal to noise", format="%.1f dB", help="empty: identical values"),
    "largest_difference": st.column_config.NumberColumn("Max difference", format="%.3g", help="in the layer's units"),
    "shape": st.column_config.TextColumn("Shape"),
    "value_in_file": st.column_config.TextColumn(
        "Value in the file", help="the file's name of the closest value; empty: not measured"
    ),
    "diverges": st.column_config.CheckboxColumn("Diverges"),
}


def pick_record(found: Found[Verification]) -> Verification | None:
    """The verification to show, the one that counts unless the visitor picks another; None = its file has gone meanwhile.

    Real images come before the rendered sample, as everywhere, and what is exploratory last.
    """
    newest_first = found.rows[::-1]
    by_id = {row.id: row for row in sorted(newest_first, key=lambda row: (row["exploratory"], not is_real(row)))}
    if len(by_id) == 1:
        return found.newest()
    chosen: str = st.selectbox(
        "Verification",
        list(by_id),
        format_func=lambda i: _named(by_id[i]),
        key="pick_verification",
    )
    return found.where(lambda row: row.id == chosen).newest()


def _named(row: Row) -> str:
    said = f"{when(row.created)} · {count(row['images'], 'image')} · {row['source']}"
    return f"{said} · exploratory" if row["exploratory"] else said


def verdict(record: Verification, artifact: Artifact) -> None:
    """The verdict's badge with its reason, the change of accuracy, and the figures that it rests on."""
    instead = what_counts(record)
    counts = not (record.exploratory or instead)
    if instead:
        st.info(escape(instead), icon=":material/view_in_ar:")
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, gap="small"):
            equivalence_badge(record.verdict if counts else "unknown")
        st.markdown(f"## {escape(shared_captions.agreement(record))}")
        st.markdown(escape(reason_of(record, artifact.precision)))
        status, accuracy = accuracy_verdict(record)
        st.markdown(f"{rule_badge_text(status)} {escape(accuracy)}" if status else escape(accuracy))
    if record.exploratory:
        st.warning(f"{escape(record.exploratory_words)} Verify again with the rule's tolerance.", icon=":material/science:")
    source_note(record.data)
    remarks(map(escape, record.warnings), record.data)
    breaks, ties = split(record.flips)
    figures(
        [
            ("Agreement", percent(record.agreement), "Share of the test images with the same top-1 class."),
            (
                "Changed answers",
                f"{len(record.flips):,}",
                f"{count(len(breaks), 'real break')}, {count(len(ties), 'near-tie')}.",
            ),
            ("Accuracy", percent(record.accuracy_after), f"Top-1; the checkpoint's is {percent(record.accuracy_before)}."),
            ("PSNR", psnr(record), "Signal-to-noise ratio of the logits in decibels; higher is closer."),
        ]
    )


# --- views --------------------------------------------------------------------------------------------------------------


def changed(record: Verification, artifact: Artifact) -> None:  # noqa: ARG001 - every view has this shape
    """The images whose answer changed."""
    browse(record)


def classes(record: Verification, artifact: Artifact) -> None:
    """Accuracy by class, and the change of each kind of mistake."""
    found = record.measures
    if found is None or not any(found.per_class):
        st.info(OLDER if found is None else escape(captions.classes(found, record.classes)), icon=":material/info:")
        return
    reading, figure = captions.classes(found, record.classes), charts.classes(found, record.classes, artifact.format)
    chart("classes", "Accuracy by class", reading, figure, lambda: rows.classes(found, record.classes))
    reading, figure = captions.confusion(found, record.classes), charts.confusion(found, record.classes)
    chart(
        "confusion",
        "Confusion matrix, change from checkpoint to file",
        reading,
        figure,
        lambda: rows.confusion(found, record.classes),
    )


def differences(record: Verification, artifact: Artifact) -> None:
    """Differences of the logits: by input, as a distribution, and in every measure."""
    held = artifact.precision in FLOATS  # a coarser file is held to its share of equal answers instead
    columns = {name: column for name, column in CHECK_COLUMNS.items() if held or name != "within_tolerance"}
    table("inputs", shared_rows.checks(record), columns, "Differences for each kind of input")
    figure = shared_charts.differences(record, artifact.format, tolerance=held)
    reading = captions.inputs(record) if held else captions.largest(record)
    chart("differences", "Max logit difference by input", reading, figure, lambda: shared_rows.checks(record))
    raw = cache.raw_answers(record)
    if raw is None:
        st.info(
            "Distribution not drawn: the logits of this verification are not on this machine. Verify again to have them.",
            icon=":material/info:",
        )
    else:
        before, after = (side.logits for side in raw)
        figure = charts.distribution(before, after, artifact.format)
        reading = captions.distribution(before, after)
        chart(
            "distribution",
            "Distribution of the logit differences",
            reading,
            figure,
            lambda: rows.distribution(before, after),
        )
    table("measures", rows.measures(record), MEASURE_COLUMNS, "Every measure of the two files' answers")


def layers(record: Verification | None, artifact: Artifact) -> None:  # noqa: ARG001 - every view has this shape
    """The first layer whose output diverges from the checkpoint's, found by a job of its own."""
    command = ["locate", artifact.id]
    with st.container(horizontal=True, vertical_alignment="center"):
        unable = cannot_run(artifact) is not None
        job_button(
            "Compare layers", command, f"Compare the layers of {artifact.id}", "locate", disabled=unable, kind="secondary"
        )
        st.caption("Compares the output of every block on ten test images, the first of each class.")
    job_panel("locate")
    listing_problems(queries.unreadable(Localisation))
    newest = queries.locations_of(artifact.sha256).newest()
    if newest is None:
        empty_state(
            "Layers not compared yet",
            "The comparison names the first block whose output differs. Formats that show their intermediate values take "
            "seconds; for the others the network is converted block by block, which takes minutes.",
            command=f"python -m udacisense {' '.join(command)}",
        )
        return
    figure = charts.layers(newest, artifact.format, artifact.precision)
    chart("layers", "", captions.layers(newest), figure, lambda: rows.layers(newest))
    for said in newest.warnings:
        st.caption(escape(said))
    table("places", rows.layers(newest), LAYER_COLUMNS, "Every layer that was compared")
    st.caption(f"Record {code(newest.id)}, made {escape(when(newest.made.created))} by {code(newest.made.command)}")


VIEWS = {"Changed answers": changed, "Classes": classes, "Differences": differences, LAYERS: layers}
