"""Colours of an image as its profile means them, in sRGB: what networks are trained on, and screens without a profile show."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Colour space of a profile -> mode of the images that it is for."""

SAME_LEVELS = 2
"""Up to so many levels of 255 a profile's colours are those of sRGB: makers round its curve and its primaries differently."""


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in mode RGB; a profile that is damaged, or meant for another kind of image, is left aside as viewers do.

    Args:
        image: without transparency.
        profile: the ICC profile in the file; None = it has none.
    """
    if profile is None:
        return image.convert("RGB")
    try:
        return _converted(image, profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.getOpenProfile(io.BytesIO(profile))
    mode = _MODES.get(source.profile.xcolor_space)
    if mode is None or (mode != "RGB" and image.mode != mode):
        return image.convert("RGB")
    to_srgb = ImageCms.buildTransform(source, _srgb(), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    if _changes_nothing(to_srgb, mode):  # it would only round; what the profile calls itself says nothing
        return image.convert("RGB")
    found = ImageCms.applyTransform(image if image.mode == mode else image.convert(mode), to_srgb)
    return image.convert("RGB") if found is None else found


def _changes_nothing(to_srgb: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode == "CMYK":
        return False
    colours = _colours().convert(mode)
    found = ImageCms.applyTransform(colours, to_srgb)
    if found is None:
        return False
    apart = np.asarray(found).astype(np.int16) - np.asarray(colours.convert("RGB"))
    return bool(np.abs(apart).max() <= SAME_LEVELS)


@lru_cache(maxsize=1)
def _colours() -> Image.Image:
    """A patch of every 17th level of each colour with each other."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return Image.fromarray(grid.reshape(len(levels), -1, 3))


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
