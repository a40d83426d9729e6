"""Readiness: may this file go to phones?"""

import streamlit as st

from udacisense import verbs
from udacisense.errors import UdaciSenseError
from udacisense.readiness import judge, newest_readiness
from udacisense.report import collect
from udacisense.verbs.places import cannot_start
from ui import judged
from ui.evidence import stages
from ui.frame import frame
from ui.plain_text import code, escape
from ui.widgets import empty_state, error_box, errors_shown, pick_artifact, provenance_note

frame("Readiness", "May this file go to phones? The rules judge the newest measurements, real pictures before rendered ones.")

artifact = pick_artifact("readiness")
if artifact is None:
    empty_state(
        "Nothing to judge yet",
        "The rules judge converted files. Convert a checkpoint first, then verify and measure the file.",
        "pages/convert.py",
        "Convert a checkpoint",
        "python -m udacisense run",
    )
    st.stop()

judged.unread()
try:
    record = judge(artifact, save=False)
except UdaciSenseError as exc:
    error_box(exc)
    st.stop()
saved = judged.as_saved(record, newest_readiness(artifact))
judged.headline(record)
with st.container(horizontal=True):
    refused = cannot_start("ready")
    hint, off = escape(refused) if refused else "Adds a record to results/readiness.", bool(saved or refused)
    if st.button("Save this verdict", icon=":material/save:", disabled=off, help=hint):
        with errors_shown():
            saved = judge(artifact)
    for name, label in (("html", "Report, HTML"), ("markdown", "Report, Markdown")):
        st.download_button(
            label,
            data=lambda name=name: verbs.report(artifact.id, name),
            file_name=f"{artifact.id}.{'html' if name == 'html' else 'md'}",
            mime=f"text/{name}",
            icon=":material/description:",
            on_click="ignore",
            key=f"report_{name}",
        )

st.caption(f"Saved as {code(saved.id)}." if saved else "Judged just now from the newest records; not saved as a record yet.")

st.subheader("Rules", anchor=False)
judged.rules(record)

st.subheader("Baseline to mobile", anchor=False)
judged.pipeline(stages(collect(artifact)))
provenance_note((saved or record).made, (saved or record).id)
