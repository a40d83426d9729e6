"""Start, watch and cancel background jobs from a page. The work itself lives in udacisense.jobs and outlives the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from udacisense import jobs
from udacisense.errors import UdaciSenseError
from udacisense.jobs import Job
from udacisense.number_format import duration, when
from udacisense.verbs.places import cannot_start
from ui.shared.plain_text import Markdown, code, escape

POLL = "1s"
LOG_LINES = 40
STATE_WORDS = {"queued": "waiting", "running": "running", "done": "done", "failed": "failed", "cancelled": "cancelled"}
_BEFORE = "active_jobs"


def active_jobs() -> tuple[Job, ...]:
    """Every job that waits or runs on this machine, whoever started it, newest first."""
    return tuple(job for job in jobs.jobs() if job.active)


def newest_job(verb: str) -> Job | None:
    """The newest job of a command, in whatever state; None when there was none."""
    return next((job for job in jobs.jobs() if job.argv and job.argv[0] == verb), None)


# --- sidebar -----------------------------------------------------------------------------------------------------------


def watch_jobs() -> None:
    """Show what runs on this machine, once a second, and rerun the page when a job starts or ends."""
    active = active_jobs()
    ids = [job.id for job in active]
    for gone in set(st.session_state.get(_BEFORE, ())) - set(ids):
        _tell_end(gone)
    st.session_state[_BEFORE] = ids
    st.fragment(_watch, run_every=POLL if active else None)()


def _watch() -> None:
    active = active_jobs()
    if {job.id for job in active} != set(st.session_state[_BEFORE]):
        st.rerun()
    for job in active:
        with st.container(border=True, gap="xxsmall"):
            st.markdown(f":small[:gray[{escape(job.title)} · {STATE_WORDS[job.state]}]]")
            st.progress(job.fraction or 0.0, text=escape(job.stage or "starting"))


def _tell_end(job_id: str) -> None:
    icons = {"done": "check_circle", "failed": "error", "cancelled": "block"}
    try:
        job = jobs.get(job_id)
    except UdaciSenseError:
        return
    st.toast(f"{escape(job.title)}: {STATE_WORDS[job.state]}", icon=f":material/{icons.get(job.state, 'info')}:")


# --- on a page ---------------------------------------------------------------------------------------------------------


def job_button(
    label: str,
    argv: Sequence[str],
    title: str,
    key: str,
    help: Markdown | None = None,
    disabled: bool = False,
    kind: Literal["primary", "secondary"] = "primary",
) -> None:
    """A button that starts `python -m udacisense ARGV` in the background; greyed out while that very job runs.

    Args:
        label: the button's text, a verb.
        argv: the command line after `python -m udacisense`.
        title: what the job is called wherever it is shown.
        key: unique on the page.
        help: a hint shown on hover.
        disabled: grey the button out for a reason of the page's own. Where nothing can be written it is off in any case, and
            the hint and the head of the page (ui.shared.frame) say why.
        kind: primary for what the page is for, once on a page.
    """
    busy = any(tuple(job.argv[: len(argv)]) == tuple(argv) for job in active_jobs())
    text = f":material/play_arrow: {escape(label)}"
    refused = cannot_start(argv[0])
    off = disabled or busy or refused is not None  # a disabled button has no primary colour
    shown = on_primary(text) if kind == "primary" and not off else text
    if st.button(shown, key=f"start_{key}", type=kind, help=escape(refused) if refused else help, disabled=off):
        try:
            jobs.submit(list(argv), title)
        except (UdaciSenseError, OSError) as exc:
            st.error(escape(exc), icon=":material/error:")
            return
        st.rerun()


def on_primary(text: Markdown) -> Markdown:
    """The text in the theme's ink for primary buttons (.streamlit/config.toml)."""
    return f":violet[{text}]"


def job_panel(key: str, verb: str | None = None, on_done: Callable[[Job], None] | None = None) -> None:
    """The newest job of a command: progress, log, cancel, and how it ended. Draws nothing where there was none.

    Args:
        key: unique on the page; the command's name unless `verb` says otherwise.
        verb: the command, e.g. "convert".
        on_done: called once in this session for a job that ended well, e.g. to pick what it made.
    """
    verb = verb or key
    job = newest_job(verb)
    if job and job.state == "done" and on_done and st.session_state.get(f"handled_{key}") not in (None, job.id):
        on_done(job)
    st.session_state[f"handled_{key}"] = job.id if job and not job.active else ""
    st.fragment(_panel, run_every=POLL if job and job.active else None)(key, verb)


def _panel(key: str, verb: str) -> None:
    job = newest_job(verb)
    if job is None:
        return
    look = {"done": "complete", "failed": "error", "cancelled": "error"}.get(job.state, "running")
    box = st.status(_headline(job), expanded=job.state != "done", state=look)  # type: ignore[arg-type]
    with box.container():  # leaving `with box` itself would mark a running job as complete
        if job.active:
            st.progress(job.fraction or 0.0, text=escape(job.stage or "starting"))
            st.button("Cancel", key=f"cancel_{key}", icon=":material/stop_circle:", on_click=_cancel, args=(job.id,))
        if job.error:
            if job.state == "cancelled":
                st.info(escape(job.error), icon=":material/block:")
            else:
                st.error(escape(job.error), icon=":material/error:")
        _log(job)


def _cancel(job_id: str) -> None:
    try:
        jobs.cancel(job_id)
    except (UdaciSenseError, OSError) as exc:
        st.toast(escape(exc), icon=":material/error:")


def _headline(job: Job) -> Markdown:
    took = "" if job.seconds is None else duration(job.seconds)
    return " · ".join(part for part in (escape(job.title), STATE_WORDS[job.state], took) if part)


def _log(job: Job) -> None:
    lines = _tail(Path(job.log_path)) if job.log_path else ""
    if lines:
        st.caption("Log")
        st.code(lines, language="text", wrap_lines=True, height=180 if lines.count("\n") > 6 else "content")
    command = code(f"python -m udacisense {' '.join(job.argv)}")
    st.caption(f"Job {code(job.id)}, started {escape(when(job.created))} · {command}")


def _tail(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])
