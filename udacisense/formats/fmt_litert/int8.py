"""LiteRT in int8: the recipes, and Google's AI Edge Quantizer that follows them.

Three facts about MobileNetV3 on this runtime decide the recipes; docs/formats.md has the figures behind them.
Its int8 hard-swish is a plain loop on processors without a kernel of their own, several times slower than all else together:
there it stays in float, between an integer step back and forth. Nearly all of the damage is done in the stem, the first two
blocks and the classifier, which hold little of the arithmetic. And activations that are quantised at run time cost
accuracy and time in front of a depthwise layer, not in front of a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udacisense.formats.fmt_litert.calibration import ranges_of
from udacisense.types import Conversion, ConversionRecipe

FEATURES, BLOCK = "Sequential_features/torchvision", r"models\.mobilenetv3\.InvertedResidual"
STEM = rf"{FEATURES}\.ops\.misc\.Conv2dNormActivation_0/"
PARTS = {
    "squeeze-excite": "SqueezeExcitation",
    "stem": STEM,
    "first": rf"{STEM}|{FEATURES}\.{BLOCK}_[12]/",
    "last": r"MobileNetV3_model/torch\.nn\.modules\.pooling|Sequential_classifier/|serving_default_output",
}
"""Parts of the network, by what stands in the names that the converter gives to the tensors which their operators write."""
HARD_SWISH = "hard-swish"
IMAGES = 200

RECIPES: tuple[ConversionRecipe, ...] = (
    ConversionRecipe(
        "static",
        "Weights per channel and activations in int8, ranges averaged over the images; hard-swish in float, as it is faster.",
        {"images": IMAGES, "float": [HARD_SWISH]},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-se-float",
        "As static, with the squeeze-excite blocks in float: they multiply two activations of different range.",
        {"images": IMAGES, "float": [HARD_SWISH, "squeeze-excite"]},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-ends-float",
        "As static-se-float, with the stem, the first two blocks and the classifier in float too: where rounding hurts most.",
        {"images": IMAGES, "float": [HARD_SWISH, "squeeze-excite", "first", "last"]},
        calibrated=True,
    ),
    ConversionRecipe(
        "dynamic",
        "Weights in int8, activations rounded image by image just before each matrix product; stem and depthwise in float.",
        {"float": ["stem"]},
    ),
    ConversionRecipe(
        "weight-only", "Weights in int8 per channel, widened before they are used: as small, about as fast as fp32.", {}
    ),
    ConversionRecipe(
        "static-integer",
        "Every operator in int8, for accelerators that know nothing else: on many processors far slower than fp32.",
        {"images": IMAGES, "float": []},
        calibrated=True,
    ),
)
"""The int8 ladder: the fastest on a processor first."""


def quantised(model: bytes, asked: Conversion, sha256: str) -> tuple[bytes, list[str]]:
    """A float model in int8 by the recipe, and the calibration images' ids; `sha256` is the checkpoint's."""
    from ai_edge_quantizer.quantizer import Quantizer

    work = Quantizer(bytearray(model))
    if asked.recipe.name == "weight-only":
        _weights_only(work, ".*")
        return _written(work), []
    if asked.recipe.name == "dynamic":
        _dynamic(work, _regexes(asked))
        return _written(work), []
    images = asked.image_set(int(str(asked.recipe.options["images"])))
    _static(work, _regexes(asked), hard_swish=HARD_SWISH not in _kept(asked))
    return _written(work, ranges_of(model, images, sha256)), list(images.hashes)


def _written(work: Any, ranges: Any = None) -> bytes:
    return bytes(work.quantize(ranges, enable_progress_bar=False, enable_progress_report=False).quantized_model)


def _kept(asked: Conversion) -> Sequence[str]:
    kept = asked.recipe.options["float"]
    return [str(part) for part in kept] if isinstance(kept, Sequence) else []


def _regexes(asked: Conversion) -> list[str]:
    return [PARTS[part] for part in _kept(asked) if part in PARTS]


def _weights_only(work: Any, regex: str) -> None:
    """Float arithmetic with int8 weights in the operators whose tensors are named so."""
    from ai_edge_quantizer.qtyping import TFLOperationName as Op

    for operation in (Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED):
        work.add_weight_only_config(regex, operation, num_bits=8)


def _dynamic(work: Any, kept: Sequence[str]) -> None:
    """Activations rounded while it runs in the matrix products alone, where they are not kept."""
    from ai_edge_quantizer.qtyping import TFLOperationName as Op

    work.add_weight_only_config(".*", Op.DEPTHWISE_CONV_2D, num_bits=8)
    for operation in (Op.CONV_2D, Op.FULLY_CONNECTED):
        work.add_dynamic_config(".*", operation, num_bits=8)
    for regex in kept:
        _weights_only(work, regex)


def _static(work: Any, kept: Sequence[str], *, hard_swish: bool) -> None:
    """Everything in int8 but input and output and the parts that are kept, whose weights are int8 all the same."""
    from ai_edge_quantizer import recipe
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.qtyping import TFLOperationName as Op

    work.load_quantization_recipe(recipe.static_wi8_ai8())
    floats = [Op.INPUT, Op.OUTPUT] if hard_swish else [Op.INPUT, Op.OUTPUT, Op.HARD_SWISH]
    for regex, operation in [*((".*", op) for op in floats), *((regex, Op.ALL_SUPPORTED) for regex in kept)]:
        work.update_quantization_recipe(regex, operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
    for regex in kept:
        _weights_only(work, regex)
