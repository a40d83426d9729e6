"""Views of times on the Benchmark page: latency, start-up, scaling, sustained load, trade-off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import plotly.graph_objects as go
import streamlit as st

from udacisense.errors import UdaciSenseError
from udacisense.models.checkpoint import baseline_checkpoint
from udacisense.readiness.rules import load_rules
from udacisense.records.queries import Found, newest_evaluations
from udacisense.settings import settings
from udacisense.types import Benchmark, Subject
from ui.benchmark import captions, charts
from ui.benchmark import rows as benchmark_rows
from ui.benchmark.charts import Limits
from ui.shared import cache
from ui.shared import rows as shared_rows
from ui.shared.chart_block import chart
from ui.shared.entries import SubjectMetrics, digest_of, timed_entries
from ui.shared.plain_text import Markdown
from ui.shared.rows import Row
from ui.shared.widgets import empty_state

By = Literal["time", "size"]


def shown(
    name: str,
    title: str,
    entries: Sequence[SubjectMetrics],
    build: Callable[[], tuple[str, go.Figure]],
    rows: Callable[[], list[Row]],
    key: str = "",
    help: Markdown | None = None,
) -> None:
    """A chart of entries with its sentence, both made once for these records."""
    reading, figure = cache.drawn(name, digest_of(entries) + key, build)
    chart(name, title, reading, figure, rows, help)


def not_timed() -> None:
    """Empty state of the views of times."""
    text = "Times not measured yet. Choose models under “Benchmark models” above and start a run."
    empty_state("Times not measured yet", text, command="python -m udacisense benchmark SUBJECT SUBJECT")


def latency(entries: Sequence[SubjectMetrics]) -> None:
    """Distribution, and the course of the run."""
    if not any(e.benchmark for e in entries):
        not_timed()
        return
    shown(
        "latency", "Latency per image", entries,
        lambda: (captions.latency(entries), charts.latency(entries)),
        lambda: shared_rows.raw_times(entries),
        help="A line that rises early and steeply is fast and even. P95: 95 of 100 answers come within this time.",
    )  # fmt: skip
    shown(
        "course", "Latency over the run", entries,
        lambda: (captions.course(entries), charts.course(entries)),
        lambda: benchmark_rows.course_rows(entries),
    )  # fmt: skip


def start_up(entries: Sequence[SubjectMetrics]) -> None:
    """Cold start to first inference, and end-to-end time per image."""
    if not any(e.benchmark for e in entries):
        not_timed()
        return
    shown(
        "startup", "Cold start to first inference", entries,
        lambda: (f"{captions.startup(entries)} {captions.cold(entries)}", charts.startup(entries)),
        lambda: benchmark_rows.start_rows(entries),
    )  # fmt: skip
    if not any(e.benchmark and e.benchmark.end_to_end_s for e in entries):
        text = "This run was made before end-to-end times were measured. Benchmark the models again."
        empty_state("End-to-end time not measured", text, command="python -m udacisense benchmark SUBJECT SUBJECT")
        return
    shown(
        "whole", "End-to-end time per image", entries,
        lambda: (captions.whole(entries), charts.whole(entries)),
        lambda: benchmark_rows.whole_rows(entries),
        help="An image of 32 × 32 pixels is decoded, preprocessed and inferred. Latency shows inference alone.",
    )  # fmt: skip


def scaling(run: Sequence[Benchmark], entries: Sequence[SubjectMetrics]) -> None:
    """Speed by threads, batch size and CPU load, as far as this run timed them."""
    labels = {e.id: (e.label, e.format) for e in entries}
    titles = {"threads": "Threads", "batch": "Batch size", "background_processes": "CPU load"}
    found = {by: groups for by in titles if (groups := _groups(run, labels, by))}
    if not found:
        text = "This run timed each model under one setting. Vary threads, batch size or CPU load in a new run."
        command = "python -m udacisense benchmark SUBJECT --threads 1,2,all --batch 1,8 --busy 1"
        empty_state("One setting only", text, command=command)
        return
    for by, groups in found.items():
        records = [b for _, _, some in groups for b in some]
        rows = lambda records=records: benchmark_rows.setting_rows(records)  # noqa: E731
        chart(f"scaling_{by}", titles[by], captions.scaling(groups, by), charts.scaling(groups, by), rows)


def _groups(
    run: Sequence[Benchmark], labels: dict[str, tuple[str, str]], by: str
) -> list[tuple[str, str, tuple[Benchmark, ...]]]:
    """Each subject's records that differ in one thing only, rising; subjects with fewer than two are left out."""
    others = [name for name in ("threads", "batch", "background_processes") if name != by]
    least = {name: min(getattr(b, name) for b in run) for name in others}
    groups = []
    for subject, (label, format) in labels.items():
        own = [b for b in run if b.subject_id == subject and all(getattr(b, n) == least[n] for n in others)]
        if len(own) > 1:
            groups.append((label, format, tuple(sorted(own, key=lambda b: int(getattr(b, by))))))
    return groups


def sustained(timed: Found[Benchmark], subjects: Sequence[Subject]) -> None:
    """The newest soak of each model: minutes without a pause."""
    newest = {row.sha256: row for row in timed.rows if row["sustained"]}
    if not newest:
        text = "A soak runs each chosen model for five minutes without a pause."
        empty_state("Sustained load not measured yet", text, command="python -m udacisense benchmark SUBJECT --protocol soak")
        return
    entries = timed_entries(tuple(Found(tuple(newest.values()))), subjects, newest_evaluations(newest))
    shown(
        "sustained", "Latency under sustained load", entries,
        lambda: (captions.sustained(entries), charts.course(entries)),
        lambda: benchmark_rows.course_rows(entries),
        help="Each model ran alone, so compare each line with itself over time, not with the other lines.",
    )  # fmt: skip


def tradeoffs(entries: Sequence[SubjectMetrics]) -> None:
    """Accuracy against time and against size, with the rules as shaded limits."""
    if not any(e.evaluation for e in entries):
        text = "A trade-off needs accuracies. The Accuracy view evaluates what is missing."
        empty_state("Accuracy not measured yet", text, command="python -m udacisense evaluate SUBJECT")
        return
    left, right = st.columns(2, gap="large")
    sides: tuple[tuple[object, By, str], ...] = (
        (left, "time", "Accuracy against time"), (right, "size", "Accuracy against size"),
    )  # fmt: skip
    for column, by, title in sides:
        limits = _limits(entries, by)
        with column:  # type: ignore[attr-defined]
            shown(
                f"tradeoff_{by}", title, entries,
                partial(_tradeoff, entries, by, limits),
                lambda: shared_rows.comparison(entries),
                key=repr(limits),
            )  # fmt: skip


def _tradeoff(entries: Sequence[SubjectMetrics], by: By, limits: Limits) -> tuple[str, go.Figure]:
    return captions.tradeoff(entries, limits, by), charts.tradeoff(entries, by, limits)


def _limits(entries: Sequence[SubjectMetrics], by: By) -> Limits:
    """Where readiness.toml draws its lines, in the figures of the baseline of this run."""
    try:
        rules = load_rules(settings().rules_file).rules.values()
    except UdaciSenseError:
        return Limits()
    baseline = baseline_checkpoint()
    base = next((e for e in entries if baseline and e.benchmark and e.benchmark.subject_sha256 == baseline.sha256), None)
    return charts.limits(rules, base, by)
