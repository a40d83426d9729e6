"""Benchmark: how fast, how large, how good, side by side?"""

import streamlit as st

from udacisense import queries
from ui import measured, timing_views
from ui.evidence import entries, plainest, timed_entries
from ui.frame import frame
from ui.overview import read_shelf
from ui.widgets import empty_state, listing_problems, provenance_note

frame("Benchmark", "How fast, how large and how good are the models? Side by side, with every single time kept.")

shelf = read_shelf()
listing_problems(shelf.problems)
timed = queries.benchmarks()
subjects = (*reversed(shelf.checkpoints), *reversed(shelf.artifacts))
if subjects:
    measured.start(subjects)
elif not timed:
    empty_state(
        "Nothing to measure yet",
        "A benchmark times checkpoints and converted files side by side. The Models page says how to bring a checkpoint.",
        "pages/models.py",
        "Bring a checkpoint",
        "python -m udacisense run",
    )
    st.stop()

measured.cut_short()
run = measured.pick_run(timed, subjects)
evaluations = queries.newest_evaluations({*(s.sha256 for s in subjects), *(b.subject_sha256 for b in run)})
rows = timed_entries(plainest(run), subjects, evaluations) if run else entries(subjects, evaluations)

measured.comparison(rows)
views = {
    "Latency": timing_views.latency,
    "Start-up": timing_views.start_up,
    "Scaling": lambda rows: timing_views.scaling(run, rows) if run else timing_views.not_timed(),
    "Sustained": lambda _: timing_views.sustained(timed, subjects),
    "Trade-off": timing_views.tradeoffs,
    "Size and memory": measured.space,
    "Accuracy": measured.accuracy,
}
view = st.segmented_control("Look at", list(views), default="Latency", required=True, key="bench_view")
views[view](rows)
if run:
    provenance_note(run[0].made, run[0].run_id)
    st.page_link("pages/history.py", label="Hold this run against earlier ones", icon=":material/history:")
