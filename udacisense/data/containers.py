"""Headers of the two kinds of image file that are containers: HEIF and AVIF, which are made of boxes, and TIFF.

As in `headers`, each reader goes by the lengths that the parts tell, and what it did not find stays 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress

from udacisense.data.image_header import MOST_PARTS, Header

# --- HEIF and AVIF -------------------------------------------------------------------------------------------------------

_AVIF = (b"avif", b"avis")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
_DECODED_AS_HEIF = tuple(brand for brand in _HEIF if brand != b"mif2")
_INSIDE = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes that are looked into, and the bytes before their first box."""


def boxed_kind(raw: bytes) -> str:
    """HEIF or AVIF by how its images are coded, else by any brand that it claims; "" = a film, or something else of boxes."""
    if raw[4:8] != b"ftyp":
        return ""
    length = min(int.from_bytes(raw[:4], "big"), 512)
    brands = {raw[8:12], *(raw[at : at + 4] for at in range(16, length, 4))}
    claimed = "AVIF" if brands & set(_AVIF) else "HEIF" if brands & set(_HEIF) else ""
    return (_coded(raw) or claimed) if claimed else ""


def named_as_coded(raw: bytes, kind: str) -> bytes:
    """The file with a brand in front that the decoder of its kind knows; most files are returned as they are."""
    known = _AVIF if kind == "AVIF" else _DECODED_AS_HEIF
    if kind not in ("AVIF", "HEIF") or raw[8:12] in known:
        return raw
    return raw[:8] + known[0] + raw[12:]


def _coded(raw: bytes) -> str:
    """The kind by the decoder's settings that stand beside the images: mif1 and its like are brands of both."""
    found: set[bytes] = set()
    with suppress(struct.error):  # it ends within a box
        found = {kind for kind, _, _ in _boxes(raw, 0, len(raw), Header(""))}
    return "AVIF" if b"av1C" in found else "HEIF" if b"hvcC" in found else ""


def walk_boxes(raw: bytes, found: Header) -> None:
    """From box to box: the image has the largest size that is told, since tiles and previews tell theirs too."""
    for kind, begin, end in _boxes(raw, 0, len(raw), found):
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", raw, begin + 4)
            if width * height > found.pixels:
                found.size(width, height)
        elif kind == b"mdat":
            found.data_bytes += end - begin
        elif kind == b"hvcC":
            found.heavy |= raw[begin + 16] & 3 > 1 or raw[begin + 17] & 7 > 0  # colour in full, or more than 8 bits
        elif kind == b"av1C":
            found.heavy |= not raw[begin + 2] & 0x14
        elif kind == b"auxC":
            found.alpha |= b"alpha" in raw[begin:end]


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
    found.heavy = told[_BITS] >= 32
    found.data_bytes = len(raw)
