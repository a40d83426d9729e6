"""Views of the Readiness page: the verdict, its rules, and the figures from baseline to mobile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from udacisense import verbs
from udacisense.number_format import MB, MB_HELP, count
from udacisense.readiness.judge import says_the_same
from udacisense.readiness.measures.measure import COLUMNS
from udacisense.readiness.measures.registry import MEASURES
from udacisense.readiness.rules import left_out_words, load_rules
from udacisense.records import queries
from udacisense.report.rule_words import rule_words
from udacisense.settings import settings
from udacisense.types import Artifact, Benchmark, Evaluation, Readiness, Status, Verdict, Verification
from udacisense.verdict_words import rule_title
from ui.shared import captions, charts, rows
from ui.shared.chart_block import chart, csv_button
from ui.shared.entries import Stage
from ui.shared.plain_text import code, escape
from ui.shared.widgets import listing_problems, readiness_badge, remembered, rule_badge, source_note

HEADLINES: dict[Status, str] = {
    "pass": "every rule passes",
    "fail": "a rule fails",
    "unknown": "some rules are inconclusive",
}
PLACES = {
    "verify": ("pages/verify.py", "Verify"),
    "benchmark": ("pages/benchmark.py", "Benchmark"),
    "package": ("pages/convert.py", "Package for an app"),
}
"""Verb that takes a measure -> its page and what the link there says; accuracy is measured on the Benchmark page too."""
ORDER: dict[Status, int] = {"fail": 0, "unknown": 1, "pass": 2}

FIGURES: tuple[tuple[str, str, Callable[[Stage], float | None], str, str, str | None], ...] = (
    ("accuracy", "Accuracy", lambda s: None if s.top1 is None else s.top1 * 100, "{:.1f} %", "top-1, percent", None),
    ("size", "Size", lambda s: None if s.size_bytes is None else s.size_bytes / MB, "{:.2f} MB", "MB", MB_HELP),
    (
        "latency",
        "Inference time",
        lambda s: None if s.latency_s is None else s.latency_s * 1000,
        "{:.2f} ms",
        "milliseconds",
        "Average steady time per image. All three come from one run; a model that was not in that run has no figure.",
    ),
)
"""Name, title, value of a stage, how a value is written, unit of the axis, hint."""


def report(artifact: Artifact, format: str) -> Callable[[], str]:
    """Writer of the report, called when it is asked for."""
    return lambda: verbs.report(artifact.id, format)


def unread() -> None:
    """Name the records that could not be read: no rule can rest on them."""
    kinds = (Evaluation, Verification, Benchmark, Readiness)
    listing_problems(queries.unreadable(*kinds))


def as_saved(record: Readiness, last: Readiness | None) -> Readiness | None:
    """The last saved judgement if it says what `record` says, else None."""
    return last if last is not None and says_the_same(record, last) else None


def headline(record: Readiness, name: str) -> None:
    """The verdict on the file of this name in one box, and a warning where it rests on the rendered sample."""
    with st.container(border=True, gap="small"):
        readiness_badge(record.status)
        st.markdown(f"## {escape(name)}: {HEADLINES[record.status]}")
        st.markdown(escape(captions.verdicts(record.verdicts)))
        st.caption("Times are those of the machine that the reason names, not of a phone.")
    if record.left_out:
        st.warning(escape(left_out_words(record.left_out)), icon=":material/rule:")
    if any(v.data and v.data.source == "sample" for v in record.verdicts):
        source_note("sample")


def rules(record: Readiness) -> None:
    """One card per rule: failures first, then inconclusive ones, then passes."""
    takes = {key: MEASURES[rule.measure].verb for key, rule in load_rules(settings().rules_file).rules.items()}
    with st.grid(2, min_column_width=320, gap="small"):
        for v in sorted(record.verdicts, key=lambda v: ORDER[v.status]):
            _card(v, takes.get(v.rule, "benchmark"))
    csv_button("verdicts", lambda: rows.verdicts(record))
    with st.expander("What a rule can measure", icon=":material/straighten:"):
        st.markdown(f"The rules are those of {code(str(settings().rules_file))}. A rule may name each of these measures.")
        st.dataframe(
            [dict(zip(COLUMNS, measure.cells, strict=True)) for measure in MEASURES.values()],
            hide_index=True,
            alt=f"{count(len(MEASURES), 'measure')} with unit, bound and limits",
        )


def _card(v: Verdict, verb: str) -> None:
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            rule_badge(v.status)
            st.markdown(f"**{escape(rule_title(v.title))}**")
        words = rule_words(v)
        st.markdown(f"{escape(words.quantity)}: **{escape(words.figure)}** · limit: {escape(words.limit)}")
        st.markdown(escape(v.reason))
        if v.evidence:
            st.caption("Evidence: " + ", ".join(map(code, v.evidence)))
        if v.status == "unknown":
            page, label = _where(v, verb)
            st.page_link(page, label=escape(label), icon=":material/arrow_forward:", query_params=remembered())


def _where(v: Verdict, verb: str) -> tuple[str, str]:
    """Page that measures what a rule lacks, and the label of its link."""
    if v.data and v.data.source == "sample":
        return "pages/dataset.py", "Get real images"
    return PLACES.get(verb, PLACES["benchmark"])


def pipeline(stages: Sequence[Stage]) -> None:
    """Accuracy, size and time from baseline to mobile; gaps where nobody measured."""
    columns = st.columns(len(FIGURES), gap="large")
    for column, (name, title, value, template, unit, help) in zip(columns, FIGURES, strict=True):
        with column:
            reading = captions.pipeline(stages, value, template.format)
            figure = charts.pipeline(stages, value, template, unit)
            chart(f"pipeline_{name}", title, reading, figure, lambda: rows.stages(stages), help)
