"""Augmentation of a whole batch at once, on the device that trains.

A random crop, a random mirror and the resize to the network's input are one affine sampling of the small picture, so the
loop is bound by the network and not by the loader.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from udacisense.labels import IMAGENET_MEAN, IMAGENET_STD


def normalise(pixels: Tensor) -> Tensor:
    """ImageNet-normalised images for pixels in 0..1, both (N, 3, H, W)."""
    mean = pixels.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    std = pixels.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
    return (pixels - mean) / std


def resize(pixels: Tensor, input_px: int) -> Tensor:
    """Bicubic, anti-aliased resize of uint8 (N, 3, h, w) to values in 0..1: the training twin of `data.preprocess`.

    Like Pillow it resizes the width first and rounds to whole values between the passes.
    """
    wide = _one_pass(pixels.float(), (pixels.shape[-2], input_px))
    return _one_pass(wide, (input_px, input_px)) / 255


def _one_pass(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(pixels, size=size, mode="bicubic", antialias=True).clamp(0, 255).round()


def random_view(pixels: Tensor, input_px: int, *, min_crop: float, jitter: float, generator: torch.Generator) -> Tensor:
    """A random crop, mirror, brightness and contrast of each picture: uint8 (N, 3, h, w) -> float 0..1 (N, 3, px, px)."""
    count = pixels.shape[0]
    draw = torch.rand(count, 6, generator=generator).to(pixels.device)
    scale = min_crop + (1 - min_crop) * draw[:, 0]
    room = 1 - scale
    mirror = torch.where(draw[:, 1] < 0.5, -1.0, 1.0)
    affine = torch.zeros(count, 2, 3, device=pixels.device)
    affine[:, 0, 0], affine[:, 1, 1] = scale * mirror, scale
    affine[:, 0, 2], affine[:, 1, 2] = room * (2 * draw[:, 2] - 1), room * (2 * draw[:, 3] - 1)
    grid = functional.affine_grid(affine, [count, 3, input_px, input_px], align_corners=False)
    view = functional.grid_sample(pixels.float() / 255, grid, mode="bicubic", padding_mode="border", align_corners=False)
    brightness = (1 + jitter * (2 * draw[:, 4] - 1)).view(-1, 1, 1, 1)
    contrast = (1 + jitter * (2 * draw[:, 5] - 1)).view(-1, 1, 1, 1)
    centre = view.mean(dim=(1, 2, 3), keepdim=True)
    return (((view - centre) * contrast + centre) * brightness).clamp(0, 1)
