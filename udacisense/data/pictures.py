"""One picture in: bytes of unknown origin become an RGB array, or an ImageError that says why not.

The kind is read from the content, never from the name, and the size from the header before anything is decoded.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from udacisense.errors import ImageError
from udacisense.foreign import in_brief
from udacisense.settings import settings
from udacisense.types import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""The kinds that are read; of an animation, the first frame."""

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {  # EXIF orientation -> what turns the picture upright (TIFF 6.0, tag 274)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_picture(raw: bytes, name: str, max_pixels: int | None = None) -> Pixels:
    """The picture as uint8 (H, W, 3), upright by its EXIF, transparency over white, 16 bits cut to 8.

    Args:
        raw: the whole file.
        name: what to call the file in a message; it decides nothing.
        max_pixels: largest width x height; None = the setting max_upload_pixels.

    Raises:
        ImageError: empty, of another kind, larger than allowed, cut off or damaged.
    """
    image = _open(raw, name, settings().max_upload_pixels if max_pixels is None else max_pixels)
    try:
        image.load()
        picture = np.array(_rgb(_upright(image)), dtype=np.uint8)
    except MemoryError as exc:
        raise ImageError(f"{name} does not fit into memory. Use a smaller picture.") from exc
    except Exception as exc:  # a damaged file makes Pillow raise nearly anything
        raise ImageError(f"{name} is cut off or damaged: {in_brief(exc)}. Save or download it again.") from exc
    return picture


def _open(raw: bytes, name: str, max_pixels: int) -> Image.Image:
    if not raw:
        raise ImageError(f"{name} is empty (0 bytes). Save or download it again.")
    try:
        image = Image.open(io.BytesIO(raw), formats=FORMATS)
    except UnidentifiedImageError as exc:
        raise ImageError(f"{name} is {_kind(raw)}. Use one of {', '.join(FORMATS)}.") from exc
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise ImageError(_too_large(name, "far more", max_pixels)) from exc
    except Exception as exc:
        raise ImageError(f"{name} has a damaged header: {in_brief(exc)}. Save or download it again.") from exc
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ImageError(_too_large(name, f"{image.width} x {image.height} = {pixels / 1e6:.1f} million", max_pixels))
    return image


def _too_large(name: str, found: str, max_pixels: int) -> str:
    return f"{name} has {found} pixels, the limit is {max_pixels / 1e6:g} million. Make it smaller and try again."


def _kind(raw: bytes) -> str:
    """What the first bytes say that a file is, as words."""
    if raw[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "a HEIC picture, as iPhones take them, which is not read here"
    if raw[4:12] in (b"ftypavif", b"ftypavis"):
        return "an AVIF picture, which is not read here"
    if raw[:4] in (b"II*\0", b"MM\0*"):
        return "a TIFF picture, which is not read here"
    if raw[:5] == b"%PDF-":
        return "a PDF document, not a picture"
    try:
        head = raw[:512].decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return "not a picture of a known kind, or its first bytes are damaged"
    if "<svg" in head:
        return "an SVG drawing, which is not read here"
    return "text, not a picture, whatever its name says"


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # damaged EXIF says nothing about the pixels: show them as stored
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        grey = np.clip(np.asarray(image), 0, 65535).astype(np.uint16) >> 8  # the high byte, as Pillow does for 16-bit RGB
        image = Image.fromarray(grey.astype(np.uint8))
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
