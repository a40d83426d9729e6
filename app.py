"""Overview: what is here, what is ready, what to do next."""

import streamlit as st

from udacisense.data.sources import default_source, describe
from ui.overview import machine, state
from ui.overview.view import artifacts_table, store_metrics
from ui.shared.frame import frame
from ui.shared.jobs import job_button, job_panel
from ui.shared.widgets import default_checkpoint_id, empty_state, listing_problems

frame("Overview", "A checkpoint goes in, evidence comes out: which files are here, which are ready, and what to do next.")

stored = state.read_store()
step = state.next_step(stored)

st.header("Next step", anchor=False)
empty_state(step.title, step.text, step.page, step.link, step.command)
if default_checkpoint_id():
    with st.container(horizontal=True, vertical_alignment="center"):
        job_button(
            "Run full pipeline",
            ["run"],
            "Full pipeline",
            key="run",
            help="Convert, evaluate, verify, benchmark and check the default checkpoint. Takes a few minutes.",
        )
        st.caption("From the default checkpoint to a verdict, in the background.")
job_panel("run")

st.header("Contents", anchor=False)
store_metrics(stored, describe(default_source()))
listing_problems(stored.problems)

st.header("Converted files", anchor=False)
if stored.artifacts:
    artifacts_table(state.progress(stored), stored.checkpoints)
else:
    st.caption("No converted file yet. The table fills as files are converted, verified, benchmarked and checked.")

st.header("This machine", anchor=False)
machine.panel()
