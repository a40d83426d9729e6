"""Classify: what does the model say about this image?"""

import streamlit as st

from ui.classify import view
from ui.shared.frame import frame
from ui.shared.widgets import empty_state, pick_subject

frame("Classify", "Which class does a model give to an image? Upload images, take a photo, or pick one of the dataset.")

subject = pick_subject("classify")
if subject is None:
    empty_state(
        "No model yet",
        "Classifying needs a checkpoint or a converted file. The Models page says how to bring a checkpoint.",
        "pages/models.py",
        "Bring a checkpoint",
        "python -m udacisense train",
    )
    st.stop()

asked = view.ask()
if not asked:
    st.caption("The answer appears here: the five likeliest classes with their probabilities, and the times.")
    st.stop()
view.answers(subject, asked)
