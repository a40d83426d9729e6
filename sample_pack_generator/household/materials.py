"""What a surface looks like: a colour or a texture, and how it shines. Colours are sRGB in 0..1."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from household.draw import Draw
from household.geometry import Mesh

Colour = tuple[float, float, float]
Texture = NDArray[np.float32]
"""(height, width, 3), sRGB in 0..1, first row at the top."""


@dataclass(frozen=True)
class Material:
    """A surface: `tile` is the edge of one texture repeat in metres, `emission` a factor on the colour as light."""

    colour: Colour = (0.8, 0.8, 0.8)
    texture: Texture | None = field(default=None, repr=False)
    tile: float = 1.0
    roughness: float = 0.6
    metallic: float = 0.0
    specular: float = 0.4
    emission: float = 0.0

    def mean(self) -> Colour:
        """The mean colour, over the texture if there is one."""
        if self.texture is None:
            return self.colour
        r, g, b = (float(c) for c in self.texture.mean(axis=(0, 1)))
        return r, g, b


@dataclass(frozen=True)
class Part:
    """A mesh and its surface."""

    mesh: Mesh
    material: Material


def rgb(code: str) -> Colour:
    """The colour of a code such as `#8a5a33`."""
    r, g, b = (int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return r, g, b


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (below 1) or lighter (above 1) colour."""
    r, g, b = (min(1.0, max(0.0, c * factor)) for c in colour)
    return r, g, b


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    r, g, b = (a + (c - a) * share for a, c in zip(first, second, strict=True))
    return r, g, b


def hue(degrees: float, saturation: float, value: float) -> Colour:
    """A colour of the HSV wheel."""
    return colorsys.hsv_to_rgb(degrees / 360 % 1, saturation, value)


def distinct(options: Sequence[Colour], other: Colour, least: float) -> list[Colour]:
    """The options that differ from the other colour by at least this distance, or the one that differs most."""
    apart = [float(np.linalg.norm(np.subtract(option, other))) for option in options]
    return [o for o, a in zip(options, apart, strict=True) if a >= least] or [options[int(np.argmax(apart))]]


def linear(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Light of sRGB values (IEC 61966-2-1)."""
    v = np.asarray(values, dtype=float)
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def paint(colour: Colour, roughness: float = 0.5, specular: float = 0.4) -> Material:
    """Painted wood or wall."""
    return Material(colour, roughness=roughness, specular=specular)


def plastic(colour: Colour, roughness: float = 0.3) -> Material:
    """Moulded plastic."""
    return Material(colour, roughness=roughness, specular=0.5)


def metal(colour: Colour = (0.75, 0.75, 0.77), roughness: float = 0.25) -> Material:
    """Bare or plated metal."""
    return Material(colour, roughness=roughness, metallic=1.0)


def glow(colour: Colour, strength: float = 1.0, texture: Texture | None = None) -> Material:
    """A surface that gives light."""
    return Material(colour, texture, emission=strength)


def decal_of(texture: Texture, roughness: float = 0.4, specular: float = 0.4) -> Material:
    """A picture over texture coordinates that run from 0 to 1."""
    return Material(texture=texture, roughness=roughness, specular=specular)


METALS = (rgb("#c9c9cc"), rgb("#b5a27a"), rgb("#3a3a3c"), rgb("#8d6f4a"), rgb("#d8d8da"))
WOODS = (rgb("#8a5530"), rgb("#6b3f22"), rgb("#c08a52"), rgb("#d3a873"), rgb("#4d2c1c"), rgb("#a3622f"), rgb("#7d3a20"))
PAINTS = (rgb("#f2f0ea"), rgb("#e4dccb"), rgb("#2b2b2d"), rgb("#7f96a6"), rgb("#8fa08a"), rgb("#b8b8b8"))
CLOTHS = (
    rgb("#b03030"), rgb("#2f4f7f"), rgb("#5d6f4a"), rgb("#c8b690"), rgb("#7a7a80"), rgb("#d9d2c4"),
    rgb("#6b4a35"), rgb("#3a3a42"), rgb("#a8603a"), rgb("#7f4f74"), rgb("#3f7f86"), rgb("#c79a3a"),
)  # fmt: skip
LEATHERS = (rgb("#3a2418"), rgb("#6e3d22"), rgb("#1f1e1e"), rgb("#a8713f"), rgb("#e6dfd2"), rgb("#7c1f1c"))


def any_metal(d: Draw) -> Material:
    """Chrome, brass, black or bronze, polished or brushed."""
    return metal(d.choice("metal", METALS), d.uniform("metal_roughness", 0.15, 0.4))
