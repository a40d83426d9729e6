"""ONNX in int8: the recipes, and static quantisation by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from udacisense import scratch
from udacisense.formats.fmt_onnx.weights import weights_to_int8
from udacisense.models.block_names import BLOCK
from udacisense.models.float_blocks import SENSITIVE, blocks_in_float
from udacisense.progress import report
from udacisense.types import Checkpoint, Conversion, ConversionRecipe, ImageSet

INPUT = "input"
"""The name of the model's one input."""


RECIPES: tuple[ConversionRecipe, ...] = (
    ConversionRecipe(
        "static",
        "Weights and activations in int8, per channel; activation ranges from the smallest and largest value seen.",
        {"calibrate": "minmax", "images": 100, "float": []},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-sensitive-float",
        "As static, with the last layer in float and the blocks that hurt most when one block at a time is rounded.",
        {"calibrate": "minmax", "images": 100, "float": [SENSITIVE]},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-percentile",
        "As static-sensitive-float, with ranges that leave out the most extreme 0.01 % of the values.",
        {"calibrate": "percentile", "images": 100, "float": [SENSITIVE]},
        calibrated=True,
    ),
    ConversionRecipe(
        "weight-only",
        "Weights in int8 per channel, widened to float when the file is loaded: the smallest file, as fast as fp32.",
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
    report(0.6, "reading the calibration images")
    images = asked.image_set(options["images"])
    done = {"per_channel": True, **options, "blocks_in_float": list(blocks), "calibration_images": list(images.hashes)}
    return _static(model, options["calibrate"], nodes_of_blocks(model.graph.node, blocks), images), done


def _static(model: Any, method: str, kept: Sequence[str], images: ImageSet) -> Any:
    """Quantised weights and activations with explicit QuantizeLinear and DequantizeLinear around each operator but the kept."""
    import tempfile

    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    methods = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}
    report(0.7, f"calibrating on {len(images)} images and writing int8")
    with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:
        written = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            written,
            _reader(images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
            calibrate_method=methods[method],
            extra_options={"CalibPercentile": 99.99},
        )
        return onnx.load(written)


def _reader(images: ImageSet) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        """One image at a time, as the file takes them."""

        def __init__(self) -> None:
            self._left = iter(images.images)

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
