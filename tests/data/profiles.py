"""Colour profiles made from their primaries and curve, and images encoded by them with plain arithmetic."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udacisense.types import Pixels

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def srgb_to_linear(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1, the other way."""
    x = np.clip(x, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


@dataclass(frozen=True)
class Space:
    """A colour space of three primaries, adapted to D50 as profiles have them."""

    name: str
    primaries: tuple[tuple[float, float, float], ...]  # X, Y, Z of red, green, blue
    to_linear: Curve
    from_linear: Curve

    def encode(self, pixels: Pixels) -> Pixels:
        """The same colours as those of sRGB `pixels`, as this space writes them."""
        xyz = srgb_to_linear(pixels / 255.0) @ np.array(SRGB.primaries)
        linear = np.clip(xyz @ np.linalg.inv(np.array(self.primaries)), 0, 1)
        return np.round(self.from_linear(linear) * 255).astype(np.uint8)

    def profile(self) -> bytes:
        """Its ICC profile, version 2."""
        curve = np.round(self.to_linear(np.linspace(0, 1, 1024)) * 65535).astype(">u2").tobytes()
        tags = {
            b"desc": _text(self.name),
            b"cprt": b"text\0\0\0\0none\0",
            b"wtpt": _xyz(0.9642, 1.0, 0.8249),
            **{key: _xyz(*xyz) for key, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), self.primaries, strict=True)},
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">I", 1024) + curve),
        }
        return _assembled(tags)


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))


def _text(name: str) -> bytes:
    raw = name.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(raw)) + raw + bytes(8 + 3 + 67)


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for key, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += key + struct.pack(">II", at + len(body), len(content))
        body += padded
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(0.9642, 1.0, 0.8249)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


SRGB = Space(
    "sRGB IEC61966-2.1",
    ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)),
    srgb_to_linear,
    linear_to_srgb,
)
DISPLAY_P3 = Space(
    "Display P3",
    ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    srgb_to_linear,
    linear_to_srgb,
)
ADOBE_RGB = Space(
    "Adobe RGB (1998)",
    ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    lambda x: x**2.19921875,
    lambda x: np.clip(x, 0, 1) ** (1 / 2.19921875),
)
