"""Classify: what does the model say about this image?"""

import streamlit as st

from ui.classify import view
from ui.shared.frame import frame
from ui.shared.widgets import empty_state, pick_subject

frame("Classify", "What does the model say about an image of yours? Upload some, take one, or press one of these.")

subject = pick_subject("classify")
if subject is None:
    empty_state(
        "No model to ask yet",
        "Classifying needs a checkpoint or a converted file. The Models page says how to bring a checkpoint.",
        "pages/models.py",
        "Bring a checkpoint",
        "python -m udacisense train",
    )
    st.stop()

asked = view.ask()
if not asked:
    st.caption("The answer appears here: the five likeliest of ten household classes with their probabilities, and the times.")
    st.stop()
view.answers(subject, asked)
