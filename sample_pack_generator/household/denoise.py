"""An edge-avoiding à-trous wavelet filter (Dammertz et al., 2010): few samples a pixel become a clean picture.

The light is divided by the surface's own colour first, so that textures stay as sharp as they were traced.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
TAPS = ((0, 3 / 8), (1, 1 / 4), (-1, 1 / 4), (2, 1 / 16), (-2, 1 / 16))


def denoise(light: Image, albedo: Image, normal: Image, depth: Image, levels: int = 4) -> Image:
    """Filtered linear light (h, w, 3) by albedo (h, w, 3), normal (h, w, 3) and depth (h, w, 1)."""
    base = np.maximum(albedo, np.float32(0.04))
    shading: Image = np.asarray(_without_fireflies(light) / base, dtype=np.float32)
    guides = np.concatenate([normal * 2.2, np.log(np.maximum(depth, 1e-3)) * 12.0, albedo * 6.0], axis=2)
    for level in range(levels):
        shading = _pass(shading, guides.astype(np.float32), 2**level, tolerance=0.75 * 0.6**level)
    return np.asarray(_without_specks(shading) * base, dtype=np.float32)


def _without_fireflies(light: Image) -> Image:
    """Single paths that met a lamp by chance are cut to a few times what is bright in the picture."""
    return np.minimum(light, np.float32(4.0) * np.percentile(light, 97).astype(np.float32))


def _blurred(grey: Image) -> Image:
    """The mean of each pixel's 5 x 5 neighbours: noise must not pass for an edge of light."""
    padded = np.pad(grey, ((2, 2), (2, 2), (0, 0)), mode="edge")
    height, width = grey.shape[:2]
    shifted = [padded[y : y + height, x : x + width] for y in range(5) for x in range(5)]
    return np.asarray(np.mean(shifted, axis=0), dtype=np.float32)


def _without_specks(shading: Image) -> Image:
    """A pixel far above or below all its neighbours (at edges, where no neighbour is alike) takes their median."""
    padded = np.pad(shading, ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = shading.shape[:2]
    around = np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3) if (y, x) != (1, 1)])
    grey, greys = shading.mean(axis=2), around.mean(axis=3)
    speck = (grey > 1.35 * greys.max(axis=0)) | (grey < 0.7 * greys.min(axis=0))
    return np.where(speck[..., None], np.median(around, axis=0), shading)


def _pass(shading: Image, guides: Image, step: int, tolerance: float) -> Image:
    grey = _blurred(shading.mean(axis=2, keepdims=True))
    bright = np.log(grey + np.float32(0.06) * grey.mean()) / np.float32(tolerance)
    planes = np.concatenate([shading, bright, guides], axis=2)
    padded = np.pad(planes, ((2 * step, 2 * step), (2 * step, 2 * step), (0, 0)), mode="edge")
    height, width = shading.shape[:2]
    total, weights = np.zeros_like(shading), np.zeros_like(bright)
    for dy, wy in TAPS:
        for dx, wx in TAPS:
            top, left = (2 + dy) * step, (2 + dx) * step
            there = padded[top : top + height, left : left + width]
            apart = there[..., 3:] - planes[..., 3:]
            weight = np.float32(wy * wx) * np.exp(-np.einsum("hwc,hwc->hw", apart, apart))[..., None]
            total += weight * there[..., :3]
            weights += weight
    return np.asarray(total / weights, dtype=np.float32)
