"""What the Verify page draws from one verification."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from udacisense.data.dataset import Dataset
from udacisense.errors import UdaciSenseError
from udacisense.labels import CLASSES
from udacisense.types import Flip, Sameness, Status, Verification
from ui import cache, charts, readings, tables
from ui.panels import chart, figures, remarks, table
from ui.widgets import sameness_badge, source_note, status_badge
from ui.words import count, percent, when

STATUSES: dict[Sameness, Status] = {"same": "pass", "different": "fail", "unknown": "unknown"}
GALLERY = 24
THUMB_PX = 104

CHECK_COLUMNS = {
    "input": st.column_config.TextColumn("Input"),
    "inputs": st.column_config.NumberColumn("Images", format="localized"),
    "largest_difference": st.column_config.NumberColumn("Largest difference", format="%.2e", help="in logits"),
    "mean_difference": st.column_config.NumberColumn("Mean difference", format="%.2e", help="in logits"),
    "same_answers": st.column_config.CheckboxColumn("Same answers"),
    "within_tolerance": st.column_config.CheckboxColumn("Within tolerance", help="empty: the tolerance is for random inputs"),
}
FLIP_COLUMNS = {
    "picture": st.column_config.TextColumn("Picture", help="first 16 hex digits of the md5 of its pixels"),
    "true_class": st.column_config.TextColumn("True class"),
    "checkpoint": st.column_config.TextColumn("Checkpoint says"),
    "artifact": st.column_config.TextColumn("Artifact says"),
    "margin": st.column_config.NumberColumn(
        "Margin", format="%.3f", help="how far the checkpoint's answer was ahead, in logits"
    ),
}


def pick_record(records: Sequence[Verification]) -> Verification:
    """The record to look at, the newest unless the visitor picks an older one."""
    by_id = {r.id: r for r in reversed(records)}
    if len(by_id) == 1:
        return records[0]
    chosen: str = st.selectbox(
        "Verification",
        list(by_id),
        format_func=lambda i: f"{when(by_id[i].made.created)} · {count(by_id[i].images, 'image')} · {by_id[i].data.source}",
        key="pick_verification",
    )
    return by_id[chosen]


def verdict(record: Verification) -> None:
    """PASS, FAIL or unknown with the reason, and the figures that it rests on."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, gap="small"):
            status_badge(STATUSES[record.verdict])
            sameness_badge(record.verdict)
        st.markdown(f"#### {readings.agreement(record)}")
        st.markdown(record.reason)
    source_note(record.data)
    remarks(record.warnings, record.data)
    figures(
        [
            ("Same answer", percent(record.agreement), "Share of the test images with the same top-1 class."),
            ("Largest difference", f"{record.max_abs_diff:.2g}", "Of any logit, over all test images."),
            ("Mean difference", f"{record.mean_abs_diff:.2g}", "Of all logits, over all test images."),
            ("PSNR", _psnr(record), "Signal-to-noise ratio of the logits in decibels; higher is closer."),
            ("Accuracy before", percent(record.accuracy_before), "Top-1 of the checkpoint on these images."),
            ("Accuracy after", percent(record.accuracy_after), "Top-1 of the artifact on these images."),
            (
                "McNemar p",
                _p(record.mcnemar_p),
                "How likely chance alone changes the accuracy this much; below 0.05 it changed.",
            ),
        ]
    )


def _psnr(record: Verification) -> str:
    if record.psnr_db is None:
        return "identical" if record.max_abs_diff == 0 else "not defined"
    return f"{record.psnr_db:.1f} dB"


def _p(value: float | None) -> str:
    return "not measured" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def inputs(record: Verification, format_name: str) -> None:
    """The random inputs and the test images: table and chart of the differences."""
    st.subheader("Differences", anchor=False)
    table("checks", tables.checks(record), CHECK_COLUMNS, "Differences for each kind of input")
    figure = charts.differences(record, format_name)
    reading = readings.differences(record)
    chart("differences", "How far the logits are apart", reading, figure, lambda: tables.checks(record))


def changed(record: Verification) -> None:
    """The pictures whose answer changed, to look at and as a table."""
    st.subheader("Answers that changed", anchor=False)
    st.markdown(readings.flips(record.flips))
    if not record.flips:
        return
    data = _pictures(record)
    if data:
        _gallery(record.flips[:GALLERY], data)
        if len(record.flips) > GALLERY:
            st.caption(f"The first {GALLERY} of {len(record.flips):,}; the table has all of them.")
    else:
        st.caption("The pictures themselves are not on this machine, or are not the same any more; the table names them.")
    table("flips", tables.flips(record), FLIP_COLUMNS, "Pictures whose answer changed")


def _pictures(record: Verification) -> Dataset | None:
    """The split that the record was made on, if it is here and still the same."""
    try:
        data = cache.dataset(record.data.split, record.data.source, record.data.scheme)
    except UdaciSenseError:
        return None
    return data if data.ref.dataset_id == record.data.dataset_id else None


def _gallery(flips: Sequence[Flip], data: Dataset) -> None:
    place = {name: i for i, name in enumerate(data.hashes)}
    with st.container(horizontal=True, gap="small"):
        for flip in (f for f in flips if f.image in place):
            truth = "no label" if flip.label is None else f"true: {CLASSES[flip.label]}"
            text = f"{CLASSES[flip.before]} → {CLASSES[flip.after]}"
            with st.container(width=THUMB_PX, gap="xxsmall"):
                pixels = data.pictures[place[flip.image]]
                st.image(cache.thumbnail(flip.image, pixels, THUMB_PX, False), width=THUMB_PX, alt=f"{truth}, {text}")
                st.caption(f"{text}  \n{truth}")
