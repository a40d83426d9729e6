"""Views of the Benchmark page: the form that starts a run, the table of a run, sizes and accuracies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from udacisense.artifacts import cannot_run
from udacisense.benchmark.quality_grade import trust
from udacisense.number_format import MB_HELP, count, when
from udacisense.records import queries
from udacisense.records.queries import Found, Row
from udacisense.types import Artifact, Benchmark, Checkpoint, DatasetRef, Subject, Unfinished
from ui.benchmark import captions
from ui.benchmark import rows as benchmark_rows
from ui.shared import captions as shared_captions
from ui.shared import charts
from ui.shared import rows as shared_rows
from ui.shared.chart_block import chart, remarks, table
from ui.shared.entries import SubjectMetrics, runs
from ui.shared.jobs import job_button, job_panel
from ui.shared.plain_text import Markdown, escape
from ui.shared.widgets import empty_state, listing_problems, source_note, subject_lines

PROTOCOLS: Mapping[str, tuple[str, str]] = {
    "quick": ("Quick", "six starts per model, and about 5 s more"),
    "standard": ("Standard", "ten starts per model, at least 100 runs and 10 s"),
    "soak": ("Soak (5 min sustained)", "five minutes per model without a pause, each model alone"),
}
MORE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "threads": ("1, 2 and all cores", ("--threads", "1,2,all")),
    "batch": ("batches of 1 and 8 images", ("--batch", "1,8")),
    "busy": ("under CPU load", ("--busy", "1")),
}
"""Settings that a run may vary: label and options."""

_Number = st.column_config.NumberColumn
UNFINISHED = {
    "subject": st.column_config.TextColumn("Model"),
    "when": st.column_config.TextColumn("Started, UTC"),
    "starts": st.column_config.TextColumn("Starts"),
    "runs": _Number("Runs"),
    "why": st.column_config.TextColumn("Reason", width="large"),
}
COLUMNS = {
    "subject": st.column_config.TextColumn("Model", pinned=True, width=236),
    "trust": st.column_config.TextColumn(
        "Quality", width=62, help="Measurement quality from A (best) to D (too noisy to decide anything); reasons below."
    ),
    "size_mb": _Number("Size, MB", format="%.2f", help=MB_HELP, width=72),
    "top1_percent": _Number("Top-1, %", format="%.1f", help="Accuracy on the images named under Accuracy.", width=72),
    "average_ms": _Number("Mean, ms", format="%.2f", help="Steady inference per image, average.", width=76),
    "p50_ms": _Number("P50, ms", format="%.2f", help="Median: half of the answers come within this time.", width=68),
    "p95_ms": _Number("P95, ms", format="%.2f", help="95 of 100 answers come within this time.", width=68),
    "p99_ms": _Number("P99, ms", format="%.2f", help="99 of 100 answers come within this time.", width=68),
    "whole_way_ms": _Number("End-to-end, ms", format="%.2f", help="Median: decode, preprocess and infer one image.", width=106),
    "images_per_s": _Number("Images/s", format="%.1f", help="From the average.", width=72),
    "peak_memory_mb": _Number("RAM, MB", format="%.0f", help="Peak of resident memory. " + MB_HELP, width=72),
}
"""Narrow enough for all to be seen at once on a screen of 1440 pixels."""


def start(subjects: Sequence[Subject]) -> None:
    """Form that starts a benchmark: models, protocol, settings."""
    by_id: dict[str, Subject] = {s.id: s for s in subjects if cannot_run(s) is None}
    describe = subject_lines()
    left_out = [describe(s) for s in subjects if s.id not in by_id]
    first = [s.id for s in by_id.values() if isinstance(s, Checkpoint)][:1]
    default = first + [i for i in by_id if i not in first][: 3 - len(first)]
    with st.expander("Benchmark models", icon=":material/timer:", expanded=False):
        chosen = st.pills(
            "Models",
            list(by_id),
            default=default,
            selection_mode="multi",
            format_func=lambda i: escape(describe(by_id[i])),
            key="bench_subjects",
        )
        if left_out:
            st.caption(f"Not offered, for this machine cannot run them: {escape('; '.join(left_out))}.")
        protocol = str(
            st.segmented_control(
                "Protocol",
                list(PROTOCOLS),
                default="standard",
                required=True,
                format_func=lambda name: PROTOCOLS[name][0],
                key="bench_protocol",
            )
        )
        st.caption(f"{PROTOCOLS[protocol][0]}: {PROTOCOLS[protocol][1]}.")
        more = st.pills(
            "Vary", list(MORE), selection_mode="multi", format_func=lambda name: MORE[name][0], key="bench_more", default=None
        )
        argv = ["benchmark", *chosen, "--protocol", protocol, *(word for name in more for word in MORE[name][1])]
        help = "Each model runs in its own process, in turns, one at a time. Leave the machine idle meanwhile."
        title = f"Benchmark {count(len(chosen), 'model')}"
        job_button("Run benchmark", argv, title, "benchmark", help=help, disabled=not chosen)
        st.caption("Compare only within one run: models are timed in turns, so that a disturbance affects all of them.")
    job_panel("benchmark")


def cut_short() -> None:
    """Unfinished runs: the blocks that were kept, and the commands that run them again."""
    listing_problems(queries.unreadable(Unfinished))
    found = tuple(queries.unfinished_benchmarks())
    if not found:
        return
    with st.expander(f"{count(len(found), 'unfinished measurement')}", icon=":material/content_cut:"):
        st.markdown(escape(captions.cut_short(found)))
        table("unfinished", benchmark_rows.unfinished_rows(found), UNFINISHED, "Unfinished measurements")


def pick_run(timed: Found[Benchmark], here: Sequence[Subject]) -> tuple[Benchmark, ...]:
    """The run to show: the newest that timed a phone file that is here, else the newest; the visitor may pick another."""
    found = runs(timed.where(lambda row: not row["sustained"]).rows)
    if len(found) < 2:
        return tuple(Found(next(iter(found.values()), ())))
    phone = {s.sha256 for s in here if isinstance(s, Artifact)}
    told = (place for place, run in enumerate(found.values()) if any(row.sha256 in phone for row in run))
    index = next(told, 0)
    chosen: str = st.selectbox("Run", list(found), index=index, format_func=lambda i: _run_name(found[i]), key="bench_run")
    return tuple(Found(found[chosen]))


def _run_name(run: tuple[Row, ...]) -> str:
    threads = sorted({row["threads"] for row in run})
    models, settings = len({row["subject_id"] for row in run}), len({tuple(row["setting"]) for row in run})
    many = f"{count(settings, 'setting')}" if settings > 1 else count(threads[0], "thread")
    return f"{when(run[0].created)} · {count(models, 'model')} · {many} · {run[0]['machine']['cpu']}"


def comparison(entries: Sequence[SubjectMetrics]) -> None:
    """The table of everything, and the conditions of the run."""
    table("comparison", shared_rows.comparison(entries), COLUMNS, f"{count(len(entries), 'model')} compared")
    if any(e.evaluation and e.evaluation.data.source == "sample" for e in entries):
        st.caption("Accuracy on the rendered sample, not on the real test set.")
    timed = [e.benchmark for e in entries if e.benchmark]
    if timed:
        made, load = timed[0].made, timed[0].made.load_1min
        beside = "" if load is None else f" System load at the start: {load:.1f}."
        threads = count(timed[0].threads, "thread")
        st.caption(
            f"Timed in turns on {escape(made.machine.cpu)}, {threads}, batches of {count(timed[0].batch, 'image')}, "
            f"{timed[0].input_px[0]:d} × {timed[0].input_px[1]:d} pixels, {escape(when(made.created))}.{beside}"
        )
        st.caption(escape(_runtimes(entries)))
    _quality(entries)
    remarks(_said(entries))


def _runtimes(entries: Sequence[SubjectMetrics]) -> str:
    named = dict.fromkeys(f"{e.benchmark.runtime} {e.benchmark.runtime_version}" for e in entries if e.benchmark)
    notes = dict.fromkeys(e.benchmark.energy_note for e in entries if e.benchmark and e.benchmark.energy_note)
    return f"Runtimes: {', '.join(named)}." + (f" Energy: {' '.join(notes)}" if notes else "")


def _quality(entries: Sequence[SubjectMetrics]) -> None:
    """Measurement quality: a summary with the reasons for grades below A, and a warning where a grade decides nothing."""
    grades = [(e.label, trust(e.benchmark)) for e in entries if e.benchmark]
    doubted = [(label, found) for label, found in grades if found.deductions]
    if not doubted:
        return
    lowest = [label for label, found in doubted if found.grade == "D"]
    if lowest:
        whose = "all models" if len(lowest) == len(grades) else ", ".join(lowest)
        st.warning(f"Quality D: too noisy to decide anything ({escape(whose)}).", icon=":material/thumb_down:")
    counts = Counter(found.grade for _, found in grades)
    title = escape("Measurement quality: " + ", ".join(f"{number} × {grade}" for grade, number in sorted(counts.items())))
    with st.expander(title, icon=":material/fact_check:"):
        for label, found in doubted:
            reasons = list(dict.fromkeys(d.why for d in sorted(found.deductions, key=lambda d: -d.steps)))
            st.markdown(f"**{escape(label)}: {escape(found.grade)}**" + "".join(f"\n- {escape(why)}" for why in reasons))


def _said(entries: Sequence[SubjectMetrics]) -> list[Markdown]:
    """The warnings of a run with the models that they are about; without names where they are about all."""
    about: dict[str, list[str]] = {}
    for e in entries:
        for warning in e.benchmark.warnings if e.benchmark else ():
            about.setdefault(warning, []).append(e.label)
    return [
        escape(w) if len(labels) == len(entries) else f"**{escape(', '.join(labels))}:** {escape(w)}"
        for w, labels in about.items()
    ]


def space(entries: Sequence[SubjectMetrics]) -> None:
    """Sizes on disk and peaks of memory."""
    rows = lambda: shared_rows.comparison(entries)  # noqa: E731
    left, right = st.columns(2, gap="large")
    with left:
        chart("sizes", "File size", shared_captions.sizes(entries), charts.sizes(entries), rows, MB_HELP)
    with right:
        chart("memory", "Peak memory", shared_captions.memory(entries), charts.memory(entries), rows, MB_HELP)


def accuracy(entries: Sequence[SubjectMetrics]) -> None:
    """Accuracy with its interval, by class, and the confusion matrix; buttons for missing evaluations."""
    _evaluate_missing(entries)
    judged = [e for e in entries if e.evaluation]
    if not judged:
        text = "Accuracy not measured yet. The buttons above start it; a thousand images take about half a minute."
        empty_state("Accuracy not measured yet", text, command="python -m udacisense evaluate SUBJECT")
        return
    data = _dataset(judged[0])
    source_note(data)
    remarks((escape(w) for e in judged if e.evaluation for w in e.evaluation.warnings), data)
    left, right = st.columns(2, gap="large")
    with left:
        rows = lambda: shared_rows.comparison(entries)  # noqa: E731
        chart("accuracy", "Top-1 accuracy", shared_captions.accuracy(entries), charts.accuracy(entries), rows)
        reading, figure = shared_captions.per_class(entries), charts.per_class(entries)
        chart("per_class", "Accuracy by class", reading, figure, lambda: shared_rows.per_class(entries))
    with right:
        _mistakes(judged)


def _dataset(entry: SubjectMetrics) -> DatasetRef:
    assert entry.evaluation is not None, "only judged entries come here"
    return entry.evaluation.data


def _evaluate_missing(entries: Sequence[SubjectMetrics]) -> None:
    missing = [e for e in entries if not e.evaluation]
    if missing:
        with st.container(horizontal=True):
            for e in missing:
                job_button(f"Evaluate {e.label}", ["evaluate", e.id], f"Evaluate {e.label}", f"evaluate_{e.id}")
    job_panel("evaluate")


def _mistakes(judged: Sequence[SubjectMetrics]) -> None:
    by_label = {e.label: e for e in judged}
    chosen: str = (
        st.selectbox("Confusion matrix of", list(by_label), key="confusion_of") if len(by_label) > 1 else judged[0].label
    )
    entry = by_label[chosen]
    assert entry.evaluation is not None, "only judged entries come here"
    figure = charts.confusion(entry.evaluation)
    chart(
        "confusion",
        "Confusion matrix",
        shared_captions.confusion(entry.evaluation),
        figure,
        lambda: shared_rows.confusion(entry),
    )
