"""Grid of images on the Dataset page: filters, pages, one image in detail, class balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import preprocess, resize
from udacisense.number_format import count
from udacisense.types import SplitName
from ui.shared.cache import thumbnail
from ui.shared.plain_text import escape, in_chart

PAGE_SIZE = 60
TILE_PX = 128
LOOK_PX = 320
CHANNELS = ("red", "green", "blue")
SPLIT_NAMES: dict[SplitName, str] = {"test": "Test", "train": "Training"}


def show_grid(data: Dataset) -> None:
    """Filters, a page of images, and one of them looked at closely."""
    wanted, as_input = _filters(data.classes)
    members = [i for i, label in enumerate(data.labels) if data.classes[label] in wanted]
    if not members:
        st.info("No image of these classes is in this split. Choose other classes.", icon=":material/filter_alt_off:")
        return
    page = _page(members)
    side = f"as model input, {_input_size(data)}" if as_input else "as in its file"
    st.caption(escape(f"{count(len(members), 'image')}, each {side}. Below: class and start of its md5."))
    with st.grid("auto", min_column_width=96, gap="small"):
        for i in page:
            tile = thumbnail(data.hashes[i], data.images[i], TILE_PX, as_input)
            name = data.classes[data.labels[i]]
            st.image(tile, caption=escape(f"{name} {data.hashes[i][:4]}"), width="stretch", alt=f"Image of a {name}")
    st.header("Image in detail", anchor=False)
    chosen = st.selectbox(
        "Image", page, format_func=lambda i: f"{data.classes[data.labels[i]]} · {data.hashes[i]}", key="image"
    )
    look_closely(data, chosen)


def _input_size(data: Dataset) -> str:
    height, width = data.preprocessing.input_size
    return f"{width:d} × {height:d}"


def _filters(names: Sequence[str]) -> tuple[set[str], bool]:
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        classes = st.pills(
            "Classes", names, selection_mode="multi", format_func=escape, key="classes", help="None chosen shows all."
        )
        view = st.segmented_control("Show", ["Pixels", "Model input"], default="Pixels", required=True, key="image_view")
    return set(classes or names), view == "Model input"


def _page(members: list[int]) -> list[int]:
    pages = -(-len(members) // PAGE_SIZE)
    if pages == 1:
        return members
    number = st.number_input(f"Page (1–{pages:d})", min_value=1, max_value=pages, value=1, key=f"page_{pages}", width=160)
    return members[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]


def look_closely(data: Dataset, index: int) -> None:
    """One image before and after preprocessing, and what its three channels hold."""
    pixels, name = data.images[index], data.classes[data.labels[index]]
    left, middle, right = st.columns([1, 1, 1.2], gap="medium")
    with left:
        st.image(thumbnail(data.hashes[index], pixels, LOOK_PX, False), width="stretch", alt=f"The {name} as it is in the file")
        st.caption(f"In the file: {pixels.shape[1]:d} × {pixels.shape[0]:d} pixels")
    with middle:
        st.image(
            thumbnail(data.hashes[index], pixels, LOOK_PX, True), width="stretch", alt=f"The {name} as the network sees it"
        )
        st.caption(escape(f"Model input: {_input_size(data)}, {data.preprocessing.interpolation}"))
    with right:
        st.dataframe(
            channel_table(pixels), hide_index=True, alt="Mean and range of each channel before and after normalisation"
        )
        st.caption("Values 0–255 after resizing, then normalised with ImageNet mean and std.")


def channel_table(pixels: np.ndarray) -> list[dict[str, object]]:
    """Mean of each channel after the resize (0..255), and mean, least and largest value of the normalised input."""
    seen, fed = resize(pixels), preprocess([pixels])[0]
    return [
        {
            "Channel": name,
            "Mean 0–255": round(float(seen[..., c].mean()), 1),
            "Input mean": round(float(fed[c].mean()), 2),
            "Min": round(float(fed[c].min()), 2),
            "Max": round(float(fed[c].max()), 2),
        }
        for c, name in enumerate(CHANNELS)
    ]


def balance(counts: Mapping[SplitName, Mapping[str, int]]) -> go.Figure:
    """Images per class, a bar for each split."""
    figure = go.Figure()
    for split, per_class in counts.items():
        names = [in_chart(name) for name in per_class][::-1]
        figure.add_bar(
            y=names,
            x=list(per_class.values())[::-1],
            name=SPLIT_NAMES[split],
            orientation="h",
            hovertemplate="%{y}: %{x} images<extra>" + SPLIT_NAMES[split] + "</extra>",
        )
    figure.update_layout(
        barmode="group",
        height=420,
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
        legend={"orientation": "h", "y": 1.08, "x": 0, "traceorder": "normal"},
        xaxis={"title": "images", "rangemode": "tozero"},
        yaxis={"automargin": True},
    )
    return figure
