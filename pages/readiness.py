"""Readiness: the verdict of the release rules on a converted file."""

import streamlit as st

from udacisense.errors import UdaciSenseError
from udacisense.readiness.judge import judge, newest_readiness
from udacisense.report import collect
from udacisense.report.subject_names import artifact_name
from udacisense.verbs.places import cannot_start
from ui.readiness import view
from ui.shared.entries import stages
from ui.shared.frame import frame
from ui.shared.glossary import glossary_popover
from ui.shared.plain_text import code, escape
from ui.shared.widgets import empty_state, error_box, errors_shown, pick_artifact, provenance_note, sample_limit

frame("Readiness", "May this file go to phones? The rules apply to the newest measurements, real images before rendered ones.")

glossary_popover("readiness")

artifact = pick_artifact("readiness")
if artifact is None:
    empty_state(
        "No converted file yet",
        "The rules apply to converted files. Convert a checkpoint first, then verify and benchmark the file.",
        "pages/convert.py",
        "Convert a checkpoint",
        "python -m udacisense run",
    )
    st.stop()

view.unread()
try:
    record = judge(artifact, save=False)
except UdaciSenseError as exc:
    error_box(exc)
    st.stop()
saved = view.as_saved(record, newest_readiness(artifact))
view.headline(record, artifact_name(artifact))
sample_limit(artifact)
with st.container(horizontal=True):
    refused = cannot_start("ready")
    hint, off = escape(refused) if refused else "Adds a record to results/readiness.", bool(saved or refused)
    if st.button("Save verdict", icon=":material/save:", disabled=off, help=hint):
        with errors_shown():
            saved = judge(artifact)
    for name, label in (("html", "Download report (HTML)"), ("markdown", "Download report (Markdown)")):
        st.download_button(
            label,
            data=view.report(artifact, name),
            file_name=f"{artifact.id}.{'html' if name == 'html' else 'md'}",
            mime=f"text/{name}",
            icon=":material/description:",
            on_click="ignore",
            key=f"report_{name}",
        )

st.caption(f"Saved as record {code(saved.id)}." if saved else "From the newest records; not saved as a record yet.")

st.header("Rules", anchor=False)
view.rules(record)

st.header("Baseline to mobile", anchor=False)
view.pipeline(stages(collect(artifact)))
provenance_note((saved or record).made, (saved or record).id)
