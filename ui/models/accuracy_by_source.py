"""Accuracy on real images and on the rendered sample: side by side, each with its own name, never in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from udacisense.number_format import NOT_MEASURED, count, percent, percent_range, share
from udacisense.types import Evaluation, Subject
from ui.shared.chart_block import table
from ui.shared.entries import common_dataset, label_of, newest, top1_interval
from ui.shared.plain_text import Markdown, escape
from ui.shared.rows import Row

REAL, SAMPLE = "Real test images", "Rendered sample"
COLUMNS = {
    "model": st.column_config.TextColumn("Model", pinned=True),
    "real": st.column_config.TextColumn(REAL),
    "sample": st.column_config.TextColumn(SAMPLE),
}


@dataclass(frozen=True, slots=True)
class AccuracyBySource:
    """How a subject did on the test split of real images and on that of the sample; None = not measured."""

    id: str
    label: str
    real: Evaluation | None
    sample: Evaluation | None


def standings(subjects: Sequence[Subject], evaluations: Sequence[Evaluation]) -> tuple[AccuracyBySource, ...]:
    """One for each subject; a column holds figures of one set of images only."""
    test = [e for e in evaluations if e.data.split == "test"]
    real = [e for e in test if e.data.source != "sample"]
    sample = [e for e in test if e.data.source == "sample"]
    shas = [s.sha256 for s in subjects]
    ids = common_dataset(real, shas), common_dataset(sample, shas)
    return tuple(
        AccuracyBySource(s.id, label_of(s), newest(real, s.sha256, ids[0], s.id), newest(sample, s.sha256, ids[1], s.id))
        for s in subjects
    )


def metrics(standing: AccuracyBySource) -> None:
    """Both accuracies as figures, with the interval below."""
    _metric("Top-1", standing.real, standing.id)
    _metric("Top-1, sample", standing.sample, f"--source sample {standing.id}")


def _metric(title: Markdown, record: Evaluation | None, asked: str) -> None:
    if record is None:
        hint = f"Not measured yet: python -m udacisense evaluate {escape(asked)}"
        st.metric(title, "–", border=True, height="stretch", help=hint)
        return
    source = SAMPLE.lower() if record.data.source == "sample" else record.data.source
    images = f"{count(record.images, record.data.split + ' image')} of the {source}, {record.data.scheme}"
    st.metric(
        title,
        percent(record.top1),
        f"{percent_range(top1_interval(record))} %",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=escape(f"On {images}, with the 95 % Wilson interval. Dataset {record.data.dataset_id}. Record {record.id}."),
    )


def show(found: Sequence[AccuracyBySource]) -> None:
    """A table of both, and what the second column is worth."""
    table("two_sources", rows(found), COLUMNS, f"Top-1 accuracy of {count(len(found), 'model')} on two sets of images")
    st.caption(
        "Top-1 with its 95 % Wilson interval. The rendered sample asks another question: does a model that learnt from "
        "photographs know an object in clean light? Its figures are not the figures of the real test set, and no verdict "
        "counts them."
    )


def rows(found: Sequence[AccuracyBySource]) -> list[Row]:
    """The table's rows, as text."""
    return [{"model": s.label, "real": _text(s.real), "sample": _text(s.sample)} for s in found]


def _text(record: Evaluation | None) -> str:
    if record is None:
        return NOT_MEASURED
    return f"{share(top1_interval(record))} of {count(record.images)}"
