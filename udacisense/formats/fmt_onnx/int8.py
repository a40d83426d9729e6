"""ONNX in int8: the recipes, static quantisation by ONNX Runtime, and weights alone by a DequantizeLinear before each use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from udacisense.progress import report
from udacisense.types import Conversion, Pictures, Recipe

INPUT = "input"
"""The name of the model's one input."""
FIRST_CONVOLUTIONS, LAST_CONVOLUTIONS = 2, 4
"""How many convolutions the first block has before its squeeze-excite, and the last block with the classifier's own."""
POOLS = ("GlobalAveragePool", "AveragePool", "ReduceMean")
SMALLEST_WEIGHT = 1024
"""Weights with fewer values stay in float in a weight-only file: there is nothing to gain."""


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "static",
        "Weights and activations in int8, per channel; activation ranges from the smallest and largest value seen.",
        {"calibrate": "minmax", "images": 200, "float": []},
        calibrated=True,
    ),
    Recipe(
        "static-percentile",
        "As static, with ranges that leave out the most extreme 0.01 % of the values.",
        {"calibrate": "percentile", "images": 200, "float": []},
        calibrated=True,
    ),
    Recipe(
        "static-se-float",
        "As static, with the squeeze-excite blocks in float: they multiply two activations of different range.",
        {"calibrate": "minmax", "images": 200, "float": ["squeeze-excite"]},
        calibrated=True,
    ),
    Recipe(
        "static-ends-float",
        "As static-se-float, with the first and last blocks and the classifier in float too; a larger file.",
        {"calibrate": "minmax", "images": 500, "float": ["squeeze-excite", "first", "last"]},
        calibrated=True,
    ),
    Recipe(
        "weight-only",
        "Weights in int8 per channel, activations in float: a small file that computes as slowly as fp32.",
        {"weights": "int8"},
    ),
)
"""The int8 ladder, the fastest first."""


def smaller(model: Any, asked: Conversion) -> tuple[Any, list[str]]:
    """The model in int8 by the recipe, and the calibration pictures' ids."""
    if "weights" in asked.recipe.options:
        return weights_to_int8(model), []
    options: Any = asked.recipe.options
    pictures = asked.pictures(options["images"])
    return _static(model, options, pictures), list(pictures.hashes)


def _static(model: Any, options: Any, pictures: Pictures) -> Any:
    """Quantised weights and activations with explicit QuantizeLinear and DequantizeLinear around each operator."""
    import tempfile

    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    methods = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}
    with tempfile.TemporaryDirectory(prefix="udacisense-") as folder:
        prepared, written = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        kept = _float_nodes(onnx.load(prepared), options["float"])
        report(0.6, "calibrating and writing int8")
        quantize_static(
            prepared,
            written,
            _reader(pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
            calibrate_method=methods[options["calibrate"]],
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


def _float_nodes(model: Any, groups: Sequence[str]) -> list[str]:
    """The names of the operators that a recipe keeps in float."""
    nodes = list(model.graph.node)
    kept: set[str] = set()
    if "squeeze-excite" in groups:
        kept |= _squeeze_excite(nodes)
    convolutions = [i for i, node in enumerate(nodes) if node.op_type == "Conv"]
    if "first" in groups:
        kept |= {node.name for node in nodes[: convolutions[FIRST_CONVOLUTIONS]]}
    if "last" in groups:
        kept |= {node.name for node in nodes[convolutions[-LAST_CONVOLUTIONS] :]}
    return sorted(kept)


def _squeeze_excite(nodes: Sequence[Any]) -> set[str]:
    """Each block from its pooling to the product with its gate; the pooling before the classifier is none of them."""
    makers = {output: node for node in nodes for output in node.output}
    kept: set[str] = set()
    for gate in (node for node in nodes if node.op_type == "HardSigmoid"):
        kept |= {user.name for user in nodes if user.op_type == "Mul" and gate.output[0] in user.input}
        inside = gate
        while inside is not None:
            kept.add(inside.name)
            inside = None if inside.op_type in POOLS else makers.get(inside.input[0])
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
