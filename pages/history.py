"""History: what became slower, larger or less accurate?"""

import streamlit as st

from udacisense.records import queries
from ui.history import view
from ui.overview.state import read_store
from ui.shared.frame import frame
from ui.shared.widgets import empty_state, listing_problems

frame("History", "What became slower, larger or less accurate? Every run is kept; runs on other machines stay apart.")

stored = read_store()
listing_problems(stored.problems)
plain = queries.benchmarks().where(queries.is_plain)
if not plain:
    empty_state(
        "No run yet",
        "The first benchmark starts the history. Time a file beside the baseline each time: through a file that two runs "
        "share, a change of the file is told from a change of the machine.",
        "pages/benchmark.py",
        "Time models side by side",
        "python -m udacisense benchmark SUBJECT SUBJECT",
    )
    st.stop()

view.over_time(plain, (*stored.checkpoints, *stored.artifacts))
view.one_against_another(plain)
view.name_a_run(plain)
