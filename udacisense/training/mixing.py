"""Two images in one: mixup and cutmix of a batch, with the share that each label has in the result."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def mix(images: Tensor, *, mixup: float, cutmix: float, generator: torch.Generator) -> tuple[Tensor, float]:
    """Mix each image (N, 3, H, W) with its opposite in the batch, `images.flip(0)`.

    Args:
        mixup: alpha of the Beta(alpha, alpha) share of a blend (Zhang et al., "mixup", ICLR 2018); 0 = never.
        cutmix: the same for a rectangle that is pasted in (Yun et al., "CutMix", ICCV 2019); 0 = never.
            Where both are set, each batch draws one of them with equal chance.

    Returns:
        The mixed images, and the share of the first label of each.
    """
    draw = torch.rand(3, generator=generator).tolist()
    blend = mixup > 0 and (cutmix == 0 or draw[0] < 0.5)
    if blend:
        share = _beta(mixup, generator)
        return torch.lerp(images.flip(0), images, share), share
    if cutmix > 0:
        return _paste(images, _beta(cutmix, generator), draw[1], draw[2])
    return images, 1.0


def _beta(alpha: float, generator: torch.Generator) -> float:
    seed = int(torch.randint(2**31, (1,), generator=generator))
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)  # distributions draw from the global generator only
        return float(torch.distributions.Beta(alpha, alpha).sample())


def _paste(images: Tensor, share: float, x: float, y: float) -> tuple[Tensor, float]:
    height, width = images.shape[-2:]
    side = math.sqrt(1 - share)
    top, left = int(y * height - side * height / 2), int(x * width - side * width / 2)
    rows = slice(max(top, 0), min(top + int(side * height), height))
    columns = slice(max(left, 0), min(left + int(side * width), width))
    mixed = images.clone()
    mixed[:, :, rows, columns] = images.flip(0)[:, :, rows, columns]
    pasted = (rows.stop - rows.start) * (columns.stop - columns.start)
    return mixed, 1 - max(pasted, 0) / (height * width)
