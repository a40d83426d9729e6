"""Views of the Overview: counts, and the table of converted files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from udacisense.data.sources import SourceInfo
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Checkpoint
from udacisense.verdict_words import EQUIVALENCE, NOT_MEASURED, READINESS, equivalence, readiness
from ui.overview.state import Progress, StoreSnapshot, progress
from ui.shared.number_format import BYTES_A_MB, MB_HELP, count
from ui.shared.plain_text import Markdown, code, escape

CHIPS = ("green", "red", "gray", "gray")
"""Colours of a verdict that is good, bad, inconclusive, not measured."""


def store_metrics(stored: StoreSnapshot, images: SourceInfo) -> None:
    """Number of checkpoints, converted files, records, equivalent files and ready files."""
    rows = progress(stored)
    same = sum(row.verification is not None and row.verification.verdict == "same" for row in rows)
    ready = sum(row.readiness is not None and row.readiness.status == "pass" for row in rows)
    with st.grid(5, min_column_width=140):
        st.metric("Checkpoints", len(stored.checkpoints), border=True, help="Trained weights below models/.")
        st.metric("Converted files", len(stored.artifacts), border=True, help="Files below models/mobile/.")
        st.metric(
            "Records",
            f"{stored.records:d}",
            border=True,
            help="Evaluations, verifications, benchmarks and verdicts in results/.",
        )
        st.metric("Equivalent", _share(same, stored), border=True, help="Files verified as equivalent to their checkpoint.")
        st.metric("Ready", _share(ready, stored), border=True, help="Files that pass every readiness rule.")
    st.caption(f"Images: **{escape(images.title)}** at {code(images.location)}. {escape(images.meaning)}")


def _share(number: int, stored: StoreSnapshot) -> Markdown:
    return f"{number:d} of {len(stored.artifacts)}"


def artifacts_table(rows: Sequence[Progress], checkpoints: Sequence[Checkpoint]) -> None:
    """One row per artifact: readiness, name, equivalence, accuracy, speed."""
    known = techniques(checkpoints)
    columns = st.column_config
    st.dataframe(
        [_row(row, known) for row in rows],
        hide_index=True,
        placeholder="–",
        alt=f"{count(len(rows), 'converted file')} with readiness, equivalence, accuracy and latency",
        column_config={
            "Readiness": columns.MultiselectColumn(
                options=[*READINESS.values(), NOT_MEASURED],
                color=CHIPS,
                help="The newest verdict of the readiness rules.",
            ),
            "Equivalence": columns.MultiselectColumn(
                options=[*EQUIVALENCE.values(), NOT_MEASURED], color=CHIPS, help="The newest verification."
            ),
            "Size": columns.NumberColumn("Size, MB", format="%.2f", help=MB_HELP),
            "Top-1": columns.NumberColumn(
                "Top-1, %", format="%.1f", help="Accuracy of the newest evaluation; on real images where there is one."
            ),
            "Median": columns.NumberColumn("Median, ms", format="%.2f", help="Steady time per image, newest benchmark."),
        },
    )


_IMAGES = {True: "rendered sample", False: "real images"}


def _row(row: Progress, known: dict[str, str]) -> dict[str, object]:
    artifact = row.artifact
    return {
        "Readiness": [readiness(row.readiness.status if row.readiness else None)],
        "File": subject_name(artifact, known),
        "Equivalence": [equivalence(row.verification.verdict if row.verification else None)],
        "Size": artifact.size_bytes / BYTES_A_MB,
        "Top-1": 100 * row.evaluation.top1 if row.evaluation else None,
        "Top-1 on": _IMAGES[row.evaluation.data.source == "sample"] if row.evaluation else None,
        "Median": 1000 * row.latency_s if row.latency_s is not None else None,
        "Id": artifact.id,
    }
