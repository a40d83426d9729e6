"""Dataset: the images behind the figures, and the model's input made from them."""

import streamlit as st

from udacisense.data.sources import describe, own_spec
from ui.dataset import image_grid, view
from ui.shared import cache
from ui.shared.frame import frame
from ui.shared.widgets import errors_shown, source_note

frame("Dataset", "Which images are behind the figures, and what does the model see of them?")

source, split, scheme = view.pick_data()
data = None
with errors_shown():
    data = cache.dataset(split, source, scheme, own_spec(source))
if data is None:
    view.how_to_get_images()
    st.stop()

if source == "sample":
    source_note(source, "The tab Get images says how to get real ones.")
view.figures(data, describe(source))

grid, balance, health, real = st.tabs(["Images", "Balance", "Health", "Get images"], key="dataset_tab", on_change="rerun")
if grid.open:
    with grid:
        image_grid.show_grid(data)
if balance.open:
    with balance, errors_shown():
        view.show_balance(data, source, scheme)
if health.open:
    with health, errors_shown():
        view.show_health(cache.health(source, scheme), data)
if real.open:
    with real:
        view.how_to_get_images()
