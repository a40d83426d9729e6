"""Overview: what is here, what is ready, what to do next."""

import streamlit as st

from udacisense.data.sources import default_source, describe
from ui.overview import machine, state
from ui.overview.view import artifacts_table, shelf_metrics
from ui.shared.frame import frame
from ui.shared.jobs import job_button, job_panel
from ui.shared.widgets import default_checkpoint_id, empty_state, listing_problems

frame("Overview", "A checkpoint goes in, evidence comes out: what is here, what is ready, and what to do next.")

shelf = state.read_shelf()
step = state.next_step(shelf)

st.subheader("Next step", anchor=False)
empty_state(step.title, step.text, step.page, step.link, step.command)
if default_checkpoint_id():
    with st.container(horizontal=True, vertical_alignment="center"):
        job_button(
            "Run the whole way",
            ["run"],
            "Whole way",
            key="run",
            help="Convert, evaluate, verify, benchmark and judge the default checkpoint. Takes a few minutes.",
        )
        st.caption("From the default checkpoint to a verdict in one go, in the background.")
job_panel("run")

st.subheader("What is here", anchor=False)
shelf_metrics(shelf, describe(default_source()))
listing_problems(shelf.problems)

st.subheader("What is ready", anchor=False)
if shelf.artifacts:
    artifacts_table(state.progress(shelf), shelf.checkpoints)
else:
    st.caption("No converted file yet. The table fills as artifacts are converted, proved, measured and judged.")

st.subheader("This machine", anchor=False)
machine.panel()
