"""MobileNetV3_Household, as the course's checkpoints expect it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from udacisense.labels import CLASSES, INPUT_PX
from udacisense.vision import torchvision


class MobileNetV3_Household(nn.Module):  # noqa: N801 - the course's name; its checkpoints and notebooks use it
    """MobileNetV3-Small with a ten-class head: 1,528,106 parameters.

    The attribute names (`model`, `model.features`, `model.classifier`) are those of the course's state_dict files.
    Source of the network: Howard et al., "Searching for MobileNetV3", ICCV 2019, as built by torchvision.
    """

    def __init__(self, num_classes: int = len(CLASSES), dropout: float = 0.2) -> None:
        super().__init__()
        self.height, self.width = INPUT_PX
        self.model: nn.Module = torchvision().models.mobilenet_v3_small(weights=None)
        self.model.classifier = nn.Sequential(
            nn.Linear(576, 1024), nn.Hardswish(), nn.Dropout(dropout), nn.Linear(1024, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) for normalised images (N, 3, H, W); other sizes are first resized to 224x224 (bilinear)."""
        if x.shape[-2] != self.height or x.shape[-1] != self.width:
            x = functional.interpolate(x, size=[self.height, self.width], mode="bilinear", align_corners=False)
        logits: Tensor = self.model(x)
        return logits


class TruncatedNetwork(nn.Module):
    """The network up to and including one of its blocks: same attribute names, so the weights of the whole fit as they are.

    Args:
        until: "features.4", "avgpool" or "classifier.1", ...: the block whose output it answers with.
    """

    def __init__(self, network: nn.Module, until: str) -> None:
        super().__init__()
        whole: Any = network.model
        part, _, index = until.partition(".")
        self.model = nn.Module()
        self.model.features = whole.features[: int(index) + 1] if part == "features" else whole.features
        self.model.avgpool = whole.avgpool if part != "features" else nn.Identity()
        self.model.classifier = whole.classifier[: int(index) + 1] if part == "classifier" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The block's output (N, values), flattened, for normalised images (N, 3, 224, 224)."""
        model: Any = self.model
        found: Tensor = model.classifier(torch.flatten(model.avgpool(model.features(x)), 1))
        return found
