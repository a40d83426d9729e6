"""TorchScript in int8: the recipes, and PyTorch's FX quantisation of the network for QNNPACK, the engine of phones.

The file itself names no engine: its weights are packed for one when it is loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from udacisense.errors import ExportError
from udacisense.models.float_blocks import SENSITIVE, blocks_in_float
from udacisense.progress import report
from udacisense.torchscript.archive import is_torchscript
from udacisense.types import Checkpoint, Conversion, ConversionRecipe, ImageSet

ENGINES = ("qnnpack", "x86", "fbgemm")
"""PyTorch's quantised engines, the phones' own first."""
BATCH = 10

INT8: tuple[ConversionRecipe, ...] = (
    ConversionRecipe(
        "static",
        "Weights per channel and activations in int8; activation ranges from histograms that minimise the error.",
        {"activations": "static", "observer": "histogram", "images": 100, "float": []},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-sensitive-float",
        "As static, with the last layer in float and the blocks that hurt most when one block at a time is rounded.",
        {"activations": "static", "observer": "histogram", "images": 100, "float": [SENSITIVE]},
        calibrated=True,
    ),
    ConversionRecipe(
        "static-averaged",
        "As static-sensitive-float, with the smallest and largest values averaged over more images.",
        {"activations": "static", "observer": "moving-average", "images": 300, "float": [SENSITIVE]},
        calibrated=True,
    ),
    ConversionRecipe(
        "dynamic",
        "Only the classifier in int8, its activations rounded image by image: a larger file, as slow as fp32.",
        {"activations": "dynamic"},
    ),
)
"""The int8 ladder, the fastest first."""


def engine() -> str | None:
    """The quantised engine of this build of torch that int8 files are checked with here; None = it has none."""
    import torch

    return next((name for name in ENGINES if name in torch.backends.quantized.supported_engines), None)


def quantise(checkpoint: Checkpoint, asked: Conversion) -> tuple[Any, dict[str, object]]:
    """The network with quantised modules, which can be captured as the float one can, and what was done.

    Raises:
        ExportError: the checkpoint is TorchScript, or this build of torch has no quantised engine.
    """
    import torch

    from udacisense.models.loading import load_network
    from udacisense.models.network import MobileNetV3_Household

    used = engine()
    if used is None:
        raise ExportError("this build of PyTorch has no quantised engine. Use another build, or write the file in fp32.")
    torch.backends.quantized.engine = used
    if is_torchscript(checkpoint.path):
        raise ExportError(f"{checkpoint.path.name} is TorchScript and cannot be quantised. Bring a state_dict.")
    network = load_network(checkpoint)
    blocks = blocks_in_float(checkpoint, asked)
    with _quiet():
        if isinstance(network, MobileNetV3_Household):  # its resizing depends on the input's size, which FX cannot follow
            kept = [block.removeprefix("model.") for block in blocks]
            network.model, images = _quantised(network.model, asked, kept, checkpoint.input_px)
        else:
            network, images = _quantised(network, asked, blocks, checkpoint.input_px)
    done = {"engine": used, "per_channel": True, **asked.recipe.options, "blocks_in_float": list(blocks)}
    return network, done | {"calibration_images": list(images.hashes) if images else []}


def _quantised(network: Any, asked: Conversion, kept: Sequence[str], input_px: tuple[int, int]) -> tuple[Any, ImageSet | None]:
    import torch
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    options: Any = asked.recipe.options
    dynamic = options["activations"] == "dynamic"
    images = None if dynamic else asked.image_set(options["images"])
    example = torch.zeros(1, 3, *input_px) if images is None else torch.from_numpy(images.images[:1])
    prepared = prepare_fx(network, _dynamic() if dynamic else _static(options["observer"], kept), (example,))
    if images is not None:
        _calibrate(prepared, images)
    report(0.5, "writing the quantisation into the network")
    return convert_fx(prepared), images


def _static(observer: str, kept: Sequence[str]) -> Any:
    """int8 everywhere but in the modules of these paths; hard-sigmoid has a range of its own, 0 to 1."""
    import torch
    from torch.ao import quantization as q

    observers: dict[str, Any] = {"histogram": q.HistogramObserver, "moving-average": q.MovingAverageMinMaxObserver}
    weights = q.PerChannelMinMaxObserver.with_args(dtype=torch.qint8, qscheme=torch.per_channel_symmetric)
    config: Any = q.QConfig
    mapping = q.QConfigMapping().set_global(config(observers[observer].with_args(reduce_range=False), weights))
    for operator, its_own in q.get_default_qconfig_mapping("qnnpack").object_type_qconfigs.items():
        if "hardsigmoid" in str(operator).lower():
            mapping.set_object_type(operator, its_own)
    for path in kept:
        mapping.set_module_name(path, None)
    return mapping


def _dynamic() -> Any:
    import torch
    from torch.ao import quantization as q

    return q.QConfigMapping().set_object_type(torch.nn.Linear, q.per_channel_dynamic_qconfig)


def _calibrate(prepared: Any, images: ImageSet) -> None:
    import torch

    with torch.no_grad():
        for done in range(0, len(images), BATCH):
            report(0.5 * done / len(images), f"calibrating, {done} of {len(images)} images")
            prepared(torch.from_numpy(images.images[done : done + BATCH]))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notice that torch.ao.quantization goes to torchao one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
