"""Convert: turn a checkpoint into a file that a phone can run."""

import streamlit as st

from ui import convert_views, inside_views
from ui.frame import frame
from ui.jobs import job_button, job_panel
from ui.widgets import default_notice, empty_state, pick_artifact, pick_checkpoint

frame(
    "Convert", "Which file will a phone run? Pick a checkpoint and a format; the written file is loaded again before it counts."
)

checkpoint = pick_checkpoint("convert")
if checkpoint is None:
    empty_state(
        "Nothing to convert yet",
        "A conversion starts from a checkpoint. The Models page says how to bring one.",
        "pages/models.py",
        "Models",
        "python -m udacisense train",
    )
    st.stop()
default_notice(checkpoint)

choice = convert_views.pick_format()
if choice is not None:
    fmt, precision = choice
    convert_views.about(fmt, checkpoint, precision)
    argv = ["convert", checkpoint.id, "--format", fmt.name, "--precision", precision]
    job_button("Convert", argv, f"Convert to {fmt.title}", key="convert")
convert_views.missing_formats()
job_panel("convert", on_done=convert_views.pick_result)

st.subheader("Converted files", anchor=False)
artifact = pick_artifact("convert", label="Converted file")
if artifact is None:
    st.caption("None yet. A conversion takes a few seconds and runs in the background: you may leave this page meanwhile.")
    st.stop()
convert_views.result(artifact)
inside_views.panel(artifact)
st.page_link(
    "pages/verify.py",
    label="Prove that it is the same model",
    icon=":material/difference:",
    query_params={"artifact": artifact.id},
)
