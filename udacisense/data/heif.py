"""HEIC images, by libheif: decoded whole, and handed on a strip at a time, since Pillow would hold them twice more."""

from __future__ import annotations

import numpy as np
from PIL import Image

from udacisense.errors import ImageError
from udacisense.types import Pixels

STRIP_ROWS = 512


def read_heif(raw: bytes, name: str, by: int) -> Image.Image:
    """The upright image, one of its pixels for every square of `by` times `by`, with its colour profile in `info`.

    Raises:
        ImageError: the package that reads it is not installed. Any error of that package: the file is damaged.
    """
    try:
        from pillow_heif import open_heif
    except ImportError as exc:
        raise ImageError(
            f"{name} is a HEIC image, and the package that reads them is not installed: pip install pillow-heif. "
            "Or save it as JPEG; on an iPhone choose Settings, Camera, Formats, Most Compatible."
        ) from exc
    found = open_heif(raw, convert_hdr_to_8bit=True)
    pixels = np.asarray(found)
    if pixels.dtype == np.uint16:  # grey keeps its 10 or 12 bits
        pixels = (pixels >> 8).astype(np.uint8)
    image = Image.fromarray(_smaller(pixels, by))
    image.info["icc_profile"] = found.info.get("icc_profile")
    return image


def _smaller(pixels: Pixels, by: int) -> Pixels:
    rows = STRIP_ROWS // by * by
    strips = (Image.fromarray(pixels[at : at + rows]).reduce(by) for at in range(0, len(pixels), rows))
    return np.concatenate([np.asarray(strip) for strip in strips])
