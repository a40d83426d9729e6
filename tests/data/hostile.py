"""Image files that nobody's camera wrote: much asked for in few bytes."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests.data.conftest import noise

JPEG_END = b"\xff\xd9"


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(side: int = 16, **options: Any) -> bytes:
    return encoded(Image.fromarray(noise(1, side, side)), "JPEG", **options)


def with_scans(count: int, side: int = 64) -> bytes:
    """A progressive JPEG of so many scans, the last one again and again."""
    raw = jpeg(side, progressive=True, quality=30)
    starts = [found.start() for found in re.finditer(rb"\xff\xda", raw)]
    return raw[:-2] + raw[starts[-1] : -2] * (count - len(starts)) + JPEG_END


def claiming(raw: bytes, width: int, height: int) -> bytes:
    """A JPEG that says it is of another size."""
    at = re.search(rb"\xff[\xc0\xc2]", raw).start() + 5  # type: ignore[union-attr]
    return raw[:at] + struct.pack(">HH", height, width) + raw[at + 4 :]


def photograph(width: int, height: int, **options: Any) -> bytes:
    """A JPEG as large as a telephone's, and quickly made."""
    small = Image.fromarray(noise(2, height // 64, width // 64))
    return encoded(small.resize((width, height), Image.Resampling.NEAREST), "JPEG", **options)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *extra: bytes, data: bytes | None = None) -> bytes:
    """A grey PNG, black where `data` does not say otherwise, with chunks of one's own before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = zlib.compress(bytes((width + 1) * height), 9) if data is None else data
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND")


def packed_text(grows_to: int) -> bytes:
    return chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(grows_to), 9))


def gif(*blocks: bytes, width: int = 4, height: int = 4) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"".join(blocks) + b";"


def gif_frame(width: int = 4, height: int = 4, data: bytes = b"\x02\x05\x84\x8f\xa9\xcb\x05\x00") -> bytes:
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + data


def webp(width: int, height: int, frames: int) -> bytes:
    """An animated WebP whose header alone is true."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<II", 10, 0x02) + canvas + (b"ANMF" + struct.pack("<I", 16) + bytes(16)) * frames
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def bmp(width: int, height: int, bits: int = 24, compression: int = 0, data: bytes = b"") -> bytes:
    palette = bytes(range(256)) * 4 if bits == 8 else b""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(palette)) + header + palette + data


def mutated(rng: np.random.Generator, raw: bytes) -> bytes:
    """A file with some bytes changed, a piece repeated, removed, or cut off."""
    found = bytearray(raw)
    for _ in range(int(rng.integers(1, 6))):
        at, length = int(rng.integers(0, len(found))), int(rng.integers(1, 40))
        match int(rng.integers(0, 5)):
            case 0:
                found[at] = int(rng.integers(0, 256))
            case 1:
                found[at : at + 4] = int(rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFF])).to_bytes(4, "big")
            case 2:
                found[at:at] = found[at : at + length] * int(rng.integers(1, 50))
            case 3 if len(found) > 2 * length:
                del found[at : at + length]
            case _ if at > 16:
                del found[at:]
    return bytes(found)
