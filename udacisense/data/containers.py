"""Headers of the two kinds of image file that are containers: HEIF and AVIF, which are made of boxes, and TIFF.

As in `headers`, each reader goes by the lengths that the parts tell, and what it did not find stays 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from udacisense.data.image_header import MOST_PARTS, Header

# --- HEIF and AVIF -------------------------------------------------------------------------------------------------------

_AVIF = (b"avif", b"avis")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
_INSIDE = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes that are looked into, and the bytes before their first box."""


def boxed_kind(raw: bytes) -> str:
    """HEIF or AVIF by any brand that the file claims; "" = a film, or something else made of boxes."""
    if raw[4:8] != b"ftyp":
        return ""
    length = min(int.from_bytes(raw[:4], "big"), 512)
    brands = {raw[8:12], *(raw[at : at + 4] for at in range(16, length, 4))}
    if brands & set(_AVIF):
        return "AVIF"
    return "HEIF" if brands & set(_HEIF) else ""


def walk_boxes(raw: bytes, found: Header) -> None:
    """From box to box: the image has the largest size that is told, since tiles and previews tell theirs too."""
    for kind, begin, end in _boxes(raw, 0, len(raw), found):
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", raw, begin + 4)
            if width * height > found.pixels:
                found.size(width, height)
        elif kind == b"mdat":
            found.data_bytes += end - begin


def _boxes(raw: bytes, at: int, end: int, found: Header) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a stretch and of those in it that are looked into: kind, first byte and end of the content."""
    while at + 8 <= end and found.parts <= MOST_PARTS:
        length, kind = struct.unpack_from(">I4s", raw, at)
        begin = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", raw, begin)
            begin += 8
        stop = end if length == 0 else at + length
        if stop < begin or stop > end:
            found.cut_off = True
            return
        found.parts += 1
        yield kind, begin, stop
        if kind in _INSIDE:
            yield from _boxes(raw, begin + _INSIDE[kind], stop, found)
        at = stop


# --- TIFF ----------------------------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _BITS, _SAMPLES = 256, 257, 258, 277
_TYPES = {1: "B", 3: "H", 4: "I"}


def walk_tiff(raw: bytes, found: Header) -> None:
    """The first directory tells size and depth; the others are counted, as pages."""
    order = "<" if raw[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", raw, 4)
    seen: set[int] = set()
    found.frames = 0
    while at and at not in seen and not found.overfull():
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", raw, at)
        if not found.frames:
            _first_page(raw, at + 2, count, order, found)
        found.frames += 1
        found.parts += 1 + count
        (at,) = struct.unpack_from(order + "I", raw, at + 2 + 12 * count)


def _first_page(raw: bytes, at: int, count: int, order: str, found: Header) -> None:
    told = {_WIDTH: 0, _HEIGHT: 0, _BITS: 8, _SAMPLES: 1}
    for number in range(min(count, MOST_PARTS)):
        tag, kind, values = struct.unpack_from(order + "HHI", raw, at + 12 * number)
        if tag in told and kind in _TYPES:
            size = struct.calcsize(_TYPES[kind])
            place = at + 12 * number + 8
            if values * size > 4:
                (place,) = struct.unpack_from(order + "I", raw, place)
            (told[tag],) = struct.unpack_from(order + _TYPES[kind], raw, place)
    found.size(told[_WIDTH], told[_HEIGHT])
    found.bits, found.alpha = told[_BITS] * told[_SAMPLES], told[_SAMPLES] in (2, 4)
    found.data_bytes = len(raw)
