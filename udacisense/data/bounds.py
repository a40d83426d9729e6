"""Bounds of an image file, checked on its header: what is refused, and what decoding the rest costs."""

from __future__ import annotations

from typing import Literal

from udacisense.data.headers import read_header
from udacisense.data.image_header import Header
from udacisense.data.kinds import NAMES, other_kind
from udacisense.errors import ImageError

MAX_SIDE_PX = 20_000
"""Longest side: panoramas of phones have 16,000 pixels. Pillow keeps a pointer for each row, however short the row is."""

MAX_SCANS = 100
"""Scans of a JPEG: each runs over all pixels again. Progressive files have about 10, libjpeg's largest script 28."""

MAX_FRAMES = 2_000
"""Frames of an animation, of which only the first is read: more is a film."""

MAX_EXTRA_BYTES = 16 << 20
"""Metadata, profiles, comments and previews; a photograph with a depth map in its XMP has about 5 MB."""

MAX_PACKED_TEXTS = 32
"""Compressed texts and profiles, of which Pillow unpacks up to 1 MB each; editors write fewer than 10."""

MAX_COST = 1_000_000_000
"""Most that decoding may cost (see `cost`): 64 million pixels in 15 scans, about 10 s on one core of 2020."""

MEMORY_BYTES = 400_000_000
"""Most that decoding may take beside the file, whatever the kind."""

MAX_JPEG_PIXELS = 256_000_000
"""Pixels of a JPEG: what is larger than asked for is decoded at a half, a quarter or an eighth of its sides, row by row."""

_SLOW = {"HEIF": 4, "AVIF": 4}
"""How many times as long as a JPEG's a pixel of these takes."""
_SCALES = (1, 2, 4, 8)
_HALF_WIDE, _ALL = 2, 3
"""Samples a pixel of 4:2:2, whose colours are half as wide as the image, and of 4:4:4."""
_PLAIN, _TRANSPARENT = 7, 12
"""Bytes a pixel while a file is decoded whole, of kinds without needs of their own (tests/data/test_limits.py measures all)."""
_SCANNED = 6
"""Least that is taken for those of a JPEG in scans: fewer would let through what takes long."""

SMALLER = "On a phone, take a screenshot of it and use that; elsewhere save it in a smaller size."
"""The way out, which needs no program on a phone."""

_PNG_RATIO = 1032
"""A deflated byte holds at most so many bytes: what a PNG's data could not hold by any means is not there."""

_MOST = (
    ("scans", MAX_SCANS, "scans"),
    ("frames", MAX_FRAMES, "frames"),
    ("packed_texts", MAX_PACKED_TEXTS, "compressed texts and profiles"),
    ("extra_bytes", MAX_EXTRA_BYTES, "bytes of metadata"),
)


def examine(raw: bytes, name: str) -> Header:
    """What an image file says of itself, where decoding it keeps within the bounds.

    Args:
        raw: the whole file.
        name: what to call the file in a message.

    Raises:
        ImageError: empty, of another kind, beyond a bound, or its header tells no size.
    """
    if not raw:
        raise ImageError(f"{name} is empty (0 bytes). Save or download it again.")
    header = read_header(raw)
    if header is None:
        raise ImageError(f"{name} is {other_kind(raw)}. Use one of {', '.join(NAMES)}.")
    if header.overfull():
        raise ImageError(f"{name} is cut into far more pieces than any program writes. Save it anew from an image editor.")
    if header.cut_off:
        raise ImageError(f"{name} is cut off or damaged: a part of it is missing. Save or download it again.")
    if not header.pixels:
        raise ImageError(f"{name} has a damaged header, which tells no size. Save or download it again.")
    _check_size(header, name)
    _check_parts(header, name)
    if header.pixels * header.bits // 8 > _most_bytes(header, len(raw)):
        size = f"{header.width_px} x {header.height_px}"
        raise ImageError(
            f"{name} is cut off or damaged: {len(raw):,} bytes cannot hold {size} pixels. Save or download it again."
        )
    if cost(header) > MAX_COST:
        how = "in run lengths" if header.run_lengths else f"in {header.scans} scans"
        raise ImageError(
            f"{name} takes too long to decode ({header.pixels / 1e6:.1f} million pixels {how}). "
            "Save it as a plain JPEG or make it smaller."
        )
    return header


def fault(raw: bytes) -> Literal["not an image", "too large", "damaged"]:
    """The kind of fault of a file that could not be read as an image."""
    header = read_header(raw)
    if raw and header is None:
        return "not an image"
    if header and (header.pixels > most_pixels(header) or max(header.width_px, header.height_px) > MAX_SIDE_PX):
        return "too large"
    return "damaged"


def scale_of(header: Header, max_pixels: int) -> int:
    """By what a JPEG's sides are divided while it is decoded (1, 2, 4 or 8), because the image may not be larger."""
    if header.kind != "JPEG":
        return 1
    return next((s for s in _SCALES if header.pixels <= s * s * max_pixels), _SCALES[-1])


def most_pixels(header: Header) -> int:
    """The largest image of this kind that is decoded within `MEMORY_BYTES`."""
    if header.kind == "JPEG" and not header.in_scans:
        return MAX_JPEG_PIXELS
    return int(MEMORY_BYTES / _needed(header))


def _needed(header: Header) -> float:
    """Bytes a pixel while the file is decoded, as measured; the image that comes of it, of at most four, is among them."""
    if header.kind == "JPEG":  # two for each coefficient, and the image at half its sides
        return max(_SCANNED, 2 * header.samples + 1.05)
    if header.kind == "WEBP":
        return 17.3 if header.alpha else 17
    if header.kind == "HEIF":
        return _needed_heif(header)
    if header.kind == "AVIF":  # planes with their margins, the bytes made of them, the image, and that made smaller
        return 8 + 2 * header.alpha + 1.1 * _planes(header, header.samples)
    plain = _TRANSPARENT if header.alpha else _PLAIN
    if header.kind == "TIFF":  # a compressed strip or tile is unpacked beside the image, and the turned image is a second one
        return max(plain, 4.1 + header.piece_bits / 8 + (4 if header.turned else 0))
    return plain


def _needed_heif(header: Header) -> float:
    """The planes twice, since they are turned, cut to 8 bits or spread to 4:4:4; and the image made of them."""
    deep, samples, copies = header.depth > 8, header.samples, 2.0
    more = 0.5 if deep or header.turned or samples == _ALL else 0
    if header.turned and header.odd and 1 < samples < _ALL:  # turned once spread, since halves of odd sides do not turn
        samples, more = _ALL, 5.5 if deep else 3
    elif samples == _HALF_WIDE and header.turned:
        samples, more = _ALL, 1.5 if deep else 2.5
    elif samples == _HALF_WIDE:
        samples, copies, more = _ALL, 1.7, 0.5
    elif deep and samples < _HALF_WIDE:  # the copy is cut to 8 bits first
        copies = 1.5
    return 3 + header.alpha + copies * _planes(header, samples) + more


def _planes(header: Header, samples: float) -> float:
    """Bytes a pixel of a decoder's planes of colour and transparency."""
    return (samples + header.alpha) * (2 if header.depth > 8 else 1)


def cost(header: Header) -> int:
    """What decoding takes, in pixels that a plain JPEG decodes in the same time (about 10 ns each), never far too low."""
    passes = header.pixels * max(header.scans, 1) * _SLOW.get(header.kind, 1)
    if header.run_lengths:
        passes = 10 * header.pixels + 50 * header.data_bytes
    return passes + 200 * (header.parts + header.data_parts) + 3 * header.extra_bytes + 300_000 * header.packed_texts


def _check_size(header: Header, name: str) -> None:
    width, height, limit = header.width_px, header.height_px, most_pixels(header)
    if header.pixels > limit:
        found = f"{width} x {height} = {header.pixels / 1e6:.1f} million"
        raise ImageError(f"{name} has {found} pixels, and {limit // 1_000_000} million can be read of such a file. {SMALLER}")
    if max(width, height) > MAX_SIDE_PX:
        raise ImageError(f"{name} is {width} x {height} pixels, and no side may be longer than {MAX_SIDE_PX:,}. {SMALLER}")


def _check_parts(header: Header, name: str) -> None:
    for part, most, what in _MOST:
        if getattr(header, part) > most:
            raise ImageError(f"{name} has more than {most:,} {what}. Save it anew from an image editor, without metadata.")


def _most_bytes(header: Header, file_bytes: int) -> int:
    """What the pixels can take at most, by the bytes that are there; None of the other kinds tells as much."""
    if header.kind == "PNG":
        return _PNG_RATIO * min(header.data_bytes, file_bytes) + 65_536
    if header.kind == "BMP" and not header.run_lengths:
        return file_bytes
    return header.pixels * header.bits
