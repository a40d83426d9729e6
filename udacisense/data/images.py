"""One image in: bytes of unknown origin become an RGB array, or an ImageError that says why not.

The kind is read from the content, never from the name, and the bounds are checked on the header before anything is decoded.
"""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from udacisense.data.apart import decode_apart
from udacisense.data.bounds import cost, examine, scale_of
from udacisense.data.colour import in_srgb
from udacisense.data.containers import branded
from udacisense.data.heif import read_heif
from udacisense.data.image_header import Header
from udacisense.errors import ImageError
from udacisense.settings import settings
from udacisense.types import Pixels

Image.MAX_IMAGE_PIXELS = None  # the bounds here are tighter, and checked before Pillow sees a file

OWN_COST = 250_000_000
"""Up to this cost (see `bounds.cost`) a file of the machine's own is decoded in this process: 16 million pixels in 15 scans."""

UPLOAD_COST = 4_000_000
"""Up to this cost a visitor's file is decoded in this process: 4 million pixels, some 40 ms and 30 MB."""

APART = ("HEIF", "AVIF", "TIFF")
"""Kinds whose libraries are large and have a history of faults: of a visitor's, each is decoded by a bound process."""

_DARK = 2
"""Highest level below which an image of levels would be black: such numbers are rather those of 0 to 1 that run over."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image with the seconds that decoding it took."""

    pixels: Pixels
    seconds: float
    reduced: bool  # larger than the setting max_upload_pixels, so it was read smaller


def decode_image(raw: bytes, name: str, max_pixels: int | None = None) -> Pixels:
    """The image as uint8 (H, W, 3): upright, in the colours of sRGB, transparency over white, 16 and 32 bits cut to 8.

    One with more pixels than `max_pixels` comes smaller, by a whole number; a JPEG is read so, in little memory.

    Args:
        raw: the whole file.
        name: what to call the file in a message; it decides nothing.
        max_pixels: largest width x height of the decoded image; None = the setting max_upload_pixels.

    Raises:
        ImageError: empty, of another kind, beyond a bound (see the module bounds), cut off, damaged, or of numbers that are
            no levels of grey.
    """
    most = settings().max_upload_pixels if max_pixels is None else max_pixels
    header = examine(raw, name)
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
    header = examine(raw, name)
    if header.kind in APART or cost(header) > UPLOAD_COST:
        return Decoded(*decode_apart(raw, name, most, visitor), header.pixels > most)
    start = time.perf_counter()
    pixels = decode_here(raw, name, header, most)
    return Decoded(pixels, time.perf_counter() - start, header.pixels > most)


def decode_here(raw: bytes, name: str, header: Header, max_pixels: int) -> Pixels:
    """The image, decoded in this process.

    Args:
        raw: the whole file.
        name: what to call the file in a message.
        header: what `examine` said of it.
        max_pixels: as it was examined with.

    Raises:
        ImageError: it is cut off or damaged, or its numbers are no levels of grey.
    """
    try:
        image = _reduced(_loaded(raw, name, header, max_pixels), max_pixels)
        pixels = np.array(_rgb(_upright(_eight_bits(image, name))), dtype=np.uint8)
    except ImageError:
        raise
    except MemoryError as exc:
        raise ImageError(f"{name} does not fit into memory. Use a smaller image.") from exc
    except Exception as exc:  # a damaged file makes Pillow raise nearly anything
        raise ImageError(f"{name} is cut off or damaged: {_why(exc)}. Save or download it again.") from exc
    return pixels


def _loaded(raw: bytes, name: str, header: Header, max_pixels: int) -> Image.Image:
    raw = branded(raw, header.kind)
    if header.kind == "HEIF":
        return read_heif(raw, name, _smaller_by(header.pixels, max_pixels))
    image = _open(raw, name, header)
    if (scale := scale_of(header, max_pixels)) > 1:
        image.draft(None, (header.width_px // scale, header.height_px // scale))
    image.load()
    return image


def _open(raw: bytes, name: str, header: Header) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(raw), formats=(header.kind,))
    except UnidentifiedImageError as exc:  # its message names an object of this process
        if header.kind == "TIFF":
            raise ImageError(
                f"{name} has a damaged header, or pixels of a kind that is not read here. "
                "Save it as a TIFF or PNG of 8 or 16 bits."
            ) from exc
        raise ImageError(f"{name} has a damaged header. Save or download it again.") from exc
    except Exception as exc:
        raise ImageError(f"{name} has a damaged header: {_why(exc)}. Save or download it again.") from exc
    if not _fits(image, header):  # the bounds were checked on another size
        raise ImageError(f"{name} has a damaged header, which tells two sizes. Save or download it again.")
    return image


def _fits(image: Image.Image, header: Header) -> bool:
    if header.kind == "AVIF":  # turned and cropped while they are read
        return image.width * image.height <= header.pixels
    told = (header.width_px, header.height_px)
    return image.size == told or (header.kind == "TIFF" and image.size == told[::-1])  # turned by its orientation


def _why(error: Exception) -> str:
    if "MAX_TEXT" in str(error):  # Pillow's own bound, told in its own names
        return "a compressed text or profile in it grows beyond 1 MB"
    return str(error).strip().rstrip(".") or type(error).__name__


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)  # turns the pixels first, so tags that cannot be rewritten do no harm
    except MemoryError:
        raise
    except Exception:  # damaged EXIF says nothing about the pixels: show them as stored
        return image
    return image


def _reduced(image: Image.Image, max_pixels: int) -> Image.Image:
    """One of its pixels for every square of them, where there are more than asked for."""
    by = _smaller_by(image.width * image.height, max_pixels)
    if by <= 1:
        return image.copy() if image.format in ("WEBP", "AVIF") else image  # without the decoder, which holds as much and more
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return (_high_bytes(image) if image.mode.startswith("I;16") else image).reduce(by)


def _smaller_by(pixels: int, max_pixels: int) -> int:
    return max(math.ceil(math.sqrt(pixels / max_pixels)), 1)


def _rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")
    return in_srgb(image, profile if isinstance(profile, bytes) else None)


def _eight_bits(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _high_bytes(image)
    return _grey_levels(image, name) if image.mode in ("I", "F") else image


def _grey_levels(image: Image.Image, name: str) -> Image.Image:
    """Of numbers of 32 bits, which have no white of their own: 1, 255 and 65,535 are what programs write."""
    numbers = np.asarray(image)
    low, high = float(numbers.min()), float(numbers.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        levels = np.rint(numbers * np.float32(255))
    elif low >= 0 and high <= 255 and (image.mode == "I" or high >= _DARK):
        levels = np.rint(numbers)
    elif image.mode == "I" and low >= 0 and high <= 65_535:
        levels = numbers >> 8
    else:
        whites = "0 to 255 or to 65,535" if image.mode == "I" else "0 to 1 or to 255"
        raise ImageError(
            f"{name} holds numbers from {low:g} to {high:g}, of which no level of grey is known: those of an image go from "
            f"{whites}. Save it as a TIFF or PNG of 8 or 16 bits."
        )
    return _grey(levels.astype(np.uint8), image)


def _high_bytes(image: Image.Image) -> Image.Image:
    return _grey((np.asarray(image) >> 8).astype(np.uint8), image)  # as Pillow does for 16-bit RGB


def _grey(levels: Pixels, of: Image.Image) -> Image.Image:
    """The levels as an image, with the turn and the profile of the one that they are of."""
    image = Image.fromarray(levels)
    image.info = {key: of.info[key] for key in ("exif", "icc_profile") if key in of.info}
    return image
