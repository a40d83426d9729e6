"""Colours of an image as its profile means them, in sRGB: what networks are trained on, and screens without a profile show."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Colour space of a profile -> mode of the images that it is for."""

ROUNDING = 2
"""Levels of 255 by which sRGB profiles of different makers differ."""
_STEPS = np.array([0, 24, 64, 128, 192, 255], np.uint8)
_PROBE = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), axis=-1).reshape(1, -1, 3)
"""Colours that a profile is judged by: dark and light ones, greys and the purest of each."""


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
    if mode == "RGB" and _is_srgb(source):
        return image.convert("RGB")
    return _through(image.convert(mode), source)


def _through(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    found = ImageCms.profileToProfile(
        image, source, _srgb(), renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB"
    )
    return image.convert("RGB") if found is None else found


def _is_srgb(source: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile leaves colours where they are, so that converting would only round; its name may say anything."""
    moved = np.asarray(_through(Image.fromarray(_PROBE), source)).astype(int) - _PROBE
    return bool(np.abs(moved).max() <= ROUNDING)


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
