"""The figures and the table of the Overview."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from udacisense.data.sources import SourceInfo
from udacisense.number_format import MB, MB_HELP, count
from udacisense.types import Checkpoint, Verification
from ui.overview.state import Progress, StoreSnapshot, progress
from ui.shared.plain_text import Markdown, code, escape
from ui.shared.widgets import SAMENESS_LOOK, STATUS_LOOK, format_title

CHIPS = ("green", "red", "gray")
"""Of what is well, what is not, and what is not known."""


def shelf_metrics(shelf: StoreSnapshot, images: SourceInfo) -> None:
    """Images, checkpoints, artifacts and records, counted."""
    rows = progress(shelf)
    same = sum(row.verification is not None and row.verification.verdict == "same" for row in rows)
    ready = sum(row.readiness is not None and row.readiness.status == "pass" for row in rows)
    with st.grid(5, min_column_width=140):
        st.metric("Checkpoints", len(shelf.checkpoints), border=True, help="Trained weights below models/.")
        st.metric("Artifacts", len(shelf.artifacts), border=True, help="Converted files below models/mobile/.")
        st.metric(
            "Records",
            f"{shelf.records:d}",
            border=True,
            help="Evaluations, verifications, benchmarks and verdicts in results/.",
        )
        st.metric("Same model", _share(same, shelf), border=True, help="Artifacts proved to give their checkpoint's answers.")
        st.metric("Ready", _share(ready, shelf), border=True, help="Artifacts that pass every readiness rule.")
    st.caption(f"Images: **{escape(images.title)}** at {code(images.location)}. {escape(images.meaning)}")


def _share(number: int, shelf: StoreSnapshot) -> Markdown:
    return f"{number:d} of {len(shelf.artifacts)}"


def artifacts_table(rows: Sequence[Progress], checkpoints: Sequence[Checkpoint]) -> None:
    """One row an artifact: what it is, whether it is the same model, how good, how fast, and the verdict."""
    techniques = {checkpoint.id: checkpoint.technique for checkpoint in checkpoints}
    columns = st.column_config
    st.dataframe(
        [_row(row, techniques) for row in rows],
        hide_index=True,
        placeholder="–",
        alt=f"{count(len(rows), 'artifact')} with proof, accuracy, latency and verdict",
        column_config={
            "Verdict": columns.MultiselectColumn(
                options=[look[0] for look in STATUS_LOOK.values()],
                color=CHIPS,
                help="The newest verdict of the readiness rules.",
            ),
            "Same model": columns.MultiselectColumn(
                options=[look[0] for look in SAMENESS_LOOK.values()], color=CHIPS, help="The newest verification."
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
            "Timed on": columns.TextColumn(help="The machine of that run, and its trust: A is the best, D decides nothing."),
        },
    )


_IMAGES = {True: "rendered sample", False: "real images"}


def _row(row: Progress, techniques: dict[str, str]) -> dict[str, object]:
    artifact = row.artifact
    return {
        "Verdict": [STATUS_LOOK[row.readiness.status if row.readiness else "unknown"][0]],
        "Format": f"{format_title(artifact.format)} {artifact.precision}",
        "Checkpoint": techniques.get(artifact.checkpoint_id, artifact.checkpoint_id),
        "Same model": [SAMENESS_LOOK[row.verification.verdict if row.verification else "unknown"][0]],
        "Size": artifact.size_bytes / MB,
        "On the sample": _agreeing(row.on_the_sample),
        "Top-1": 100 * row.evaluation.top1 if row.evaluation else None,
        "Top-1 on": _IMAGES[row.evaluation.data.source == "sample"] if row.evaluation else None,
        "Time": row.speed.value if row.speed else None,
        "Timed on": f"{row.speed.cpu} · {row.speed.grade}" if row.speed else None,
        "Artifact": artifact.id,
    }


def _agreeing(drawn: Verification | None) -> str | None:
    return None if drawn is None else f"{drawn.images - len(drawn.flips):d} of {drawn.images:d}"
