"""Views of the History page: all runs over time, comparison of two runs, tags of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from udacisense.history.against import RunComparison, against, roles
from udacisense.history.runs import tag, tags
from udacisense.number_format import mb, ms, percent, when
from udacisense.records.queries import Found, Row
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Benchmark, Subject
from udacisense.verdict_words import INCONCLUSIVE, TREND
from ui.history import captions, charts
from ui.history import rows as history_rows
from ui.history.rows import Line
from ui.shared import cache
from ui.shared.chart_block import chart, csv_button
from ui.shared.entries import format_of, runs
from ui.shared.plain_text import escape
from ui.shared.widgets import empty_state, errors_shown

COURSES = {
    "worse": (f":red-badge[:material/trending_down: {TREND['worse']}]", 0),
    "unknown": (f":gray-badge[:material/help: {TREND['unknown']}]", 1),
    "better": (f":green-badge[:material/trending_up: {TREND['better']}]", 2),
    "same": (f":blue-badge[:material/equal: {TREND['same']}]", 3),
}
FIGURES = {"time": "Time", "size": "Size", "accuracy": "Accuracy"}


def over_time(plain: Found[Benchmark], subjects: Sequence[Subject]) -> None:
    """Every subject's average, run after run."""
    formats, names = {s.sha256: format_of(s) for s in subjects}, _file_names(subjects)

    def lines() -> tuple[Line, ...]:  # for what is drawn or saved only
        return history_rows.lines(history_rows.timings(plain), formats, names)

    key = repr(sorted(formats.items())) + repr(sorted(names.items())) + repr([row.id for row in plain.rows])
    reading, figure = cache.drawn("history", key, lambda: _drawn(lines()))
    chart("history", "All runs", reading, figure, lambda: history_rows.history_rows(lines()))


def _drawn(lines: Sequence[Line]) -> tuple[str, go.Figure]:
    return captions.history(lines), charts.history(lines)


def _file_names(subjects: Sequence[Subject]) -> dict[str, str]:
    """File hash -> name of each file that is here."""
    known = techniques(subjects)
    return {s.sha256: subject_name(s, known) for s in subjects}


def one_against_another(plain: Found[Benchmark], subjects: Sequence[Subject]) -> None:
    """Comparison of an earlier with a later run: every figure with its interval, the worst first."""
    found = runs(plain.rows)
    st.header("Comparison of two runs", anchor=False)
    if len(found) < 2:
        text = "Only one run is here. Benchmark the same models again, after a change or on another day."
        empty_state("No second run yet", text, "pages/benchmark.py", "Benchmark models")
        return
    names = _names(found)
    ids = list(found)
    left, right = st.columns(2)
    later = left.selectbox("Later run", ids, index=0, format_func=names.__getitem__, key="history_after")
    earlier = [i for i in ids if i != later]
    before = right.selectbox("Earlier run", earlier, index=0, format_func=names.__getitem__, key="history_before")
    with errors_shown():
        old: tuple[Benchmark, ...] = tuple(Found(found[str(before)]))
        new: tuple[Benchmark, ...] = tuple(Found(found[str(later)]))
        if old and new:  # else their files have gone meanwhile
            _changes(_with_names(against(old, new), (*old, *new), _file_names(subjects)))


def _with_names(found: RunComparison, timed: Sequence[Benchmark], name_of: Mapping[str, str]) -> RunComparison:
    """The comparison with each role by the name that the chart above gives it."""
    files = [(b.subject_id, b.subject_sha256) for b in timed]
    titles = history_rows.role_titles(files, roles(timed), name_of)
    subjects = tuple(replace(s, role=titles[s.role]) for s in found.subjects)
    return replace(found, subjects=subjects, alone=tuple(sorted(titles[role] for role in found.alone)))


def _names(found: Mapping[str, tuple[Row, ...]]) -> dict[str, str]:
    """Each run by its tags, its date and what it timed."""
    given: dict[str, list[str]] = {}
    with errors_shown():
        for name, run in tags().items():
            given.setdefault(run, []).append(name)
    return {
        run: " · ".join([*given.get(run, []), when(rows[0].created), f"{len({row.subject_id for row in rows})} models"])
        for run, rows in found.items()
    }


def _changes(found: RunComparison) -> None:
    st.markdown(escape(captions.against(found)))
    rows = [(s, c) for s in found.subjects for c in s.changes]
    for subject, change in sorted((r for r in rows if r[1].course != "same"), key=lambda pair: COURSES[pair[1].course][1]):
        with st.container(border=True, gap="xxsmall"):
            figures = escape(_figures(change.what, change.before, change.after))
            st.markdown(f"{COURSES[change.course][0]} **{escape(subject.role)}** · {FIGURES[change.what]} · {figures}")
            st.caption(escape(change.reason.removeprefix(f"{INCONCLUSIVE}: ")))  # the badge says it
    same = [f"{s.role} {FIGURES[c.what].lower()} ({_figures(c.what, None, c.after)})" for s, c in rows if c.course == "same"]
    if same:
        st.markdown(f"{COURSES['same'][0]} {escape(', '.join(same))}")
    for s in found.subjects:
        if s.software:
            st.caption(escape(f"Software changed between the runs, for {s.role}: {', '.join(s.software)}."))
    if found.alone:
        st.caption(escape(f"Only in one of the two runs: {', '.join(found.alone)}."))
    if rows:
        csv_button("against", lambda: history_rows.against_rows(found))


def _figures(what: str, before: float | None, after: float | None) -> str:
    """The figures as people read them, "before → after"; one that is not there is left out."""
    write: Callable[[float], str] = {"time": ms, "size": lambda v: mb(round(v)), "accuracy": percent}[what]
    return " → ".join(write(v) for v in (before, after) if v is not None) or "not measured in both"


def name_a_run(plain: Found[Benchmark]) -> None:
    """Give a run a name, which the command line knows too."""
    found = runs(plain.rows)
    with st.expander("Save a name for a run", icon=":material/label:"), st.form("tag", border=False):
        names = _names(found)
        run = st.selectbox("Run", list(found), format_func=names.__getitem__, key="tag_run")
        name = st.text_input("Name (tag)", max_chars=40, placeholder="before-pruning", key="tag_name")
        st.caption("On the command line: `python -m udacisense benchmark SUBJECTS --against NAME`")
        if st.form_submit_button("Save name", type="primary"):
            with errors_shown():
                tag(name.strip(), run)
                st.rerun()
