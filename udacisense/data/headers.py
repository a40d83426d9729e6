"""Headers of image files: size, scans, frames and the rest that they carry, read without decoding.

Each reader walks from part to part by the lengths that the parts tell, in time that grows with the file at most. It stops where
the file ends, where a decoder would stop, or at more parts than any program writes. What it did not find stays 0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from contextlib import suppress

from udacisense.data import containers
from udacisense.data.image_header import Header


def read_header(raw: bytes) -> Header | None:
    """Header of a file; None = none of the kinds that are read."""
    kind, walk = _walk_of(raw)
    if walk is None:
        return None
    found = Header(kind)
    with suppress(struct.error, IndexError):  # it ends within a part: what was found counts
        walk(raw, found)
    return found


def _walk_of(raw: bytes) -> tuple[str, Walk | None]:
    if boxed := containers.boxed_kind(raw):
        return boxed, containers.walk_boxes
    if raw[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF", containers.walk_tiff
    kind, starts, walk = _WALKS.get(raw[:2], _NONE)
    return (kind, walk) if starts.match(raw) else ("", None)


# --- JPEG ----------------------------------------------------------------------------------------------------------------

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # restarts and stuffed zeros belong to the scan
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a segment
_WITH_SEGMENT = frozenset((*range(0xC0, 0xD0), *range(0xDA, 0xF0), 0xFE))
_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_SCAN = 0xDA


def _jpeg(raw: bytes, found: Header) -> None:
    """From marker to marker, as libjpeg goes, to the end of the first image; what lies between two segments counts as parts."""
    at, marker, found.scans, components = 2, _MARKER, 0, 0
    while (here := marker.search(raw, at)) and not found.overfull():
        code, marker = raw[here.start() + 1], _MARKER
        found.parts += 1
        if not found.scans:
            found.parts += here.start() - at  # padding and rubbish, which Pillow takes byte by byte
        at = here.end()
        if code in _ALONE:
            continue
        if code not in _WITH_SEGMENT:  # the end, or nothing that a decoder goes on with
            return
        (length,) = struct.unpack_from(">H", raw, at)
        if code in _FRAME and not found.scans:
            components = _jpeg_frame(raw, at, found)
            found.in_scans = code in _PROGRESSIVE
        if code == _SCAN:
            found.scans, marker = found.scans + 1, _MARKER_IN_SCAN
            found.in_scans |= found.scans > 1 or raw[at + 2] < components  # the rest comes later, or never
        else:
            found.extra_bytes += length
        at += length


def _jpeg_frame(raw: bytes, at: int, found: Header) -> int:
    """Size and samples; the number of components."""
    height, width, components = struct.unpack_from(">HHB", raw, at + 3)
    found.size(width, height)
    factors = [divmod(raw[at + 9 + 3 * number], 16) for number in range(components)]
    largest = max((across for across, _ in factors), default=1) * max((down for _, down in factors), default=1)
    found.samples = sum(across * down for across, down in factors) / max(largest, 1)
    return int(components)


# --- PNG -----------------------------------------------------------------------------------------------------------------

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_PACKED = (b"zTXt", b"iTXt", b"iCCP")
_PNG_DATA = (b"IDAT", b"fdAT")


def _png(raw: bytes, found: Header) -> None:
    """From chunk to chunk. A second IHDR counts only where it comes before the pixels, as for Pillow."""
    at = 8
    while not found.overfull():
        length, chunk = struct.unpack_from(">I4s", raw, at)
        if chunk in _PNG_DATA:
            found.data_parts += 1
            found.data_bytes += length if chunk == b"IDAT" else 0
        elif chunk == b"IEND":
            return
        else:
            _png_chunk(raw, at + 8, chunk, found)
            found.parts += 1
            found.extra_bytes += length
        at += 12 + length


def _png_chunk(raw: bytes, at: int, chunk: bytes, found: Header) -> None:
    if chunk == b"IHDR" and not found.data_parts:
        width, height, depth, colour = struct.unpack_from(">IIBB", raw, at)
        found.size(width, height)
        found.bits, found.alpha = depth * _CHANNELS.get(colour, 1), colour in (4, 6)
    elif chunk == b"tRNS":
        found.alpha = True
    elif chunk == b"acTL":
        (found.frames,) = struct.unpack_from(">I", raw, at)
    elif chunk in _PACKED:
        found.packed_texts += 1


# --- GIF -----------------------------------------------------------------------------------------------------------------


def _gif(raw: bytes, found: Header) -> None:
    """From block to block. The first frame may reach over the screen, which then is as large as the frame."""
    width, height, flags = struct.unpack_from("<HHB", raw, 6)
    found.size(width, height)
    found.frames, found.bits, found.alpha = 0, 8, True
    at = 13 + _palette(flags)
    while not found.overfull():
        block = raw[at]
        if block == 0x2C:
            left, top, width, height, flags = struct.unpack_from("<HHHHB", raw, at + 1)
            if not found.frames:
                found.size(max(found.width_px, left + width), max(found.height_px, top + height))
            found.frames += 1
            at = _gif_data(raw, at + 11 + _palette(flags), found)
        elif block == 0x3B:
            return
        else:
            found.parts += 1
            at = _gif_extension(raw, at + 2, found) if block == 0x21 else at + 1


def _palette(flags: int) -> int:
    return (6 << (flags & 7)) if flags & 0x80 else 0


def _gif_data(raw: bytes, at: int, found: Header) -> int:
    while (length := raw[at]) and not found.overfull():
        found.data_parts += 1
        found.data_bytes += length
        at += length + 1
    return at + 1


def _gif_extension(raw: bytes, at: int, found: Header) -> int:
    while (length := raw[at]) and not found.overfull():
        found.parts += 1
        found.extra_bytes += length
        at += length + 1
    return at + 1


# --- WebP ----------------------------------------------------------------------------------------------------------------


def _webp(raw: bytes, found: Header) -> None:
    """From chunk to chunk of the RIFF file; an extended file tells the size of its canvas first."""
    at, frames = 12, 0
    while not found.overfull():
        chunk, length = struct.unpack_from("<4sI", raw, at)
        at += 8
        if chunk == b"ANMF":
            found.frames = frames = frames + 1
            found.data_bytes += length
        elif chunk in (b"VP8 ", b"VP8L", b"VP8X"):
            if not found.width_px:
                found.size(*_webp_size(raw, at, chunk))
            found.alpha |= chunk == b"VP8L" or (chunk == b"VP8X" and bool(raw[at] & 0x10))
            found.data_bytes += 0 if chunk == b"VP8X" else length
        else:
            found.extra_bytes += length
        found.parts += 1
        at += length + length % 2


def _webp_size(raw: bytes, at: int, chunk: bytes) -> tuple[int, int]:
    if chunk == b"VP8X":
        width, height = (int.from_bytes(raw[at + n : at + n + 3], "little") for n in (4, 7))
        return width + 1, height + 1
    if chunk == b"VP8L":
        (packed,) = struct.unpack_from("<I", raw, at + 1)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", raw, at + 6)
    return width & 0x3FFF, height & 0x3FFF


# --- BMP -----------------------------------------------------------------------------------------------------------------


def _bmp(raw: bytes, found: Header) -> None:
    """The one header; the oldest kind has sizes of 16 bits and no compression."""
    (header,) = struct.unpack_from("<I", raw, 14)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", raw, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<IIHHI", raw, 18)
    found.size(width, 2**32 - height if height >> 24 == 0xFF else height)  # below 0 = its first row is the upper one
    found.bits, found.run_lengths = bits, compression in (1, 2)
    found.data_bytes = max(len(raw) - 14 - header, 0)


Walk = Callable[[bytes, Header], None]

_WALKS: dict[bytes, tuple[str, re.Pattern[bytes], Walk]] = {  # by their first two bytes
    b"\xff\xd8": ("JPEG", re.compile(rb"\xff\xd8\xff"), _jpeg),
    b"\x89P": ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    b"RI": ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    b"BM": ("BMP", re.compile(rb"BM"), _bmp),
    b"GI": ("GIF", re.compile(rb"GIF8[79]a"), _gif),
}
_NONE = ("", re.compile(rb"(?!)"), _bmp)
