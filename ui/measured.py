"""What the Benchmark page asks and draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from udacisense.artifacts import cannot_run
from udacisense.types import Benchmark, Checkpoint, DatasetRef, Subject
from ui import charts, readings, tables
from ui.evidence import Entry
from ui.jobs import job_button, job_panel
from ui.panels import chart, remarks, table
from ui.widgets import describe_subject, empty_state, source_note
from ui.words import MB_HELP, count, ms, when

PROTOCOLS: Mapping[str, str] = {"quick": "Quick", "standard": "Standard"}

_Number = st.column_config.NumberColumn
COLUMNS = {
    "subject": st.column_config.TextColumn("Model", pinned=True),
    "size_mb": _Number("Size, MB", format="%.2f", help=MB_HELP),
    "top1_percent": _Number("Top-1, %", format="%.1f", help="Accuracy on the pictures named under Accuracy."),
    "average_ms": _Number("Average, ms", format="%.2f", help="Steady inference of one picture."),
    "p50_ms": _Number("P50, ms", format="%.2f", help="Half of the answers come within this time (the median)."),
    "p95_ms": _Number("P95, ms", format="%.2f", help="95 of 100 answers come within this time."),
    "p99_ms": _Number("P99, ms", format="%.2f", help="99 of 100 answers come within this time."),
    "images_per_s": _Number("Images/s", format="%.1f", help="From the average."),
    "load_ms": _Number("Load, ms", format="%.1f", help="Reading the file, once."),
    "first_inference_ms": _Number(
        "First, ms", format="%.1f", help="The first inference after loading; never part of the others."
    ),
    "peak_memory_mb": _Number("Peak memory, MB", format="%.1f", help="Resident memory of the process. " + MB_HELP),
    "runtime": st.column_config.TextColumn("Runtime"),
}


def start(subjects: Sequence[Subject]) -> None:
    """Choose what to time side by side and how long, and start it."""
    by_id = {s.id: s for s in subjects if cannot_run(s) is None}
    left_out = [describe_subject(s) for s in subjects if s.id not in by_id]
    first = [s.id for s in subjects if isinstance(s, Checkpoint)][:1]
    default = first + [i for i in by_id if i not in first][: 3 - len(first)]
    with st.expander("Time models side by side", icon=":material/timer:", expanded=False):
        chosen = st.pills(
            "Models",
            list(by_id),
            default=default,
            selection_mode="multi",
            format_func=lambda i: describe_subject(by_id[i]),
            key="bench_subjects",
        )
        if left_out:
            st.caption(f"Not run by this machine, so not offered: {'; '.join(left_out)}.")
        protocol = st.segmented_control(
            "Length",
            list(PROTOCOLS),
            default="standard",
            required=True,
            format_func=PROTOCOLS.__getitem__,
            key="bench_protocol",
        )
        argv = ["benchmark", *chosen, "--protocol", str(protocol)]
        help = "Each model runs in a process of its own, in turns, one at a time. Leave the machine alone meanwhile."
        title = f"Benchmark {count(len(chosen), 'model')}"
        job_button("Benchmark", argv, title, "benchmark", help=help, disabled=not chosen)
        st.caption("Only models of one run may be compared: they are timed in turns, so that what slows one slows all.")
    job_panel("benchmark")


def pick_run(found: Mapping[str, tuple[Benchmark, ...]]) -> tuple[Benchmark, ...]:
    """The run to look at, the newest unless the visitor picks an older one."""
    if len(found) == 1:
        return next(iter(found.values()))
    chosen: str = st.selectbox("Run", list(found), format_func=lambda i: _run_name(found[i]), key="bench_run")
    return found[chosen]


def _run_name(run: tuple[Benchmark, ...]) -> str:
    made, threads = run[0].made, run[0].threads
    return f"{when(made.created)} · {count(len(run), 'model')} · {count(threads, 'thread')} · {made.machine.cpu}"


def comparison(entries: Sequence[Entry]) -> None:
    """The table of everything, and the conditions of the run."""
    table("comparison", tables.comparison(entries), COLUMNS, f"{count(len(entries), 'model')} compared")
    timed = [e.benchmark for e in entries if e.benchmark]
    if timed:
        made, load = timed[0].made, timed[0].made.load_1min
        beside = "" if load is None else f" Load of the machine at the start: {load:.1f}."
        threads = count(timed[0].threads, "thread")
        st.caption(
            f"Timed in turns on {made.machine.cpu}, {threads}, {count(timed[0].batch, 'picture')} at a time, "
            f"{timed[0].input_px[0]} × {timed[0].input_px[1]} pixels, {when(made.created)}.{beside}"
        )
    remarks(_said(entries))


def _said(entries: Sequence[Entry]) -> list[str]:
    """The warnings of a run with the models that they are about; without names where they are about all."""
    about: dict[str, list[str]] = {}
    for e in entries:
        for warning in e.benchmark.warnings if e.benchmark else ():
            about.setdefault(warning, []).append(e.label)
    return [w if len(labels) == len(entries) else f"**{', '.join(labels)}:** {w}" for w, labels in about.items()]


def latency(entries: Sequence[Entry]) -> None:
    """Distribution, order and start-up times; says how to get them where there are none."""
    if not any(e.benchmark for e in entries):
        _no_times()
        return
    rows = lambda: tables.raw_times(entries)  # noqa: E731
    chart("latency", "How long one picture takes", readings.latency(entries), charts.latency(entries), rows)
    chart("timeline", "Times in the order taken", readings.timeline(entries), charts.timeline(entries), rows)


def start_up(entries: Sequence[Entry]) -> None:
    """From nothing to the first answer, and what preprocessing takes beside it."""
    if not any(e.benchmark for e in entries):
        _no_times()
        return
    figure = charts.startup(entries)
    chart("startup", "From nothing to the first answer", readings.startup(entries), figure, lambda: tables.comparison(entries))
    spent = [s for e in entries if e.benchmark for s in e.benchmark.preprocess_s]
    if spent:
        st.caption(
            f"Preprocessing a picture takes another {ms(sum(spent) / len(spent))} on average; it is in none of these times."
        )


def _no_times() -> None:
    text = "No times have been measured yet. Choose models under “Time models side by side” above and start a run."
    empty_state("Not timed yet", text, command="python -m udacisense benchmark SUBJECT SUBJECT")


def space(entries: Sequence[Entry]) -> None:
    """Sizes on disk and peaks of memory."""
    rows = lambda: tables.comparison(entries)  # noqa: E731
    left, right = st.columns(2, gap="large")
    with left:
        chart("sizes", "Size of the file", readings.sizes(entries), charts.sizes(entries), rows, MB_HELP)
    with right:
        chart("memory", "Memory at the peak", readings.memory(entries), charts.memory(entries), rows, MB_HELP)


def accuracy(entries: Sequence[Entry]) -> None:
    """Accuracy with its interval, by class, and the mistakes; starts what is missing."""
    _evaluate_missing(entries)
    judged = [e for e in entries if e.evaluation]
    if not judged:
        text = "No accuracy has been measured yet. Start it with a button above; a thousand pictures take about half a minute."
        empty_state("Not evaluated yet", text, command="python -m udacisense evaluate SUBJECT")
        return
    data = _dataset(judged[0])
    source_note(data)
    remarks((w for e in judged if e.evaluation for w in e.evaluation.warnings), data)
    left, right = st.columns(2, gap="large")
    with left:
        rows = lambda: tables.comparison(entries)  # noqa: E731
        chart("accuracy", "Top-1 accuracy", readings.accuracy(entries), charts.accuracy(entries), rows)
        reading, figure = readings.per_class(entries), charts.per_class(entries)
        chart("per_class", "By class", reading, figure, lambda: tables.per_class(entries))
    with right:
        _mistakes(judged)


def _dataset(entry: Entry) -> DatasetRef:
    assert entry.evaluation is not None, "only judged entries come here"
    return entry.evaluation.data


def _evaluate_missing(entries: Sequence[Entry]) -> None:
    missing = [e for e in entries if not e.evaluation]
    if missing:
        with st.container(horizontal=True):
            for e in missing:
                job_button(f"Evaluate {e.label}", ["evaluate", e.id], f"Evaluate {e.label}", f"evaluate_{e.id}")
    job_panel("evaluate")


def _mistakes(judged: Sequence[Entry]) -> None:
    by_label = {e.label: e for e in judged}
    chosen: str = st.selectbox("Mistakes of", list(by_label), key="confusion_of") if len(by_label) > 1 else judged[0].label
    entry = by_label[chosen]
    assert entry.evaluation is not None, "only judged entries come here"
    figure = charts.confusion(entry.evaluation)
    chart("confusion", "What is taken for what", readings.confusion(entry.evaluation), figure, lambda: tables.confusion(entry))
