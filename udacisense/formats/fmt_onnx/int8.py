"""ONNX in int8: the recipes, static quantisation by ONNX Runtime, and weights alone by a DequantizeLinear before each use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from udacisense.models.float_blocks import BLOCK, SENSITIVE, blocks_in_float
from udacisense.progress import report
from udacisense.types import Checkpoint, Conversion, Pictures, Recipe

INPUT = "input"
"""The name of the model's one input."""
SMALLEST_WEIGHT = 1024
"""Weights with fewer values stay in float in a weight-only file: there is nothing to gain."""

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "static",
        "Weights and activations in int8, per channel; activation ranges from the smallest and largest value seen.",
        {"calibrate": "minmax", "images": 100, "float": []},
        calibrated=True,
    ),
    Recipe(
        "static-sensitive-float",
        "As static, with the last layer in float and the blocks that hurt most when one block at a time is rounded.",
        {"calibrate": "minmax", "images": 100, "float": [SENSITIVE]},
        calibrated=True,
    ),
    Recipe(
        "static-percentile",
        "As static-sensitive-float, with ranges that leave out the most extreme 0.01 % of the values.",
        {"calibrate": "percentile", "images": 100, "float": [SENSITIVE]},
        calibrated=True,
    ),
    Recipe(
        "weight-only",
        "Weights in int8 per channel, widened before each use: a small file, slower than fp32.",
        {"weights": "int8"},
    ),
)
"""The int8 ladder, the fastest first."""


def smaller(checkpoint: Checkpoint, model: Any, asked: Conversion) -> tuple[Any, dict[str, object]]:
    """The model in int8 by the recipe, and what was done."""
    options: Any = asked.recipe.options
    if "weights" in options:
        return weights_to_int8(model), {**options, "per_channel": True}
    blocks = blocks_in_float(checkpoint, asked)
    report(0.6, "reading the calibration pictures")
    pictures = asked.pictures(options["images"])
    done = {"per_channel": True, **options, "blocks_in_float": list(blocks), "calibration_images": list(pictures.hashes)}
    return _static(model, options["calibrate"], nodes_of_blocks(model.graph.node, blocks), pictures), done


def _static(model: Any, method: str, kept: Sequence[str], pictures: Pictures) -> Any:
    """Quantised weights and activations with explicit QuantizeLinear and DequantizeLinear around each operator but the kept."""
    import tempfile

    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    methods = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}
    report(0.7, f"calibrating on {len(pictures)} pictures and writing int8")
    with tempfile.TemporaryDirectory(prefix="udacisense-") as folder:
        written = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            written,
            _reader(pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
            calibrate_method=methods[method],
            extra_options={"CalibPercentile": 99.99},
        )
        return onnx.load(written)


def _reader(pictures: Pictures) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        """One picture at a time, as the file takes them."""

        def __init__(self) -> None:
            self._left = iter(pictures.images)

        def get_next(self) -> dict[str, Any] | None:
            image = next(self._left, None)
            return None if image is None else {INPUT: image[None]}

    return Reader()


def nodes_of_blocks(nodes: Sequence[Any], blocks: Sequence[str]) -> list[str]:
    """Names of the operators of some blocks: each belongs to the block whose weights were used last, in it or before it."""
    kept: list[str] = []
    block = ""
    for node in nodes:
        named = next((m[0] for m in map(BLOCK.match, node.input) if m), None)
        block = named or block
        if block in blocks:
            kept.append(node.name)
    return kept


def weights_to_int8(model: Any) -> Any:
    """The model with each large weight as int8 and a DequantizeLinear per output channel before its use."""
    import onnx

    users = {name: node for node in model.graph.node for name in node.input}
    kept = []
    for weight in model.graph.initializer:
        user = users.get(weight.name)
        values = onnx.numpy_helper.to_array(weight)
        if user is None or user.op_type not in ("Conv", "Gemm", "MatMul") or values.size < SMALLEST_WEIGHT:
            kept.append(weight)
            continue
        kept += _as_int8(model, user, weight.name, values)
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def _as_int8(model: Any, user: Any, name: str, values: Any) -> list[Any]:
    """Put a DequantizeLinear before the one user of a weight; returns the initializers that replace it."""
    import numpy as np
    import onnx

    axis = 1 if user.op_type == "MatMul" else 0
    other = tuple(i for i in range(values.ndim) if i != axis)
    scale = np.maximum(np.abs(values).max(axis=other), 1e-12).astype(np.float32) / np.float32(127)
    shape = [-1 if i == axis else 1 for i in range(values.ndim)]
    rounded = np.clip(np.round(values / scale.reshape(shape)), -127, 127).astype(np.int8)
    names = [f"{name}.int8", f"{name}.scale", f"{name}.zero"]
    node = onnx.helper.make_node("DequantizeLinear", names, [f"{name}.float"], name=f"{name}.dequantize", axis=axis)
    model.graph.node.insert(list(model.graph.node).index(user), node)
    user.input[list(user.input).index(name)] = f"{name}.float"
    arrays = (rounded, scale, np.zeros(scale.shape, np.int8))
    return [onnx.numpy_helper.from_array(array, n) for array, n in zip(arrays, names, strict=True)]
