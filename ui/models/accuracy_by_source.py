"""Accuracy on real images and on the rendered sample, side by side and never in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from udacisense.number_format import NOT_MEASURED, count, percent, percent_range, share
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Evaluation, Subject
from ui.shared.chart_block import table
from ui.shared.entries import common_dataset, newest, top1_interval
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
    """Evaluations of a subject on the test split of real images and on that of the sample; None = not measured."""

    id: str
    label: str
    real: Evaluation | None
    sample: Evaluation | None


def accuracies_by_source(subjects: Sequence[Subject], evaluations: Sequence[Evaluation]) -> tuple[AccuracyBySource, ...]:
    """Accuracies of each subject as it is described now; a column holds figures of one set of images only."""
    described = {s.sha256: s.spec.digest for s in subjects}
    test = [e for e in evaluations if e.data.split == "test" and e.spec.digest == described.get(e.subject_sha256)]
    real = [e for e in test if e.data.source != "sample"]
    sample = [e for e in test if e.data.source == "sample"]
    shas, known = [s.sha256 for s in subjects], techniques(subjects)
    ids = common_dataset(real, shas), common_dataset(sample, shas)
    return tuple(
        AccuracyBySource(
            s.id, subject_name(s, known), newest(real, s.sha256, ids[0], s.id), newest(sample, s.sha256, ids[1], s.id)
        )
        for s in subjects
    )


def metrics(metrics_of: AccuracyBySource) -> None:
    """Both accuracies as figures, with the interval below."""
    _metric("Top-1", metrics_of.real, metrics_of.id)
    _metric("Top-1, sample", metrics_of.sample, f"--source sample {metrics_of.id}")


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
        "Top-1 with its 95 % Wilson interval. The rendered sample is another test: it shows whether a model that learnt from "
        "photographs recognises an object in clean light. It is not the real test set, and no verdict rests on it."
    )


def rows(found: Sequence[AccuracyBySource]) -> list[Row]:
    """The table's rows, as text."""
    return [{"model": s.label, "real": _text(s.real), "sample": _text(s.sample)} for s in found]


def _text(record: Evaluation | None) -> str:
    if record is None:
        return NOT_MEASURED
    return f"{share(top1_interval(record))} of {count(record.images)}"
