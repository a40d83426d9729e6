"""Initial weights of a network: torchvision's ImageNet weights where they can be had, else random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from udacisense.models.network import MobileNetV3_Household
from udacisense.vision import torchvision

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


def _weights() -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = torchvision().models.MobileNet_V3_Small_Weights.IMAGENET1K_V1.get_state_dict(
        progress=False, check_hash=True
    )
    return found
