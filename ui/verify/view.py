"""What the Verify page draws from one verification, and from the search along the network."""

from __future__ import annotations

import streamlit as st

from udacisense.artifacts import cannot_run
from udacisense.number_format import count, percent, when
from udacisense.records import queries
from udacisense.records.queries import Found, Row, is_real
from udacisense.report.equivalence import psnr
from udacisense.report.sample_limit import what_counts
from udacisense.types import Artifact, Equivalence, Localisation, Status, Verification
from udacisense.verify import accuracy_verdict, split
from ui.shared import cache
from ui.shared import captions as shared_captions
from ui.shared import charts as shared_charts
from ui.shared import rows as shared_rows
from ui.shared.chart_block import chart, figures, remarks, table
from ui.shared.jobs import job_button, job_panel
from ui.shared.plain_text import code, escape
from ui.shared.widgets import empty_state, listing_problems, sameness_badge, source_note, status_badge, status_text
from ui.verify import captions, charts, rows
from ui.verify.flip_browser import browse

STATUSES: dict[Equivalence, Status] = {"same": "pass", "different": "fail", "unknown": "unknown"}
OLDER = "This record is older than this measure. Verify again to have it."

CHECK_COLUMNS = {
    "input": st.column_config.TextColumn("Input"),
    "inputs": st.column_config.NumberColumn("Images", format="localized"),
    "largest_difference": st.column_config.NumberColumn("Largest difference", format="%.2e", help="in logits"),
    "mean_difference": st.column_config.NumberColumn("Mean difference", format="%.2e", help="in logits"),
    "same_answers": st.column_config.CheckboxColumn("Same answers"),
    "within_tolerance": st.column_config.CheckboxColumn("Within tolerance", help="empty: the tolerance is for small inputs"),
}
MEASURE_COLUMNS = {
    "measure": st.column_config.TextColumn("Measure"),
    "value": st.column_config.TextColumn("Value"),
    "meaning": st.column_config.TextColumn("Meaning"),
}
ALONG_COLUMNS = {
    "place": st.column_config.TextColumn("Place"),
    "sqnr_db": st.column_config.NumberColumn("Signal to noise", format="%.1f dB", help="empty: identical values"),
    "largest_difference": st.column_config.NumberColumn("Largest difference", format="%.2e"),
    "shape": st.column_config.TextColumn("Shape"),
    "value_in_file": st.column_config.TextColumn("Value in the file", help="what the file calls the value that comes closest"),
    "departs": st.column_config.CheckboxColumn("Departs"),
}


def pick_record(found: Found[Verification]) -> Verification | None:
    """The record to look at, the one that counts unless the visitor picks another; None = its file has gone meanwhile.

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


def verdict(record: Verification) -> None:
    """PASS, FAIL or unknown with the reason, the accuracy beside it, and the figures that it rests on."""
    instead = what_counts(record)
    counts = not (record.exploratory or instead)
    if instead:
        st.info(escape(instead), icon=":material/view_in_ar:")
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, gap="small"):
            status_badge(STATUSES[record.verdict] if counts else "unknown")
            sameness_badge(record.verdict if counts else "unknown")
        st.markdown(f"#### {escape(shared_captions.agreement(record))}")
        st.markdown(escape(record.reason))
        status, accuracy = accuracy_verdict(record)
        st.markdown(f"{status_text(status)} {escape(accuracy)}" if status else escape(accuracy))
    if record.exploratory:
        st.warning(f"{escape(record.exploratory_words)} Verify again to have it judged.", icon=":material/science:")
    source_note(record.data)
    remarks(map(escape, record.warnings), record.data)
    breaks, ties = split(record.flips)
    figures(
        [
            ("Same answer", percent(record.agreement), "Share of the test images with the same top-1 class."),
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
    """Accuracy by class, and which mistakes grew."""
    found = record.measures
    if found is None or not any(found.per_class):
        st.info(OLDER if found is None else escape(captions.classes(found)), icon=":material/info:")
        return
    reading, figure = captions.classes(found), charts.classes(found, artifact.format)
    chart("classes", "Accuracy of each class", reading, figure, lambda: rows.classes(found))
    reading, figure = captions.confusion(found), charts.confusion(found)
    chart("confusion", "Answers that became more or less frequent", reading, figure, lambda: rows.confusion(found))


def differences(record: Verification, artifact: Artifact) -> None:
    """How far the logits are apart: by input, as a distribution, and in every measure."""
    table("inputs", shared_rows.checks(record), CHECK_COLUMNS, "Differences for each kind of input")
    figure = shared_charts.differences(record, artifact.format)
    reading = captions.inputs(record)
    chart("differences", "How far the logits are apart, by input", reading, figure, lambda: shared_rows.checks(record))
    raw = cache.raw_answers(record)
    if raw is None:
        st.info(
            "The raw answers are not on this machine, so their distribution is not drawn. Verify again.", icon=":material/info:"
        )
    else:
        before, after = (side.logits for side in raw)
        figure = charts.distribution(before, after, artifact.format)
        reading = captions.distribution(before, after)
        chart(
            "distribution",
            "How far they are apart, logit by logit",
            reading,
            figure,
            lambda: rows.distribution(before, after),
        )
    table("measures", rows.measures(record), MEASURE_COLUMNS, "Every measure of the two files' answers")


def along(record: Verification | None, artifact: Artifact) -> None:  # noqa: ARG001 - every view has this shape
    """The first block of the network whose output departs, found by a job of its own."""
    command = ["locate", artifact.id]
    with st.container(horizontal=True, vertical_alignment="center"):
        unable = cannot_run(artifact) is not None
        job_button("Look along the network", command, f"Look along {artifact.id}", "locate", disabled=unable)
        st.caption("Compares what comes out of every block on ten test images, the first of each class.")
    job_panel("locate")
    listing_problems(queries.unreadable(Localisation))
    newest = queries.locations_of(artifact.sha256).newest()
    if newest is None:
        empty_state(
            "Not looked at yet",
            "Where a file differs, this names the first block that does it. Start it with the button above; formats that show "
            "their inner values take seconds, the others convert beginnings of the network and take minutes.",
            command=f"python -m udacisense {' '.join(command)}",
        )
        return
    figure = charts.along(newest, artifact.format, artifact.precision)
    chart("along", "", captions.along(newest), figure, lambda: rows.along(newest))
    for said in newest.warnings:
        st.caption(escape(said))
    table("places", rows.along(newest), ALONG_COLUMNS, "Every place that was compared")
    st.caption(f"Record {code(newest.id)}, made {escape(when(newest.made.created))} by {code(newest.made.command)}")


VIEWS = {"Changed answers": changed, "Classes": classes, "Differences": differences, "Along the network": along}
