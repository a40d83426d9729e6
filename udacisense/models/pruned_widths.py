"""Network rebuilt in the widths of a file's weights, where channels were pruned or batch norms folded.

A file tells each width once, by the convolution or linear layer that makes the channels; everything that reads them follows.
Where the file contradicts itself, its other shapes do not fit, which is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from udacisense.labels import CLASSES
from udacisense.models.network import MobileNetV3_Household

Weights = Mapping[str, Tensor]


def slim_network(weights: Weights, classes: int = len(CLASSES)) -> MobileNetV3_Household:
    """A MobileNetV3_Household with the widths of `weights`, not yet with their values.

    A width that they do not tell, or that is larger than the standard network's, is the standard one.
    """
    network = MobileNetV3_Household(classes)
    model: Any = network.model
    channels = 3
    for index, block in enumerate(model.features):
        name = f"model.features.{index}"
        if isinstance(block, nn.Sequential):
            channels = _convolution(block, name, weights, channels)
        else:
            channels = _block(block, f"{name}.block", weights, channels)
    hidden, head = model.classifier[0], model.classifier[3]
    width = _width(weights, "model.classifier.0.weight", hidden.out_features)
    model.classifier[0] = _linear(hidden, channels, width)
    model.classifier[3] = _linear(head, width, head.out_features)
    return network


def _block(block: Any, name: str, weights: Weights, given: int) -> int:
    """An inverted residual block: expansion, depthwise convolution, squeeze and excitation, projection."""
    channels = given
    for index, part in enumerate(block.block):
        place = f"{name}.{index}"
        last = index == len(block.block) - 1
        if isinstance(part, nn.Sequential):
            summed = given if last and block.use_res_connect else None
            channels = _convolution(part, place, weights, channels, summed)
        else:
            squeezed = _width(weights, f"{place}.fc1.weight", part.fc1.out_channels)
            part.fc1 = _conv2d(part.fc1, channels, squeezed, bias=True)
            part.fc2 = _conv2d(part.fc2, squeezed, channels, bias=True)
    return channels


def _convolution(part: nn.Sequential, name: str, weights: Weights, given: int, wanted: int | None = None) -> int:
    """A convolution with its batch norm, which may have been folded into a bias; returns the channels it makes.

    Args:
        wanted: the channels it must make, because they are added to what the block was given.
    """
    conv: Any = part[0]
    if conv.groups > 1:
        wanted = given  # depthwise: each channel makes one
    channels = wanted or _width(weights, f"{name}.0.weight", conv.out_channels)
    folded = f"{name}.0.bias" in weights and f"{name}.1.weight" not in weights
    if folded:
        part[1] = nn.Identity()
    elif channels != conv.out_channels:
        norm: Any = part[1]
        part[1] = nn.BatchNorm2d(channels, eps=norm.eps, momentum=norm.momentum)
    part[0] = _conv2d(conv, given, channels, bias=folded)
    return channels


def _width(weights: Weights, key: str, most: int) -> int:
    """How many channels a weight makes."""
    weight = weights.get(key)
    if weight is None or weight.ndim == 0 or not 1 <= len(weight) <= most:
        return most
    return len(weight)


def _conv2d(old: Any, given: int, made: int, bias: bool) -> nn.Conv2d:
    if (given, made, bias) == (old.in_channels, old.out_channels, old.bias is not None):
        return old  # type: ignore[no-any-return]
    groups = given if old.groups > 1 else 1
    return nn.Conv2d(given, made, old.kernel_size, old.stride, old.padding, old.dilation, groups, bias=bias)


def _linear(old: Any, given: int, made: int) -> nn.Linear:
    if (given, made) == (old.in_features, old.out_features):
        return old  # type: ignore[no-any-return]
    return nn.Linear(given, made)


def channel_makers(network: nn.Module) -> dict[str, dict[str, Any]]:
    """The layers that decide the network's widths, by the part they belong to and by name, in the network's order.

    Parts: "trunk" (what a block hands on), "expansion" (inside a block), "squeeze" (inside squeeze and excitation), "last"
    (the last convolution) and "hidden" (the classifier's hidden layer).
    """
    model: Any = network.model
    parts: dict[str, dict[str, Any]] = {name: {} for name in ("trunk", "expansion", "squeeze", "last", "hidden")}
    for index, block in enumerate(model.features):
        if isinstance(block, nn.Sequential):
            part = "last" if index == len(model.features) - 1 else "trunk"
            parts[part][f"features.{index}"] = block[0]
            continue
        steps = list(block.block)
        if steps[0][0].groups == 1:
            parts["expansion"][f"features.{index}"] = steps[0][0]
        parts["squeeze"] |= {f"features.{index}": step.fc1 for step in steps if not isinstance(step, nn.Sequential)}
        parts["trunk"][f"features.{index}"] = steps[-1][0]
    parts["hidden"]["classifier.0"] = model.classifier[0]
    return parts


def widths(network: nn.Module) -> dict[str, dict[str, int]]:
    """How many channels each of the channel makers makes."""
    return {
        part: {name: int(m.weight.shape[0]) for name, m in makers.items()} for part, makers in channel_makers(network).items()
    }
