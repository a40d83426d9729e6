"""Verify: equivalence of a converted file with its checkpoint."""

import streamlit as st

from udacisense.artifacts import cannot_run
from udacisense.data.sources import default_source, describe
from udacisense.records import queries
from udacisense.types import Verification
from ui.shared.frame import frame
from ui.shared.glossary import glossary_popover
from ui.shared.jobs import job_button, job_panel
from ui.shared.plain_text import escape
from ui.shared.widgets import empty_state, listing_problems, pick_artifact, provenance_note, sample_limit
from ui.verify import view as verify_view

frame("Verify", "Is the converted file equivalent to its checkpoint? The same inputs go through both.")

glossary_popover("verify")

artifact = pick_artifact("verify")
if artifact is None:
    empty_state(
        "Nothing to verify yet",
        "A verification compares a converted file with the checkpoint that it was made from. Convert a checkpoint first.",
        "pages/convert.py",
        "Convert a checkpoint",
        "python -m udacisense convert CHECKPOINT --format torchscript",
    )
    st.stop()

command = ["verify", artifact.id]
reason = cannot_run(artifact)
with st.container(horizontal=True, vertical_alignment="center"):
    job_button(
        "Verify",
        command,
        f"Verify {artifact.id}",
        "verify",
        help="Runs checkpoint and file on all test images, in the background.",
        disabled=reason is not None,
    )
    st.caption(
        f"Inputs: five random images, the golden images, then every test image of: {escape(describe(default_source()).title)}."
    )
if reason is not None:
    st.info(f"This machine cannot run the file. {escape(reason)} Verify it on a machine that can.", icon=":material/block:")
job_panel("verify")

listing_problems(queries.unreadable(Verification))
found = queries.verifications_of(artifact.sha256, exploratory=True)
if not found and reason is not None:
    st.stop()
if not found:
    empty_state(
        "Not verified yet",
        "This file has not been compared with its checkpoint yet. The button above compares both on every test image.",
        command=f"python -m udacisense {' '.join(command)}",
    )
    st.header(verify_view.LAYERS, anchor=False)
    verify_view.layers(None, artifact)
    st.stop()

record = verify_view.pick_record(found)
if record is None:
    st.stop()
verify_view.verdict(record, artifact)
sample_limit(artifact)
view = st.segmented_control(
    "View", list(verify_view.VIEWS), default=next(iter(verify_view.VIEWS)), required=True, key="verify_view"
)
verify_view.VIEWS[view](record, artifact)
provenance_note(record.made, record.id)
