"""Convert: turn a checkpoint into a file that a phone can run."""

import streamlit as st

from ui import convert_board, convert_views
from ui.conversions import board
from ui.frame import frame
from ui.jobs import job_panel
from ui.widgets import default_notice, empty_state, pick_checkpoint

frame(
    "Convert", "Which files can a phone run? Every format and precision of a checkpoint; pick one to make it or to look at it."
)

convert_board.follow_link()
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
job_panel("convert", on_done=convert_views.pick_result)
if convert_board.verifying():
    job_panel("convert_verify", "verify")

rows = board(checkpoint)
chosen = convert_board.picked(rows)
convert_board.show(checkpoint, chosen)
convert_board.everything(checkpoint, rows)
convert_board.orphans()

convert_views.panel(chosen, checkpoint)
