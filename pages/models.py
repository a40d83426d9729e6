"""Models: contents and origin of a checkpoint."""

import streamlit as st

from ui.models import compression, view
from ui.shared import cache
from ui.shared.frame import frame
from ui.shared.glossary import glossary_popover
from ui.shared.jobs import job_button, job_panel
from ui.shared.widgets import default_notice, described_notice, empty_state, errors_shown, pick_checkpoint

frame("Models", "What does a checkpoint consist of, and how was it made?")

glossary_popover("models")

checkpoint = pick_checkpoint("models")
if checkpoint is None:
    empty_state(
        "No checkpoint yet",
        "Copy the course's files to their known places, `models/pipeline_03/final_compressed_model.pth` or "
        "`models/baseline_mobilenet/checkpoints/model.pth`; they load as they are. Or train one: the quick recipe shows "
        "that everything works; the command below trains a good one and takes much longer.",
        command="python -m udacisense train",
    )
    job_button("Train with the quick recipe", ["train", "--recipe", "quick"], "Quick training", key="train")
    job_panel("train")
    st.stop()

default_notice(checkpoint)
summary = None
with errors_shown():
    summary = cache.summary(checkpoint)
if summary is not None:
    described_notice(checkpoint)
    view.figures(checkpoint, summary)

names = ["Accuracy", "Lineage", "Layers", "Sparsity", "Training", "Model card", "File"]
accuracy, lineage, layers, sparsity, training, card, file = st.tabs(names)
with accuracy:
    view.accuracy(checkpoint)
with lineage:
    compression.origin(checkpoint)
with layers:
    if summary is None:
        st.markdown("Layers not available: the file cannot be loaded.")
    else:
        view.layers_table(summary)
with sparsity:
    if summary is not None:
        view.sparsity(summary)
with training:
    view.training(checkpoint)
with card:
    compression.card(checkpoint)
with file:
    view.file_facts(checkpoint)
if summary is not None:
    st.page_link(
        "pages/convert.py",
        label="Convert checkpoint",
        icon=":material/sync_alt:",
        query_params={"checkpoint": checkpoint.id},
    )
compression.pipelines(checkpoint)
