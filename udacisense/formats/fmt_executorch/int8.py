"""ExecuTorch in int8: the recipes, and PyTorch's quantisation of the exported graph (PT2E) for XNNPACK.

What hurts an int8 MobileNetV3 is its activations, not its weights, and of those the ones of the first blocks: they hold fine
differences between neighbouring pixels. Cross-layer equalisation does not help there: it moves scale through layers that are
positively homogeneous, as ReLU is, and behind the first convolution stands a hard-swish. Nor do averaged ranges, or ranges cut
at what hard-swish does not see: on the baseline they agreed on fewer images than the histograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from udacisense.models.float_blocks import SENSITIVE, blocks_in_float
from udacisense.progress import report
from udacisense.types import Checkpoint, Conversion, ConversionRecipe, ImageSet

if TYPE_CHECKING:
    from torch.fx import Node

INT8: tuple[ConversionRecipe, ...] = (
    ConversionRecipe(
        "static",
        "Weights per channel and activations in int8; activation ranges from histograms that minimise the error.",
        {"activations": "static", "images": 100, "float": []},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-sensitive-float",
        "As static, with the last layer in float and the blocks that hurt most when one block at a time is rounded.",
        {"activations": "static", "images": 100, "float": [SENSITIVE]},
        calibrated=True,
    ),
    ConversionRecipe(
        "dynamic",
        "Weights in int8, activations rounded image by image just before each matrix product; depthwise layers in float.",
        {"activations": "dynamic"},
    ),
)
"""The int8 ladder, the fastest first."""


def quantise(checkpoint: Checkpoint, asked: Conversion) -> tuple[Any, dict[str, object]]:
    """The exported network with its quantisation written into the graph, and what was done."""
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    from udacisense.models.capture import example_input, exported_program

    options: Any = asked.recipe.options
    kept = blocks_in_float(checkpoint, asked)
    prepared = prepare_pt2e(exported_program(checkpoint).module(), quantiser(kept, dynamic=options["activations"] == "dynamic"))
    samples = asked.image_set(options["images"]) if options["activations"] == "static" else None
    with torch.no_grad():
        if samples is None:
            prepared(example_input(checkpoint))
        else:
            _calibrate(prepared, samples)
    report(0.8, "writing the quantisation into the graph")
    quantised = torch.export.export(convert_pt2e(prepared), (example_input(checkpoint),))
    done = {"per_channel": True, **options, "blocks_in_float": list(kept)}
    return quantised, done | {"calibration_images": list(samples.hashes) if samples else []}


def quantiser(blocks_in_float: Sequence[str] = (), *, dynamic: bool = False, training: bool = False) -> Any:
    """What is rounded, and how, in every int8 file; with `training`, for a network that learns to live with it."""
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config

    config = get_symmetric_quantization_config(is_per_channel=True, is_qat=training, is_dynamic=dynamic)
    return XNNPACKQuantizer().set_global(config).set_filter_function(lambda node: not belongs_to(node, blocks_in_float))


def belongs_to(node: Node, blocks: Sequence[str]) -> bool:
    """Whether a node of the exported graph comes from one of the blocks, given by their paths."""
    stack = (node.meta.get("nn_module_stack") or {}).values()
    return any(path.removeprefix("L['self'].") in blocks for path, _ in stack)


def _calibrate(prepared: Any, samples: ImageSet) -> None:
    import torch

    images = torch.from_numpy(samples.images)
    for done in range(len(samples)):
        if done % 20 == 0:
            report(0.1 + 0.7 * done / len(samples), f"calibrating, {done} of {len(images)} images")
        prepared(images[done : done + 1])
