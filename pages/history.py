"""History: changes of speed, size and accuracy from run to run."""

import streamlit as st

from udacisense.records import queries
from udacisense.types import Subject
from ui.history import view
from ui.overview.state import read_store
from ui.shared.frame import frame
from ui.shared.widgets import empty_state, listing_problems

frame("History", "What became slower, larger or less accurate? Every run is kept; other machines have their own lines.")

stored = read_store()
listing_problems(stored.problems)
plain = queries.benchmarks().where(queries.is_plain)
if not plain:
    empty_state(
        "No run yet",
        "The first benchmark starts the history. Include the baseline in each run: a file that two runs share tells a change "
        "of the file from a change of the machine.",
        "pages/benchmark.py",
        "Benchmark models",
        "python -m udacisense benchmark SUBJECT SUBJECT",
    )
    st.stop()

subjects: tuple[Subject, ...] = (*stored.checkpoints, *stored.artifacts)
view.over_time(plain, subjects)
view.one_against_another(plain, subjects)
view.name_a_run(plain)
