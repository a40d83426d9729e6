"""Widgets of several pages: pickers, badges, notes, the error box and the empty state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeVar

import streamlit as st

from udacisense.artifacts import cannot_run, list_artifacts
from udacisense.errors import UdaciSenseError
from udacisense.models.checkpoint import default_checkpoint, list_checkpoints
from udacisense.models.described import how_to_describe, mark
from udacisense.number_format import MB_HELP, count, gb, mb, short, when
from udacisense.records import queries
from udacisense.report.sample_limit import on_the_sample
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Artifact, Checkpoint, DatasetRef, Equivalence, Provenance, SourceName, Status, Subject
from udacisense.verdict_words import EQUIVALENCE, READINESS, RULE
from ui.shared.plain_text import Markdown, code, escape

PICKS = {"checkpoint": "checkpoint", "artifact": "converted file", "subject": "model"}
"""What a visitor picks, and what it is called, kept in the address and in the session, so that it survives a page switch."""

R = TypeVar("R", Checkpoint, Artifact, Subject)

LOOK: dict[Status | Equivalence, tuple[str, Literal["green", "red", "gray"]]] = {
    "pass": ("check_circle", "green"),
    "same": ("check_circle", "green"),
    "fail": ("cancel", "red"),
    "different": ("cancel", "red"),
    "unknown": ("help", "gray"),
}
"""Symbol and colour of a verdict; its word is in udacisense.verdict_words. What was not measured is grey, never green."""


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
    kind: str,
    key: str,
    label: Markdown,
    records: Sequence[R],
    describe: Callable[[R], str],
    default: Callable[[Sequence[R]], str | None],
) -> R | None:
    """A select box over records; the pick is kept in the address and in the session, and checked against the store."""
    if not records:
        return None
    by_id = {record.id: record for record in records}
    widget = f"pick_{kind}_{key}"
    asked = st.query_params.get(kind)
    if st.session_state.get(widget) not in by_id:
        wanted = next((w for w in (asked, st.session_state.get(_kept(kind))) if w in by_id), None) or default(records)
        st.session_state[widget] = wanted if wanted in by_id else records[0].id
        if asked and asked not in by_id:
            st.warning(
                f"{code(asked[:80])} is not here. Another {escape(PICKS[kind])} is shown below.", icon=":material/link_off:"
            )
    chosen: str = st.selectbox(label, list(by_id), key=widget, format_func=lambda i: describe(by_id[i]), help=MB_HELP)
    st.session_state[_kept(kind)] = chosen
    st.query_params[kind] = chosen
    return by_id[chosen]


def describe_checkpoint(checkpoint: Checkpoint) -> str:
    """One line that tells a checkpoint from the others: "baseline · 5.96 MB · 1f3a9c02"."""
    return f"{checkpoint.technique}{mark(checkpoint)} · {mb(checkpoint.size_bytes)} · {short(checkpoint.sha256)}"


def subject_lines() -> Callable[[Subject], str]:
    """Writer of the line that tells a subject from the others: "ExecuTorch int8 (baseline) · 1.58 MB · executorch-int8-…"."""
    known = techniques(list_checkpoints().records)
    return lambda s: f"{subject_name(s, known)}{mark(s)} · {mb(s.size_bytes)} · {_own_id(s)}"


def _own_id(subject: Subject) -> str:
    return subject.id if isinstance(subject, Artifact) else short(subject.sha256)


def pick_checkpoint(key: str, label: Markdown = "Checkpoint") -> Checkpoint | None:
    """The checkpoint that the visitor picked; None when there is none. Unreadable files are named above."""
    listing = list_checkpoints()
    listing_problems(listing.problems)
    return _pick("checkpoint", key, label, listing.records[::-1], describe_checkpoint, lambda _: default_checkpoint_id())


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


def described_notice(checkpoint: Checkpoint) -> None:
    """Say what is not known of a checkpoint that nobody described, and how to describe it."""
    if not checkpoint.described:
        st.warning(escape(how_to_describe(checkpoint)), icon=":material/label_off:")


def pick_artifact(key: str, label: Markdown = "Converted file") -> Artifact | None:
    """The artifact that the visitor picked, newest first, at first the release candidate; None when there is none.

    Unreadable records are named above.
    """
    listing = list_artifacts()
    listing_problems(listing.problems)
    records = listing.records[::-1]
    return _pick("artifact", key, label, records, subject_lines(), candidate)


def candidate(artifacts: Sequence[Artifact]) -> str | None:
    """The release candidate: the smallest file whose newest verdict is "ready", else the newest that runs here."""
    newest = ((a, queries.readiness_of(a.sha256).newest()) for a in artifacts)
    ready = [a for a, judged in newest if judged is not None and judged.status == "pass"]
    smallest = min(ready, key=lambda a: a.size_bytes, default=None)
    return smallest.id if smallest else next((a.id for a in artifacts if cannot_run(a) is None), None)


def pick_subject(key: str, label: Markdown = "Model") -> Subject | None:
    """The artifact or checkpoint that the visitor picked, artifacts first; None when there is neither."""
    artifacts, checkpoints = list_artifacts(), list_checkpoints()
    listing_problems((*artifacts.problems, *checkpoints.problems))
    records: list[Subject] = [*artifacts.records[::-1], *checkpoints.records[::-1]]
    return _pick("subject", key, label, records, subject_lines(), _candidate_of)


def _candidate_of(subjects: Sequence[Subject]) -> str | None:
    """The artifact that the visitor picked on another page, else the release candidate."""
    kept: str | None = st.session_state.get(_kept("artifact"))
    return kept or candidate([s for s in subjects if isinstance(s, Artifact)])


# --- badges ------------------------------------------------------------------------------------------------------------


def rule_badge(status: Status) -> None:
    """The badge of one rule's verdict: Pass, Fail, Inconclusive."""
    _badge(RULE[status], status)


def rule_badge_text(status: Status) -> Markdown:
    """The badge of one rule's verdict as Markdown, for use inside a sentence or a column."""
    icon, color = LOOK[status]
    return f":{color}-badge[:material/{icon}: {RULE[status]}]"


def readiness_badge(status: Status, before: str = "") -> None:
    """The badge of a file's readiness: Ready, Not ready, Inconclusive; after a word where the place does not say of what."""
    _badge(f"{before}{READINESS[status]}", status)


def equivalence_badge(verdict: Equivalence) -> None:
    """The badge of a verification's verdict: Equivalent, Not equivalent, Inconclusive."""
    _badge(EQUIVALENCE[verdict], verdict)


def _badge(word: str, verdict: Status | Equivalence) -> None:
    icon, color = LOOK[verdict]
    st.badge(escape(word), icon=f":material/{icon}:", color=color)


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
    """Empty state: a sentence, a link to the page that helps, the command that does the same."""
    with st.container(border=True):
        st.markdown(f"**{escape(title)}**")
        st.markdown(text)
        if page:
            st.page_link(
                page, label=escape(link_label or "Open page"), icon=":material/arrow_forward:", query_params=remembered()
            )
        if command:
            st.caption("The same on the command line:")
            st.code(command, language=None, wrap_lines=True)


def source_note(data: DatasetRef | SourceName, way_out: Markdown = "The Dataset page says how to get real ones.") -> None:
    """Note on the images behind a figure; says plainly when they are the rendered sample pack, and the way out of that."""
    source = data if isinstance(data, str) else data.source
    if source == "sample":
        st.warning(
            "Measured on the rendered **sample pack**, not on the real test set. These figures show that everything works, and "
            f"how a model does on clean renderings, not how good it is on photographs. {way_out}",
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
    """Provenance of a figure, folded away: record, command, machine, versions."""
    with st.expander("How this was made", icon=":material/receipt_long:"):
        st.markdown(f"Record {code(record_id)}, made {escape(when(made.created))}. Make it again:")
        st.code(made.command, language=None, wrap_lines=True)
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
