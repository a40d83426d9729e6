"""Colours of an image as its profile means them, in sRGB: what networks are trained on, and screens without a profile show."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Colour space of a profile -> mode of the images that it is for."""


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
    if "srgb" in (source.profile.profile_description or "").lower():  # conversion would only round
        return image.convert("RGB")
    mode = _MODES.get(source.profile.xcolor_space)
    if mode is None or (mode != "RGB" and image.mode != mode):
        return image.convert("RGB")
    found = ImageCms.profileToProfile(
        image.convert(mode), source, _srgb(), renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB"
    )
    return image.convert("RGB") if found is None else found


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
