"""Initial weights of a network: torchvision's ImageNet weights where they can be had, else random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from udacisense.labels import CLASSES
from udacisense.models.network import MobileNetV3_Household
from udacisense.vision import torchvision

NAMES: Mapping[str, tuple[str, ...]] = {
    "bed": ("four-poster",),
    "chair": ("folding chair", "rocking chair", "barber chair", "throne"),
    "clock": ("analog clock", "wall clock", "digital clock"),
    "couch": ("studio couch",),
    "keyboard": ("computer keyboard",),
    "lamp": ("table lamp", "lampshade"),
    "table": ("dining table", "desk"),
    "telephone": ("cellular telephone", "dial telephone", "pay-phone"),
    "television": ("television", "screen", "monitor"),
    "wardrobe": ("wardrobe", "chiffonier"),
}
"""Household class -> the ImageNet classes that show such things."""
IMAGENET = "torchvision MobileNet_V3_Small_Weights.IMAGENET1K_V1"


def load_imagenet(network: MobileNetV3_Household) -> str | None:
    """Give the network torchvision's ImageNet weights, all but the last layer's; returns why that cannot be, None where it can.

    The file is downloaded once (9.8 MB, its name carries its hash) and kept in torch's own cache.
    """
    try:
        weights = _weights()
    except (OSError, RuntimeError, ValueError) as exc:  # no network, a proxy's page instead of the file, another hash
        return f"{IMAGENET} could not be had ({str(exc)[:160] or type(exc).__name__})"
    own: Any = network.model
    fitting = {k: v for k, v in weights.items() if not k.startswith("classifier.3.")}
    missing, unexpected = own.load_state_dict(fitting, strict=False)
    if unexpected or any(not k.startswith("classifier.3.") for k in missing):
        return f"{IMAGENET} is of another network than this torchvision's"
    return None


def head_by_name(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (10, F) and bias (10) of a household head out of those of ImageNet's 1,000 classes: the mean of each class's rows.

    The network then tells household classes apart before it is trained, and what it knows of sharp photographs is kept.
    """
    models: Any = torchvision().models
    places = {name.lower(): place for place, name in enumerate(models.EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])}
    rows = [[places[name] for name in NAMES[label]] for label in CLASSES]
    return torch.stack([weight[row].mean(0) for row in rows]), torch.stack([bias[row].mean() for row in rows])


def _weights() -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = torchvision().models.MobileNet_V3_Small_Weights.IMAGENET1K_V1.get_state_dict(
        progress=False, check_hash=True
    )
    return found
