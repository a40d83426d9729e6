"""Views of one checkpoint on the Models page: figures, layers, training, file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from udacisense.artifacts import list_artifacts
from udacisense.data.preprocess import describe_resize
from udacisense.models.card_parts import Layer, Summary
from udacisense.models.checkpoint import licence_of, trained_hashes, training_info
from udacisense.models.described import NOT_DESCRIBED
from udacisense.number_format import MB_HELP, NOT_MEASURED, channels, count, duration, mb, millions, percent, when
from udacisense.records.queries import newest_evaluations
from udacisense.types import Checkpoint, Subject
from ui.models import accuracy_by_source
from ui.shared.plain_text import Markdown, code, escape, in_chart


def figures(checkpoint: Checkpoint, summary: Summary) -> None:
    """Accuracy on real images and on the sample, size, parameters, multiply-adds, precision and sparsity."""
    with st.grid(4, min_column_width=140):
        accuracy_by_source.metrics(
            *accuracy_by_source.accuracies_by_source([checkpoint], newest_evaluations([checkpoint.sha256]))
        )
        st.metric("Parameters", millions(summary.parameters), border=True, height="stretch", help=_exactly(summary.parameters))
        macs_help = "Multiply-accumulates of convolutions and linear layers per image. " + _exactly(summary.macs)
        st.metric("Multiply-adds", millions(summary.macs), border=True, height="stretch", help=macs_help)
        st.metric("Size on disk", mb(checkpoint.size_bytes), border=True, height="stretch", help=MB_HELP)
        st.metric(
            "Computes in",
            "integers" if summary.is_quantized else "fp32",
            border=True,
            height="stretch",
            help="Whether any layer is quantised.",
        )
        st.metric("Sparsity", percent(summary.sparsity), border=True, height="stretch", help="Exact zeros among the weights.")


def accuracy(checkpoint: Checkpoint) -> None:
    """The checkpoint and every file made from it, on real images and on the rendered sample."""
    subjects: list[Subject] = [checkpoint, *(a for a in list_artifacts().records if a.checkpoint_id == checkpoint.id)]
    accuracy_by_source.show(accuracy_by_source.accuracies_by_source(subjects, newest_evaluations([s.sha256 for s in subjects])))


def _exactly(number: int | None) -> Markdown:
    return NOT_MEASURED if number is None else f"Exactly {number:,}."


def layers_table(summary: Summary) -> None:
    """Every layer: kind, output shape, parameters, multiply-adds, sparsity."""
    columns = st.column_config
    layers = summary.layers
    if st.toggle("Only layers with parameters", value=True, key="layers_with_parameters"):
        layers = tuple(layer for layer in layers if layer.parameters)
    share = max((layer.macs or 0 for layer in summary.layers), default=0) / 1e6
    st.dataframe(
        [_layer_row(layer) for layer in layers],
        hide_index=True,
        height=560,
        placeholder="",
        alt=f"{count(len(layers), 'layer')} with parameters, multiply-adds and sparsity",
        column_config={
            "Parameters": columns.NumberColumn(format="localized"),
            "MACs": columns.ProgressColumn("Multiply-adds, M", format="%.2f", min_value=0.0, max_value=share or 1.0),
            "Sparsity": columns.NumberColumn("Sparsity, %", format="%.1f"),
        },
    )


def _layer_row(layer: Layer) -> dict[str, object]:
    return {
        "Layer": layer.name,
        "Kind": layer.kind,
        "Output": " × ".join(map(str, layer.output_shape)) if layer.output_shape else None,
        "Parameters": layer.parameters,
        "MACs": None if layer.macs is None else layer.macs / 1e6,
        "Sparsity": None if layer.sparsity is None else 100 * layer.sparsity,
    }


def sparsity(summary: Summary) -> None:
    """The share of zeros in each layer, where there are any."""
    if summary.sparsity is None:
        st.markdown("This file shows no weights of its own (a frozen TorchScript graph), so sparsity was not measured.")
        return
    zeros = [layer for layer in summary.layers if layer.sparsity]
    if not zeros:
        st.markdown("No weight is exactly zero: this model was not pruned.")
        return
    dense = sum(layer.sparsity == 0 for layer in summary.layers)
    st.markdown(
        f"**{percent(summary.sparsity)}** of all weights are zero, in {count(len(zeros), 'layer')}; {dense:d} have none."
    )
    st.plotly_chart(sparsity_figure(zeros), theme="streamlit", config={"displayModeBar": False})
    st.caption(
        "Zeros make a file smaller only when it is packed, and faster only with a runtime that skips them: benchmark it."
    )


def sparsity_figure(layers: Sequence[Layer]) -> go.Figure:
    """A bar for each layer with zeros, in the network's order, in percent."""
    names = [in_chart(layer.name) for layer in layers][::-1]
    values = [100 * (layer.sparsity or 0.0) for layer in layers][::-1]
    figure = go.Figure(go.Bar(y=names, x=values, orientation="h", hovertemplate="%{y}: %{x:.1f} % zeros<extra></extra>"))
    figure.update_layout(
        height=80 + 18 * len(names),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"title": "zeros, %", "range": [0, 100]},
        yaxis={"automargin": True},
    )
    return figure


def training(checkpoint: Checkpoint) -> None:
    """Training of a checkpoint with its learning curves, as far as its card records them."""
    info = training_info(checkpoint)
    if not info:
        st.markdown("Training not recorded: this file has no card. Files that this product trains have one.")
        return
    known = trained_hashes(checkpoint)
    images = "images that its card does not name" if known is None else count(len(known), "image")
    curves = _curves(info)
    took = sum(float(point.get("seconds") or 0.0) for point in curves)
    words = f"Trained on **{images}**" + (f" in {count(len(curves), 'epoch')}, {duration(took)} of training" if curves else "")
    st.markdown(f"{words}. {count(info.get('validation_images'), 'image')} of the training split held out for validation.")
    if curves:
        st.plotly_chart(curves_figure(curves), theme="streamlit", config={"displayModeBar": False})
    with st.expander("Recipe", icon=":material/receipt_long:"):
        st.json({key: value for key, value in info.items() if key != "curves"}, expanded=2)


def _curves(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    points = info.get("curves")
    return [point for point in points if isinstance(point, Mapping)] if isinstance(points, list) else []


def curves_figure(points: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Loss above, held-out accuracy below, over all epochs; gaps where a stage measured no accuracy, a line between stages."""
    epochs = list(range(1, len(points) + 1))
    hover = [in_chart(f"{point.get('stage', '')}, epoch {point.get('epoch', '')}") for point in points]
    losses = [point.get("train_loss") for point in points]
    top1 = [None if point.get("validation_top1") is None else 100 * float(point["validation_top1"]) for point in points]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, (values, shape) in enumerate(((losses, "%{y:.3f}"), (top1, "%{y:.1f} %")), start=1):
        template = "%{text}: " + shape + "<extra></extra>"
        figure.add_scatter(x=epochs, y=values, mode="lines+markers", text=hover, hovertemplate=template, row=row, col=1)
    for end in _stage_ends(points):
        figure.add_vline(x=end + 0.5, line_width=1, line_dash="dot", opacity=0.5)
    figure.update_traces(marker_size=5)
    figure.update_yaxes(title="training loss", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="validation top-1, %", row=2, col=1)
    figure.update_xaxes(title="epoch", row=2, col=1)
    return figure.update_layout(height=460, showlegend=False, margin={"l": 8, "r": 8, "t": 8, "b": 8})


def _stage_ends(points: Sequence[Mapping[str, Any]]) -> list[int]:
    pairs = pairwise(points)
    return [i for i, (one, other) in enumerate(pairs, start=1) if one.get("stage") != other.get("stage")]


def _input(c: Checkpoint) -> str:
    normalised = f"mean {channels(c.mean)}, std {channels(c.std)}"
    return f"{c.input_px[1]} × {c.input_px[0]} pixels, {normalised}, {describe_resize(c.preprocessing)}"


def _licence(c: Checkpoint) -> str:
    if not c.described:
        return NOT_DESCRIBED
    return licence_of(c) or "not known"


def file_facts(checkpoint: Checkpoint) -> None:
    """Identity of the file: id, place, digest, architecture; and its download."""
    rows = {
        "Id": checkpoint.id,
        "File": str(checkpoint.path),
        "sha256": checkpoint.sha256,
        "Architecture": checkpoint.architecture,
        "Technique": checkpoint.technique,
        "Compressed from": checkpoint.parent_id or ("nothing: it was trained" if training_info(checkpoint) else "not recorded"),
        "Input": _input(checkpoint) if checkpoint.described else NOT_DESCRIBED,
        "Licence": _licence(checkpoint),
        "Classes": ", ".join(checkpoint.classes) or NOT_DESCRIBED,
        "Saved": when(checkpoint.created),
    }
    for name, value in rows.items():
        shown = code(value) if name in ("Id", "File", "sha256") else escape(value)
        st.markdown(f"**{escape(name)}** &nbsp; {shown}")
    st.download_button(
        "Download weights",
        data=checkpoint.path.read_bytes,
        file_name=f"{checkpoint.id}{checkpoint.path.suffix}",
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )
