"""Benchmark: speed, size and accuracy of the models, side by side."""

import streamlit as st

from udacisense.records import queries
from udacisense.types import Subject
from ui.benchmark import latency_views
from ui.benchmark import view as benchmark_view
from ui.overview.state import read_store
from ui.shared.entries import entries, plainest, timed_entries
from ui.shared.frame import frame
from ui.shared.glossary import glossary_popover
from ui.shared.widgets import empty_state, listing_problems, provenance_note

frame("Benchmark", "How fast, how large and how good are the models? Side by side, with every single time kept.")

glossary_popover("benchmark")

stored = read_store()
listing_problems(stored.problems)
timed = queries.benchmarks()
subjects: tuple[Subject, ...] = (*reversed(stored.checkpoints), *reversed(stored.artifacts))
if subjects:
    benchmark_view.start(subjects)
elif not timed:
    empty_state(
        "No model to benchmark yet",
        "A benchmark times checkpoints and converted files side by side. The Models page says how to bring a checkpoint.",
        "pages/models.py",
        "Bring a checkpoint",
        "python -m udacisense run",
    )
    st.stop()

benchmark_view.cut_short()
run = benchmark_view.pick_run(timed, subjects)
evaluations = queries.newest_evaluations({*(s.sha256 for s in subjects), *(b.subject_sha256 for b in run)})
rows = timed_entries(plainest(run), subjects, evaluations) if run else entries(subjects, evaluations)

benchmark_view.comparison(rows)
views = {
    "Latency": latency_views.latency,
    "Start-up": latency_views.start_up,
    "Scaling": lambda rows: latency_views.scaling(run, rows) if run else latency_views.not_timed(),
    "Sustained": lambda _: latency_views.sustained(timed, subjects),
    "Trade-off": latency_views.tradeoffs,
    "Size and memory": benchmark_view.space,
    "Accuracy": benchmark_view.accuracy,
}
view = st.segmented_control("View", list(views), default="Latency", required=True, key="bench_view")
views[view](rows)
if run:
    provenance_note(run[0].made, run[0].run_id)
    st.page_link("pages/history.py", label="Compare with earlier runs", icon=":material/history:")
