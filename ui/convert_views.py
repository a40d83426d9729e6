"""What the Convert page asks and says: the format, what it is for, and the file that came out."""

from __future__ import annotations

from typing import Any

import streamlit as st

from udacisense import formats
from udacisense.artifacts import find_artifact
from udacisense.convert import artifact_id
from udacisense.errors import UdaciSenseError
from udacisense.jobs import Job
from udacisense.models.checkpoint import list_checkpoints
from udacisense.types import Artifact, Checkpoint, Format, Precision
from ui import ladder
from ui.widgets import describe_checkpoint, format_title, provenance_note, remember
from ui.words import MB_HELP, duration, mb

FROM_RECIPE = {"capture": "Captured by", "optimiser": "Optimised by"}
REFERENCE = "torch"


def convertible() -> dict[str, Format]:
    """The formats whose converter works on this machine."""
    return {name: fmt for name, fmt in formats.FORMATS.items() if fmt.unavailable("export") is None}


def pick_format() -> tuple[Format, Precision] | None:
    """The format and precision chosen; None where no converter works on this machine."""
    possible = convertible()
    if not possible:
        st.warning("No converter works on this machine; below is what each one needs.", icon=":material/construction:")
        return None
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        name = st.selectbox("Format", list(possible), format_func=format_title, key="format", width=420)
        fmt = possible[name]
        precision = st.segmented_control(
            "Precision", fmt.precisions, default=fmt.precisions[0], required=True, key=f"precision_{name}"
        )
    return fmt, precision


def about(fmt: Format, checkpoint: Checkpoint, precision: Precision) -> None:
    """Where the file will run, what it will be called, and whether it is here already."""
    st.markdown(f"Writes `{fmt.file_name}`, run by {fmt.runtime}. **For** {fmt.target}.", width=760)
    for note in fmt.notes:
        st.caption(note, width=760)
    if len(fmt.recipes_for(precision)) > 1:
        st.caption(ladder.promise(fmt, precision), width=760)
    try:
        find_artifact(artifact_id(checkpoint, fmt, precision))
    except UdaciSenseError:
        return
    st.caption(
        ":material/check: Converted already. The same checkpoint and recipe give the same file, so it is taken as it is."
    )


def missing_formats() -> None:
    """The formats that cannot be written here, each with its reason; a missing tool keeps its row."""
    missing = {fmt.title: fmt.unavailable("export") for name, fmt in formats.FORMATS.items() if name != REFERENCE}
    reasons = {title: why for title, why in missing.items() if why}
    if reasons:
        with st.expander("Formats that this machine cannot write", icon=":material/construction:"):
            for title, why in reasons.items():
                st.markdown(f"**{title}** {why}")


def pick_result(job: Job) -> None:
    """Show the file that a conversion made, once it is done."""
    made = job.result.get("id") if isinstance(job.result, dict) else None
    if made:
        remember("artifact", str(made))


def result(artifact: Artifact) -> None:
    """Size against the checkpoint, how it was made, warnings, download and provenance."""
    source = next((c for c in list_checkpoints().records if c.id == artifact.checkpoint_id), None)
    with st.grid(4, min_column_width=150):
        st.metric(
            "Size",
            mb(artifact.size_bytes),
            _change(artifact, source),
            "off",
            delta_arrow="off",
            delta_description="vs checkpoint",
            border=True,
            help=MB_HELP,
        )
        for key, label in FROM_RECIPE.items():
            if key in artifact.recipe:
                st.metric(label, str(artifact.recipe[key]), border=True, height="stretch")
        st.metric(
            "Took",
            duration(artifact.seconds),
            border=True,
            height="stretch",
            help="The conversion alone, without starting Python.",
        )
    origin = describe_checkpoint(source) if source else f"`{artifact.checkpoint_id}`, which is no longer here"
    st.caption(f"{format_title(artifact.format)} {artifact.precision} of {origin} · sha256 `{artifact.sha256[:16]}`")
    for warning in artifact.warnings:
        st.info(warning, icon=":material/info:")
    if artifact.ladder:
        ladder.show(artifact)
    st.download_button(
        f"Download {artifact.path.name}",
        data=artifact.path.read_bytes,
        file_name=artifact.path.name,
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("Recipe", icon=":material/tune:"):
        st.json(_plain(artifact), expanded=True)
    provenance_note(artifact.made, artifact.id)


def _change(artifact: Artifact, source: Checkpoint | None) -> str | None:
    if source is None:
        return None
    change = artifact.size_bytes / source.size_bytes - 1
    return f"{100 * change:+.1f} %"


def _plain(artifact: Artifact) -> dict[str, Any]:
    return dict(artifact.recipe)
