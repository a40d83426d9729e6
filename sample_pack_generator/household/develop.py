"""From linear light to a picture file: exposure, tone, grain, the look of a household camera."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from household.draw import Draw

QUALITY = 88


def develop(light: NDArray[np.float32], d: Draw) -> NDArray[np.uint8]:
    """Light (h, w, 3) as an exposed sRGB picture."""
    values = light.astype(np.float64) * _exposure(light, d)
    values = values * (1 + np.array([1, 0, -1]) * d.uniform("warmth", -0.06, 0.08)) * _vignette(light.shape[0], d)
    shown = _encode(np.clip(_shoulder(values), 0, 1))
    contrast = d.uniform("contrast", 0.95, 1.15)
    grain = d.rng("grain").normal(0, d.uniform("grain", 0.0, 0.012), shown.shape)
    return np.round(np.clip((shown - 0.5) * contrast + 0.5 + grain, 0, 1) * 255).astype(np.uint8)


def _exposure(light: NDArray[np.float32], d: Draw) -> float:
    bright = float(np.percentile(light.mean(axis=2), 94)) + 1e-4
    return d.uniform("exposure", 0.62, 0.95) / bright


def _shoulder(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Straight up to 0.8, then a soft way to 1, so that lamps do not burn out to a hard edge."""
    over = np.maximum(values - 0.8, 0)
    return np.where(values > 0.8, 0.8 + 0.2 * (1 - np.exp(-over / 0.2)), values)


def _vignette(size: int, d: Draw) -> NDArray[np.float64]:
    y, x = np.mgrid[0:size, 0:size] / (size - 1) - 0.5
    return np.asarray(1 - d.uniform("vignette", 0.0, 0.35) * (x**2 + y**2))[..., None]


def _encode(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def webp(pixels: NDArray[np.uint8]) -> bytes:
    """The picture as a WebP file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=QUALITY, method=6)
    return buffer.getvalue()
