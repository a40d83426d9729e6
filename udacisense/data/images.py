"""One image in: bytes of unknown origin become an RGB array, or an ImageError that says why not.

The kind is read from the content, never from the name, and the bounds are checked on the header before anything is decoded.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from udacisense.data.apart import decode_apart
from udacisense.data.bounds import cost, examine, halved
from udacisense.data.headers import Header
from udacisense.errors import ImageError
from udacisense.settings import settings
from udacisense.types import Pixels

OWN_COST = 250_000_000
"""Up to this cost (see `bounds.cost`) a file of the machine's own is decoded in this process: 16 million pixels in 15 scans."""

UPLOAD_COST = 4_000_000
"""Up to this cost a visitor's file is decoded in this process: 4 million pixels, some 40 ms and 30 MB."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image with the seconds that decoding it took."""

    pixels: Pixels
    seconds: float
    halved: bool  # a JPEG above the limit, at half its sides


def decode_image(raw: bytes, name: str, max_pixels: int | None = None) -> Pixels:
    """The image as uint8 (H, W, 3), upright by its EXIF, transparency over white, 16 bits cut to 8.

    A JPEG with more pixels than `max_pixels`, up to four times as many, comes at half its sides.

    Args:
        raw: the whole file.
        name: what to call the file in a message; it decides nothing.
        max_pixels: largest width x height of the decoded image; None = the setting max_upload_pixels.

    Raises:
        ImageError: empty, of another kind, beyond a bound (see the module bounds), cut off or damaged.
    """
    most = settings().max_upload_pixels if max_pixels is None else max_pixels
    header = examine(raw, name, most)
    if cost(header) > OWN_COST:
        return decode_apart(raw, name, most)[0]
    return decode_here(raw, name, header, most)


def decode_upload(raw: bytes, name: str, visitor: str) -> Decoded:
    """The image in a visitor's file, as `decode_image` gives it; a costly one is decoded by a bound process.

    Args:
        raw: the whole file.
        name: what to call the file in a message.
        visitor: who sent it; has one costly image decoded at a time.

    Raises:
        ImageError: as for `decode_image`, or the server is busy with other images.
    """
    most = settings().max_upload_pixels
    header = examine(raw, name, most)
    if cost(header) > UPLOAD_COST:
        return Decoded(*decode_apart(raw, name, most, visitor), halved(header, most))
    start = time.perf_counter()
    pixels = decode_here(raw, name, header, most)
    return Decoded(pixels, time.perf_counter() - start, halved(header, most))


def decode_here(raw: bytes, name: str, header: Header, max_pixels: int) -> Pixels:
    """The image, decoded in this process.

    Args:
        raw: the whole file.
        name: what to call the file in a message.
        header: what `examine` said of it.
        max_pixels: as it was examined with.

    Raises:
        ImageError: it is cut off or damaged.
    """
    image = _open(raw, name, header)
    try:
        if halved(header, max_pixels):
            image.draft(None, (header.width_px // 2, header.height_px // 2))
        image.load()
        pixels = np.array(_rgb(_upright(image)), dtype=np.uint8)
    except MemoryError as exc:
        raise ImageError(f"{name} does not fit into memory. Use a smaller image.") from exc
    except Exception as exc:  # a damaged file makes Pillow raise nearly anything
        raise ImageError(f"{name} is cut off or damaged: {_why(exc)}. Save or download it again.") from exc
    return pixels


def _open(raw: bytes, name: str, header: Header) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(raw), formats=(header.kind,))
    except UnidentifiedImageError as exc:  # its message names an object of this process
        raise ImageError(f"{name} has a damaged header. Save or download it again.") from exc
    except Exception as exc:
        raise ImageError(f"{name} has a damaged header: {_why(exc)}. Save or download it again.") from exc
    if image.size != (header.width_px, header.height_px):  # the bounds were checked on another size
        raise ImageError(f"{name} has a damaged header, which tells two sizes. Save or download it again.")
    return image


def _why(error: Exception) -> str:
    if "MAX_TEXT" in str(error):  # Pillow's own bound, told in its own names
        return "a compressed text or profile in it grows beyond 1 MB"
    return str(error).rstrip(".") or type(error).__name__


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)  # turns the pixels first, so tags that cannot be rewritten do no harm
    except MemoryError:
        raise
    except Exception:  # damaged EXIF says nothing about the pixels: show them as stored
        return image
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        grey = np.clip(np.asarray(image), 0, 65535).astype(np.uint16) >> 8  # the high byte, as Pillow does for 16-bit RGB
        image = Image.fromarray(grey.astype(np.uint8))
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
