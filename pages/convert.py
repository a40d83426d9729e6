"""Convert: a checkpoint becomes files that a phone can run."""

import streamlit as st

from ui.convert import board as convert_board
from ui.convert import view
from ui.convert.state import board
from ui.shared.frame import frame
from ui.shared.jobs import job_panel
from ui.shared.widgets import default_notice, described_notice, empty_state, pick_checkpoint

frame("Convert", "Which files can a phone run? Every format and precision of a checkpoint; pick one to convert or to inspect.")

convert_board.follow_link()
checkpoint = pick_checkpoint("convert")
if checkpoint is None:
    empty_state(
        "No checkpoint to convert yet",
        "A conversion starts from a checkpoint. The Models page says how to bring one.",
        "pages/models.py",
        "Models",
        "python -m udacisense train",
    )
    st.stop()
default_notice(checkpoint)
described_notice(checkpoint)
job_panel("convert", on_done=view.pick_result)
if convert_board.verifying():
    job_panel("convert_verify", "verify")

rows = board(checkpoint)
chosen = convert_board.picked(rows)
convert_board.show(checkpoint, chosen)
convert_board.everything(checkpoint, rows)
convert_board.orphans()

view.panel(chosen, checkpoint)
