"""Views of the Overview: counts, and the table of converted files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from udacisense.data.sources import SourceInfo
from udacisense.number_format import MB, MB_HELP, count
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Checkpoint, Verification
from udacisense.verdict_words import EQUIVALENCE, NOT_MEASURED, READINESS, equivalence, readiness
from ui.overview.state import Progress, StoreSnapshot, progress
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
    """One row per artifact: readiness, name, equivalence, accuracy, speed; ready files first, the smallest on top."""
    known = techniques(checkpoints)
    columns = st.column_config
    st.dataframe(
        _filled([_row(row, known) for row in sorted(rows, key=_place)]),
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
            "On the sample": columns.TextColumn(
                help="Rendered images that get the checkpoint's answer, where real images have the say: a limit, not a verdict."
            ),
            "Top-1": columns.NumberColumn(
                "Top-1, %", format="%.1f", help="Accuracy of the newest evaluation; on real images where there is one."
            ),
            "Time": columns.NumberColumn(
                "Time, × baseline",
                format="%.2f",
                help="Steady inference of one image over the baseline's, timed in turns in one run. Times of different runs or "
                "machines cannot be compared: the Benchmark page shows those of one run.",
            ),
            "Timed on": columns.TextColumn(
                help="The machine of that run, and the measurement quality: A is best, D decides nothing."
            ),
        },
    )


ORDER = {"pass": 0, "unknown": 1, "fail": 2}


def _place(row: Progress) -> tuple[int, int]:
    return ORDER[row.readiness.status] if row.readiness else len(ORDER), row.artifact.size_bytes


def _filled(cells: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """The rows without the column of the sample where no file has a figure there."""
    bare = all(row["On the sample"] is None for row in cells)
    return [{name: value for name, value in row.items() if not (bare and name == "On the sample")} for row in cells]


_IMAGES = {True: "rendered sample", False: "real images"}


def _row(row: Progress, known: dict[str, str]) -> dict[str, object]:
    artifact = row.artifact
    return {
        "Readiness": [readiness(row.readiness.status if row.readiness else None)],
        "File": subject_name(artifact, known),
        "Equivalence": [equivalence(row.verification.verdict if row.verification else None)],
        "Size": artifact.size_bytes / MB,
        "On the sample": _agreeing(row.on_the_sample),
        "Top-1": 100 * row.evaluation.top1 if row.evaluation else None,
        "Top-1 on": _IMAGES[row.evaluation.data.source == "sample"] if row.evaluation else None,
        "Time": row.speed.value if row.speed else None,
        "Timed on": f"{row.speed.cpu} · {row.speed.grade}" if row.speed else None,
        "Id": artifact.id,
    }


def _agreeing(drawn: Verification | None) -> str | None:
    return None if drawn is None else f"{drawn.images - len(drawn.flips):d} of {drawn.images:d}"
