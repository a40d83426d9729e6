"""What pages ask with and answer with: pickers, badges, notes, the error box and the empty state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st

from udacisense import formats
from udacisense.artifacts import cannot_run, list_artifacts
from udacisense.errors import UdaciSenseError
from udacisense.models.checkpoint import default_checkpoint, list_checkpoints
from udacisense.number_format import MB_HELP, count, gb, mb, short, when
from udacisense.report.sample_limit import on_the_sample
from udacisense.types import Artifact, Checkpoint, DatasetRef, Equivalence, Provenance, SourceName, Status, Subject
from ui.shared.plain_text import Markdown, code, escape

PICKS = ("checkpoint", "artifact", "subject")
"""What a visitor picks, kept in the address and in the session, so that it survives a page switch."""

R = TypeVar("R", Checkpoint, Artifact, Subject)

STATUS_LOOK: dict[Status, tuple[str, str, str]] = {
    "pass": ("Pass", "check_circle", "green"),
    "fail": ("Fail", "cancel", "red"),
    "unknown": ("Unknown", "help", "gray"),
}
SAMENESS_LOOK: dict[Equivalence, tuple[str, str, str]] = {
    "same": ("Same model", "check_circle", "green"),
    "different": ("Different model", "cancel", "red"),
    "unknown": ("Not decided", "help", "gray"),
}


# --- pickers -----------------------------------------------------------------------------------------------------------


def remembered() -> dict[str, str]:
    """The picks of this session as query parameters, for links to other pages."""
    return {kind: st.session_state[_kept(kind)] for kind in PICKS if st.session_state.get(_kept(kind))}


def remember(kind: str, record_id: str) -> None:
    """Make a pick from code, for example after a conversion: the pickers show it from the next run on."""
    st.session_state[_kept(kind)] = record_id
    st.query_params[kind] = record_id
    for key in [k for k in st.session_state if str(k).startswith(f"pick_{kind}_")]:
        del st.session_state[key]


def _kept(kind: str) -> str:
    return f"kept_{kind}"


def _pick(
    kind: str, key: str, label: Markdown, records: Sequence[R], describe: Callable[[R], str], default: str | None = None
) -> R | None:
    """A select box over records; the pick is kept in the address and in the session, and checked against the store."""
    if not records:
        return None
    by_id = {record.id: record for record in records}
    widget = f"pick_{kind}_{key}"
    asked = st.query_params.get(kind)
    if st.session_state.get(widget) not in by_id:
        wanted = (asked, st.session_state.get(_kept(kind)), default, records[0].id)
        st.session_state[widget] = next(w for w in wanted if w in by_id)
        if asked and asked not in by_id:
            st.warning(f"There is no {escape(kind)} {code(asked[:80])} here. Showing another one.", icon=":material/link_off:")
    chosen: str = st.selectbox(label, list(by_id), key=widget, format_func=lambda i: describe(by_id[i]), help=MB_HELP)
    st.session_state[_kept(kind)] = chosen
    st.query_params[kind] = chosen
    return by_id[chosen]


def describe_checkpoint(checkpoint: Checkpoint) -> str:
    """One line that tells a checkpoint from the others: "baseline · 5.96 MB · 1f3a9c02"."""
    return f"{checkpoint.technique} · {mb(checkpoint.size_bytes)} · {short(checkpoint.sha256)}"


def describe_artifact(artifact: Artifact) -> str:
    """One line that tells an artifact from the others: "TorchScript · fp32 · 5.90 MB · torchscript-fp32-…"."""
    return f"{format_title(artifact.format)} · {artifact.precision} · {mb(artifact.size_bytes)} · {artifact.id}"


def describe_subject(subject: Subject) -> str:
    """One line for a checkpoint or an artifact."""
    if isinstance(subject, Artifact):
        return describe_artifact(subject)
    return f"PyTorch · {describe_checkpoint(subject)}"


def format_title(name: str) -> str:
    """The human name of a format; the plain name where this version does not know it."""
    return formats.FORMATS[name].title if name in formats.FORMATS else name


def pick_checkpoint(key: str, label: Markdown = "Checkpoint") -> Checkpoint | None:
    """The checkpoint that the visitor picked; None when there is none. Unreadable files are named above."""
    listing = list_checkpoints()
    listing_problems(listing.problems)
    return _pick("checkpoint", key, label, listing.records[::-1], describe_checkpoint, default=default_checkpoint_id())


def default_checkpoint_id() -> str | None:
    """The id of the checkpoint that work starts from, None when there is none."""
    try:
        return default_checkpoint()[0].id
    except UdaciSenseError:
        return None


def default_notice(checkpoint: Checkpoint) -> None:
    """Say so where this checkpoint is the default only because the wished-for one is missing."""
    try:
        default, notice = default_checkpoint()
    except UdaciSenseError:
        return
    if notice and default.id == checkpoint.id:
        st.info(escape(notice), icon=":material/alt_route:")


def pick_artifact(key: str, label: Markdown = "Artifact") -> Artifact | None:
    """The artifact that the visitor picked, newest first, at first the newest that runs here; None when there is none.

    Unreadable records are named above.
    """
    listing = list_artifacts()
    listing_problems(listing.problems)
    records = listing.records[::-1]
    default = next((a.id for a in records if cannot_run(a) is None), None)
    return _pick("artifact", key, label, records, describe_artifact, default=default)


def pick_subject(key: str, label: Markdown = "Model") -> Subject | None:
    """The artifact or checkpoint that the visitor picked, artifacts first; None when there is neither."""
    artifacts, checkpoints = list_artifacts(), list_checkpoints()
    listing_problems((*artifacts.problems, *checkpoints.problems))
    records: list[Subject] = [*artifacts.records[::-1], *checkpoints.records[::-1]]
    return _pick("subject", key, label, records, describe_subject, default=st.session_state.get(_kept("artifact")))


# --- badges ------------------------------------------------------------------------------------------------------------


def status_badge(status: Status) -> None:
    """The badge of a readiness status; not measured is grey, never green."""
    label, icon, color = STATUS_LOOK[status]
    st.badge(label, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]


def status_text(status: Status) -> Markdown:
    """The same badge as Markdown, for use inside a sentence or a column."""
    label, icon, color = STATUS_LOOK[status]
    return f":{color}-badge[:material/{icon}: {label}]"


def sameness_badge(sameness: Equivalence) -> None:
    """The badge of a verification's verdict."""
    label, icon, color = SAMENESS_LOOK[sameness]
    st.badge(label, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]


# --- notes -------------------------------------------------------------------------------------------------------------


def error_box(exc: UdaciSenseError) -> None:
    """A failure in its own words: what, why, what to do next."""
    st.error(escape(exc), icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an UdaciSenseError raised inside the block as an error box, and go on after the block."""
    try:
        yield
    except UdaciSenseError as exc:
        error_box(exc)


def empty_state(title: str, text: Markdown, page: str | None = None, link_label: str = "", command: str | None = None) -> None:
    """What to do where there is nothing yet: a sentence, a link to the page that helps, the command that does the same."""
    with st.container(border=True):
        st.markdown(f"**{escape(title)}**")
        st.markdown(text)
        if page:
            st.page_link(
                page, label=escape(link_label or "Go there"), icon=":material/arrow_forward:", query_params=remembered()
            )
        if command:
            st.caption("The same on the command line:")
            st.code(command, language=None)


def source_note(data: DatasetRef | SourceName, way_out: Markdown = "The Dataset page says how to get real ones.") -> None:
    """Which images a figure rests on; says plainly when they are the rendered sample pack, and the way out of that."""
    source = data if isinstance(data, str) else data.source
    if source == "sample":
        st.warning(
            "These figures rest on the rendered **sample pack**: they are not the figures of the real test set. They show that "
            f"everything works, and how a model does on clean renderings, not how good it is on photographs. {way_out}",
            icon=":material/view_in_ar:",
        )
    elif isinstance(data, DatasetRef):
        st.caption(
            f"{count(data.images, data.split + ' image')} · split {escape(data.scheme)} · dataset {code(data.dataset_id)}"
        )


def sample_limit(artifact: Artifact) -> None:
    """How a file did on the rendered sample, where real images have the say: a line of its own, and never a badge."""
    said = on_the_sample(artifact)
    if said:
        st.info(escape(said), icon=":material/view_in_ar:")


def provenance_note(made: Provenance, record_id: str) -> None:
    """How a figure came to be, folded away: record, command, machine, versions."""
    with st.expander("How this was made", icon=":material/receipt_long:"):
        st.markdown(f"Record {code(record_id)}, made {escape(when(made.created))}. Make it again:")
        st.code(made.command, language=None)
        machine = made.machine
        st.markdown(
            f"**Machine** {escape(machine.cpu)}, {count(machine.physical_cores, 'core')}, "
            f"{gb(machine.memory_bytes)}, {escape(machine.os)}, Python {escape(machine.python)}"
        )
        load = "" if made.load_1min is None else f" · **load at the start** {made.load_1min:.1f}"
        st.markdown(f"**Seed** {made.seed:d}{load}")
        st.markdown("**Versions** " + ", ".join(escape(f"{name} {version}") for name, version in made.versions.items()))


def listing_problems(problems: Sequence[str]) -> None:
    """Name the files that could not be read, folded away."""
    if problems:
        with st.expander(f"{count(len(problems), 'file')} could not be read", icon=":material/warning:"):
            for problem in problems:
                st.markdown(f"- {escape(problem)}")
