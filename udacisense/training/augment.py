"""Augmentation of a whole batch at once, on the device that trains.

A random crop, a random mirror and the resize to the network's input are one affine sampling of the small image, so the
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
    return (pixels - mean).div_(std)


def resize(pixels: Tensor, input_px: int) -> Tensor:
    """Bicubic, anti-aliased resize of uint8 (N, 3, h, w) to values in 0..1: the training twin of `data.preprocess`.

    Like Pillow it resizes the width first and rounds to whole values between the passes.
    """
    wide = _one_pass(pixels.float(), (pixels.shape[-2], input_px))
    return _one_pass(wide, (input_px, input_px)) / 255


def _one_pass(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(pixels, size=size, mode="bicubic", antialias=True).clamp(0, 255).round()


def random_view(
    pixels: Tensor, input_px: int, *, min_crop: float, jitter: float, generator: torch.Generator, stretch: float = 0.0
) -> Tensor:
    """A random crop, mirror, brightness and contrast of each image: uint8 (N, 3, h, w) -> float 0..1 (N, 3, px, px).

    Args:
        stretch: largest relative change of the ratio of width and height; 0 = none.
    """
    count, _, height, width = pixels.shape
    draw = torch.rand(count, 6, generator=generator).to(pixels.device)
    scale = min_crop + (1 - min_crop) * draw[:, 0]
    ratio = torch.ones_like(scale)
    if stretch:
        ratio += stretch * (2 * torch.rand(count, generator=generator).to(pixels.device) - 1)
    wide_scale, high_scale = (scale * ratio.sqrt()).clamp(max=1), (scale / ratio.sqrt()).clamp(max=1)
    mirror = torch.where(draw[:, 1] < 0.5, -1.0, 1.0)
    across = cubic_weights(width, input_px, wide_scale * mirror, (1 - wide_scale) * (2 * draw[:, 2] - 1))
    down = cubic_weights(height, input_px, high_scale, (1 - high_scale) * (2 * draw[:, 3] - 1))
    wide = pixels.float() / 255 @ across.transpose(1, 2)[:, None]
    view = down[:, None] @ wide
    brightness = (1 + jitter * (2 * draw[:, 4] - 1)).view(-1, 1, 1, 1)
    contrast = (1 + jitter * (2 * draw[:, 5] - 1)).view(-1, 1, 1, 1)
    centre = view.mean(dim=(1, 2, 3), keepdim=True)
    return view.sub_(centre).mul_(contrast).add_(centre).mul_(brightness).clamp_(0, 1)  # in place: a batch is tens of megabytes


def cubic_weights(length: int, out: int, scale: Tensor, shift: Tensor) -> Tensor:
    """Matrices (N, out, length) that sample a line of pixels at `scale * x + shift`, x from -1 to 1, by cubic convolution.

    Crop, mirror and resize act on rows and columns apart from each other, so two small matrix products do the work of a
    bicubic sampling of the plane. Beyond the border its pixel goes on. Source of the kernel: Keys, "Cubic convolution
    interpolation", 1981, with a = -0.75 as in torch.
    """
    steps = (2 * torch.arange(out, device=scale.device) + 1) / out - 1
    places = ((scale[:, None] * steps + shift[:, None] + 1) * length - 1) / 2
    first = places.floor()
    weights = torch.zeros(len(scale), out, length, device=scale.device)
    for tap in (-1, 0, 1, 2):
        index = (first + tap).clamp(0, length - 1).long()
        weights.scatter_add_(2, index[:, :, None], _kernel((places - first - tap).abs())[:, :, None])
    return weights


def _kernel(distance: Tensor, a: float = -0.75) -> Tensor:
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return torch.where(distance <= 1, near, far)
