"""Board of the Convert page: formats by precisions, each with its state; picking one shows it below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from udacisense.artifacts import list_artifacts
from udacisense.number_format import MB_HELP, count, mb
from udacisense.types import Artifact, Checkpoint, FailedConversion, Precision
from udacisense.verdict_words import EQUIVALENCE
from ui.convert.state import Cell, CellStatus, Row, board, cell_of, first_choice, precisions, tally
from ui.shared.jobs import POLL, job_button, newest_job, on_primary
from ui.shared.plain_text import Markdown, code, escape
from ui.shared.widgets import candidate, remember, remembered

Color = Literal["green", "red", "orange", "blue", "gray"]

LOOK: dict[CellStatus, tuple[str, str, Color]] = {
    "same": (EQUIVALENCE["same"], "check_circle", "green"),
    "different": (EQUIVALENCE["different"], "cancel", "red"),
    "inconclusive": (EQUIVALENCE["unknown"], "help", "gray"),
    "unverified": ("Not verified", "pending", "orange"),
    "norun": ("Cannot run here", "block", "gray"),
    "failed": ("Failed", "error", "red"),
    "missing": ("Not converted", "add_circle", "blue"),
    "unavailable": ("Not available here", "construction", "gray"),
}
"""State of a cell -> its words, Material symbol and colour."""

TITLE_PX, CELL_PX = 236, 172
REASON_CHARACTERS = 220
VERIFY_ALL = ["verify", "all"]
CHECKPOINT_PICKER = "pick_checkpoint_convert"


# --- what is picked ------------------------------------------------------------------------------------------------------


def follow_link() -> None:
    """Look at the checkpoint of the artifact that the address names; called before the checkpoint is picked."""
    asked = st.query_params.get("artifact")
    if asked is None or CHECKPOINT_PICKER in st.session_state:
        return
    found = next((a for a in list_artifacts().records if a.id == asked), None)
    if found is not None:
        st.query_params["checkpoint"] = found.checkpoint_id
        return
    del st.query_params["artifact"]
    st.warning(f"{code(asked[:80])} is not here. Another converted file is shown below.", icon=":material/link_off:")


def picked(rows: Sequence[Row]) -> Cell:
    """The cell to show: that of the artifact in the address, else the one in the address, else that of the artifact kept."""
    query, kept = st.query_params, remembered().get("artifact")
    of_artifact = {a.id: cell for row in rows for cell in row.cells for a in cell.artifacts}
    found = of_artifact.get(query.get("artifact", "")) or cell_of(rows, query.get("format"), query.get("precision"))
    cell = found or of_artifact.get(kept or candidate(_made(rows)) or "") or first_choice(rows)
    _note(cell, next((a for a in cell.artifacts if a.id in (query.get("artifact"), kept)), cell.artifact))
    return cell


def _made(rows: Sequence[Row]) -> list[Artifact]:
    return [a for row in rows for cell in row.cells for a in cell.artifacts]


def _pick(cell: Cell) -> None:
    _note(cell, cell.artifact)
    st.rerun()


def _note(cell: Cell, artifact: Artifact | None) -> None:
    """Keep what is shown in the address, so that a reload or a shared link shows it again."""
    st.query_params["format"], st.query_params["precision"] = cell.key
    if artifact is not None:
        remember("artifact", artifact.id)
    elif "artifact" in st.query_params:
        del st.query_params["artifact"]


# --- the board -----------------------------------------------------------------------------------------------------------


def show(checkpoint: Checkpoint, chosen: Cell) -> None:
    """The board, drawn again every second while a conversion runs."""
    job = newest_job("convert")
    st.fragment(_draw, run_every=POLL if job and job.active else None)(checkpoint, chosen.key)


def _draw(checkpoint: Checkpoint, chosen: tuple[str, str]) -> None:
    rows = board(checkpoint)
    columns = precisions(rows)
    for row in rows:
        with st.container(gap="xxsmall"):
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.markdown(f"**{escape(row.fmt.title)}**", width=TITLE_PX)
                _cells(row, columns, chosen)
            for reason in _reasons(row):
                st.caption(reason, width=900)
    _legend(rows)


def _cells(row: Row, columns: Sequence[Precision], chosen: tuple[str, str]) -> None:
    """The cells in their columns; a gap where the format does not offer a precision and offers a later one."""
    held = {cell.precision: cell for cell in row.cells}
    last = max(columns.index(p) for p in held)
    for precision in columns[: last + 1]:
        if precision in held:
            _button(held[precision], selected=held[precision].key == chosen)
        else:
            with st.container(width=CELL_PX, horizontal_alignment="center"):
                st.markdown(":gray[–]", width="content")


def _button(cell: Cell, selected: bool) -> None:
    words, icon, color = LOOK[cell.status]
    size = f" · {mb(cell.artifact.size_bytes)}" if cell.artifact else ""
    name = escape(cell.precision)
    text = f":material/{icon}: {name}{size}"
    label = on_primary(text) if selected else f":{color}[:material/{icon}:] {name}{size}"
    kind: Literal["primary", "secondary"] = "primary" if selected else "secondary"
    if st.button(label, key=f"cell_{cell.fmt.name}_{cell.precision}", type=kind, width=CELL_PX, help=words):
        _pick(cell)


def _reasons(row: Row) -> list[Markdown]:
    """Reasons why cells of a row are empty, or cannot be verified."""
    said = [
        f":red[{escape(c.precision)} failed]: {escape(in_words(c.failure))}"
        for c in row.cells
        if c.failure and c.status == "failed"
    ]
    first = row.cells[0]
    if first.cannot_write:
        said.append(f"Cannot convert here: {escape(first.cannot_write)}")
    elif first.cannot_run:
        said.append(f"Can convert here, but not run the file: {escape(first.cannot_run)}")
    return said


def in_words(failure: FailedConversion, characters: int = REASON_CHARACTERS) -> str:
    """Stage and message of a failed conversion in one line."""
    message = " ".join(failure.message.split())
    if failure.stage and failure.stage not in message:
        message = f"while {failure.stage}: {message}"
    return message if len(message) <= characters else f"{message[:characters]}…"


def _legend(rows: Sequence[Row]) -> None:
    found = {cell.status for row in rows for cell in row.cells}
    marks = [f":{color}[:material/{icon}:] {words}" for state, (words, icon, color) in LOOK.items() if state in found]
    made, possible, failed = tally(rows)
    said = f"{made:d} of {possible:d} files converted" + (f", {failed:d} failed" if failed else "")
    st.caption(f"{said}.  {'  '.join(marks)}", help=MB_HELP)


def everything(checkpoint: Checkpoint, rows: Sequence[Row]) -> None:
    """Two buttons for the whole board: convert every missing file, verify every unverified one."""
    cells = [cell for row in rows for cell in row.cells]
    with st.container(horizontal=True, gap="small"):
        job_button(
            "Convert all formats",
            ["convert", checkpoint.id, "--format", "all", "--precision", "all"],
            "Convert to every format and precision",
            key="convert_all",
            kind="secondary",
            help="Converts every missing file of the board that this machine can write; takes a few minutes in the background.",
            disabled=all(cell.artifacts or cell.cannot_write for cell in cells),
        )
        job_button(
            "Verify all files",
            VERIFY_ALL,
            "Verify every file",
            key="verify_all",
            kind="secondary",
            help="Compares every unverified file with its checkpoint on all test images, in the background.",
            disabled=not any(cell.status == "unverified" for cell in cells),
        )


def verifying() -> bool:
    """Whether the newest verification is that of every file; the others belong to the Verify page."""
    job = newest_job("verify")
    return job is not None and list(job.argv[:2]) == VERIFY_ALL


def orphans() -> None:
    """Name the artifacts whose checkpoint is gone: no board shows them."""
    from udacisense.models.checkpoint import list_checkpoints

    known = {c.id for c in list_checkpoints().records}
    lost = [a.id for a in list_artifacts().records if a.checkpoint_id not in known]
    if lost:
        with st.expander(f"{count(len(lost), 'file')} without their checkpoint", icon=":material/link_off:"):
            st.markdown("\n".join(f"- {code(name)}" for name in lost))
