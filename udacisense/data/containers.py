"""Headers of the two kinds of image file that are containers: HEIF and AVIF, which are made of boxes, and TIFF.

As in `headers`, each reader goes by the lengths that the parts tell, and what it did not find stays 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from udacisense.data.image_header import MOST_PARTS, Header

# --- HEIF and AVIF -------------------------------------------------------------------------------------------------------

_AVIF = (b"avif", b"avis")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_ANY = (b"mif2", b"miaf")
_DECODED = {"AVIF": _AVIF, "HEIF": _HEIF}
"""Brands that the decoders go by; the others are those of either codec."""
_INSIDE = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes that are looked into, and the bytes before their first box."""
_DEEPEST = 3
_LONGEST = 64
"""What is read of a box at most."""
_CODECS = {b"hvcC": "HEIF", b"av1C": "AVIF"}
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
_SAMPLES = (1.0, 1.5, 2.0, 3.0)
"""Of a pixel, by the number that an hvcC has for it: grey, 4:2:0, 4:2:2, 4:4:4."""


def boxed_kind(raw: bytes) -> str:
    """HEIF or AVIF by any brand that the file claims, which `walk_boxes` corrects; "" = a film, or something else of boxes."""
    if raw[4:8] != b"ftyp":
        return ""
    brands = {raw[8:12], *_further_brands(raw)}
    if brands & set(_AVIF):
        return "AVIF"
    return "HEIF" if brands & {*_HEIF, *_ANY} else ""


def branded(raw: bytes, kind: str) -> bytes:
    """The file under a brand of its kind, which its decoder goes by; a file of no boxes as it is."""
    known = _DECODED.get(kind, ())
    further = _further_brands(raw) if known else []
    if not further or (raw[8:12] in known and set(further) & set(known)):
        return raw
    return raw[:8] + known[0] + raw[12:16] + known[0] + raw[20:]


def _further_brands(raw: bytes) -> list[bytes]:
    return [raw[at : at + 4] for at in range(16, min(int.from_bytes(raw[:4], "big"), 512), 4)]


def walk_boxes(raw: bytes, found: Header) -> None:
    """From box to box: the image has the largest size and most samples told, since tiles and previews tell theirs too.

    Its kind is that of the codec, whatever the brand; only where there are both codecs, the brand decides.
    """
    branded, codecs = found.kind, set()
    found.samples = 1
    for kind, begin, end in _boxes(raw, 0, len(raw), found):
        if kind == b"mdat":
            found.data_bytes += end - begin
        elif kind in _CODECS:
            codecs.add(_CODECS[kind])
            found.kind = _CODECS[kind] if len(codecs) == 1 else branded
            samples, depth = (_hevc if kind == b"hvcC" else _av1)(raw, begin)
            found.samples, found.depth = max(found.samples, samples), max(found.depth, depth)
        else:
            _property(raw[begin : min(end, begin + _LONGEST)], kind, found)


def _property(content: bytes, kind: bytes, found: Header) -> None:
    if kind == b"ispe":
        width, height = struct.unpack_from(">II", content, 4)
        if width * height > found.pixels:
            found.size(width, height)
            found.odd = _odd(width, height)
    elif kind == b"clap":  # how much of it is shown; a preview may be cut too
        width, width_by, height, height_by = struct.unpack_from(">4I", content)
        if width_by and height_by and 2 * (width // width_by) * (height // height_by) > found.pixels:
            found.odd |= _odd(width // width_by, height // height_by)
    elif kind in (b"irot", b"imir"):
        found.turned |= kind == b"imir" or content[0] & 3 > 0
    elif kind == b"auxC":
        found.alpha |= content[4:].startswith(_ALPHA)


def _odd(width: int, height: int) -> bool:
    return bool(width % 2 or height % 2)


def _hevc(raw: bytes, at: int) -> tuple[float, int]:
    return _SAMPLES[raw[at + 16] & 3], 8 + max(raw[at + 17] & 7, raw[at + 18] & 7)


def _av1(raw: bytes, at: int) -> tuple[float, int]:
    """Of its bits, in this order: tier, more than 8 bits, 12 bits, grey, half as wide and half as high colours."""
    told = raw[at + 2]
    depth = (12 if told & 0x20 else 10) if told & 0x40 else 8
    if told & 0x10:
        return 1.0, depth
    return (1.5 if told & 4 else 2.0) if told & 8 else 3.0, depth


def _boxes(raw: bytes, at: int, end: int, found: Header, depth: int = 0) -> Iterator[tuple[bytes, int, int]]:
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
        if kind in _INSIDE and depth < _DEEPEST:
            yield from _boxes(raw, begin + _INSIDE[kind], stop, found, depth + 1)
        at = stop


# --- TIFF ----------------------------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ORIENTATION, _CHANNELS = 256, 257, 258, 259, 274, 277
_STRIP_ROWS, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323
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
    told = {_WIDTH: 0, _HEIGHT: 0, _BITS: 8, _COMPRESSION: 1, _ORIENTATION: 1, _CHANNELS: 1}
    told |= {_STRIP_ROWS: 2**32 - 1, _TILE_WIDTH: 0, _TILE_HEIGHT: 0}
    for number in range(min(count, MOST_PARTS)):
        tag, kind, values = struct.unpack_from(order + "HHI", raw, at + 12 * number)
        if tag in told and kind in _TYPES:
            size = struct.calcsize(_TYPES[kind])
            place = at + 12 * number + 8
            if values * size > 4:
                (place,) = struct.unpack_from(order + "I", raw, place)
            (told[tag],) = struct.unpack_from(order + _TYPES[kind], raw, place)
    found.size(told[_WIDTH], told[_HEIGHT])
    found.bits, found.alpha = told[_BITS] * told[_CHANNELS], told[_CHANNELS] in (2, 4)
    found.data_bytes, found.turned = len(raw), 2 <= told[_ORIENTATION] <= 8
    if told[_COMPRESSION] != 1:
        strip = told[_WIDTH] * min(told[_STRIP_ROWS], told[_HEIGHT])
        piece = told[_TILE_WIDTH] * told[_TILE_HEIGHT] or strip
        found.piece_bits = found.bits * piece / max(found.pixels, 1)
