"""Small things that stand beside, behind or partly before a subject."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, join, sheet
from household.materials import Part, glow, hue, metal, paint, plastic, rgb
from household.shapes import ball, cylinder, lathe, tube
from household.textures import cloth, wood

Maker = Callable[[Draw], list[Part]]


def bright(d: Draw) -> tuple[float, float, float]:
    """A colour that a small thing may have."""
    return hue(d.uniform("hue", 0, 360), d.uniform("saturation", 0.1, 0.75), d.uniform("value", 0.35, 0.95))


def plant(d: Draw) -> list[Part]:
    """A pot with leaves, 1 m high (scaled by whoever places it)."""
    pot = lathe([(0, 0), (0.16, 0), (0.22, 0.32), (0.19, 0.32), (0.17, 0.27), (0, 0.27)])
    rng = d.rng("leaves")
    leaves = [_leaf(rng.uniform(0, 360), rng.uniform(15, 60), rng.uniform(0.4, 0.75)) for _ in range(26)]
    green = hue(rng.uniform(95, 135), 0.6, rng.uniform(0.3, 0.5))
    return [
        Part(pot, paint(d.choice("pot", [rgb("#b5653c"), rgb("#e8e6e0"), rgb("#4a4d52")]))),
        Part(join(leaves), paint(green)),
    ]


def _leaf(turn: float, lean: float, length: float) -> Mesh:
    t = np.linspace(0, 1, 9)
    width = 0.09 * np.sin(np.pi * t**0.7)
    bow = 0.25 * t**2
    edges = [np.stack([side * width, bow, t * length], -1) for side in (-1, 0, 1)]
    return sheet(np.stack(edges)).turn("x", -lean).turn("z", turn).at(z=0.28)


def books(d: Draw) -> list[Part]:
    """A stack of books about 0.3 wide."""
    parts, z = [], 0.0
    for k in range(d.integer("count", 2, 4)):
        one = d.scope(f"book{k}")
        high = one.uniform("thick", 0.03, 0.06)
        turn = one.uniform("turn", -14, 14)
        parts.append(Part(box(0.3, 0.21, high).turn("z", turn).at(z=z), paint(bright(one))))
        parts.append(Part(box(0.296, 0.212, high * 0.7).turn("z", turn).at(z=z + high * 0.15, x=0.004), paint(rgb("#efe9da"))))
        z += high
    return parts


def mug(d: Draw) -> list[Part]:
    """A mug about 0.1 high."""
    body = lathe([(0, 0), (0.04, 0), (0.042, 0.1), (0.038, 0.1), (0.036, 0.012), (0, 0.012)])
    angles = np.linspace(-np.pi / 2, np.pi / 2, 12)
    ear = tube(np.stack([0.042 + 0.028 * np.cos(angles), np.zeros(12), 0.05 + 0.032 * np.sin(angles)], -1), 0.006)
    return [Part(join([body, ear]).turn("z", d.uniform("turn", 0, 360)), plastic(bright(d)))]


def toy_ball(d: Draw) -> list[Part]:
    """A ball 0.24 across."""
    return [Part(ball(0.12, (0, 0, 0.12)), plastic(bright(d)))]


def carton(d: Draw) -> list[Part]:
    """A cardboard box."""
    wide, deep, tall = (d.uniform(name, 0.25, 0.45) for name in ("width", "depth", "height"))
    return [Part(box(wide, deep, tall).turn("z", d.uniform("turn", -40, 40)), paint(rgb("#b58b5c"), 0.8))]


def basket(d: Draw) -> list[Part]:
    """A round basket with a cloth in it."""
    side = lathe([(0, 0), (0.17, 0), (0.21, 0.26), (0.19, 0.26), (0.17, 0.2), (0, 0.2)])
    return [Part(side, wood(d, rgb("#b58b55"))), Part(ball(0.16, (0, 0, 0.16)).scale(z=1.1), cloth(d))]


def vase(d: Draw) -> list[Part]:
    """A vase about 0.25 high."""
    wide = d.uniform("wide", 0.05, 0.09)
    profile = [(0, 0), (wide * 0.6, 0), (wide, 0.08), (wide * 0.8, 0.16), (wide * 0.35, 0.21), (wide * 0.5, 0.25)]
    return [Part(lathe(profile, smooth=True), plastic(bright(d), 0.15))]


def bowl(d: Draw) -> list[Part]:
    """A bowl of fruit."""
    shell = lathe([(0, 0), (0.06, 0), (0.12, 0.05), (0.14, 0.09), (0.13, 0.09), (0.1, 0.05), (0, 0.02)], smooth=True)
    rng = d.rng("fruit")
    fruit = [
        Part(ball(0.038, (0.06 * np.cos(a), 0.06 * np.sin(a), 0.085)), plastic(hue(rng.uniform(0, 90), 0.85, 0.85)))
        for a in range(5)
    ]
    return [Part(shell, plastic(bright(d), 0.2)), *fruit]


def candle(d: Draw) -> list[Part]:
    """A burning candle on a small plate."""
    plate = cylinder(0.05, 0.008)
    wax = cylinder(0.022, d.uniform("height", 0.08, 0.16))
    flame = ball(0.008, (0, 0, 0.18)).scale(z=1.0)
    return [Part(plate, metal()), Part(wax, paint(rgb("#f3ead2"))), Part(flame, glow(rgb("#ffd28a"), 3.0))]


FLOOR_THINGS: tuple[Maker, ...] = (plant, toy_ball, carton, basket)
DESK_THINGS: tuple[Maker, ...] = (books, mug, vase)
TABLE_THINGS: tuple[Maker, ...] = (books, mug, vase, bowl, candle)


def place(parts: list[Part], x: float, y: float, z: float = 0.0, size: float = 1.0) -> list[Part]:
    """The parts scaled and moved."""
    return [Part(part.mesh.scale(size, size, size).at(x, y, z), part.material) for part in parts]
