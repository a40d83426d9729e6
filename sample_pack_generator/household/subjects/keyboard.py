"""Computer keyboards: beige, black, white and coloured boards, whole or close up."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, flat, join
from household.materials import Colour, Part, decal_of, hue, mix, paint, plastic, rgb, shade
from household.prints import legends
from household.shapes import ball, curve, rounded_box, tube
from household.subject import Subject

UNIT = 0.019
ATLAS = 8
ROWS: tuple[tuple[float, ...], ...] = (
    (1.25, 1.25, 1.25, 1.25, 6.25, 1.25, 1.25, 1.25),
    (2.25, *[1.0] * 10, 2.75),
    (1.75, *[1.0] * 11, 2.25),
    (1.5, *[1.0] * 12, 1.5),
    (*[1.0] * 13, 2.0),
    (1.0, *[1.0] * 12, 2.0),
)
"""Widths of the keys in units, from the space bar's row upwards; every row is 15 units wide."""
SCHEMES = (
    ("#d9d2c0", "#c9c2ae", "#efe9da", "#33322e"),
    ("#1b1c1f", "#484a50", "#5d6067", "#f2f2f2"),
    ("#e9eaec", "#f6f6f6", "#fafafa", "#505359"),
    ("#a9adb2", "#f2f2f2", "#ffffff", "#3b3d41"),
    ("#101113", "#3c3e43", "#4a4d54", "#f2f2f2"),
    ("#bfb8a6", "#8f897b", "#e4ddcc", "#2c2b28"),
    ("#3a3d42", "#c9ccd0", "#dfe1e4", "#1c1d20"),
)
"""Case, modifier keys, letter keys, legends."""


def keyboard(d: Draw) -> Subject:
    """A keyboard, lying flat or raised, seen whole or from near."""
    view = d.cycle("view", ["whole", "near", "whole", "steep", "near"])
    case, dark, light, letter = _colours(d)
    blocks = [(0.0, ROWS)]
    if d.chance("number_pad", 0.45):
        blocks += [(15.4, tuple((1.0, 1.0, 1.0) for _ in range(6))), (18.8, tuple((1.0, 1.0, 1.0, 1.0) for _ in range(6)))]
    units = blocks[-1][0] + sum(blocks[-1][1][0])
    high = d.uniform("key_height", 0.0075, 0.012)
    gap = d.uniform("key_gap", 0.0026, 0.0038)
    keys = [(_key_block(rows, start, high, gap, pick)) for pick in (True, False) for start, rows in blocks]
    count = len(blocks)
    parts = [
        Part(join(keys[:count]), decal_of(legends(light, letter), 0.6, 0.2)),
        Part(join(keys[count:]), decal_of(legends(dark, letter), 0.6, 0.2)),
        *_case(d, units, case),
    ]
    middle = units * UNIT / 2
    turned = [
        Part(p.mesh.at(x=-middle, y=-3 * UNIT).turn("x", d.uniform("slope", 2, 7)).at(z=0.012), p.material) for p in parts
    ]
    return _view(d, tuple(turned), view, middle)


def _view(d: Draw, parts: tuple[Part, ...], view: str, half: float) -> Subject:
    if view == "near":
        look = (d.uniform("look_x", -0.35, 0.35) * half, d.uniform("look_y", -0.01, 0.012), 0.02)
        return Subject(parts, "desk", yaw=(-48, 48), pitch=(30, 60), fill=(1.7, 2.3), look_at=look)
    pitch = (55.0, 80.0) if view == "steep" else (36.0, 58.0)
    return Subject(parts, "desk", yaw=(-50, 50), pitch=pitch, fill=(0.98, 1.25))


def _colours(d: Draw) -> tuple[Colour, Colour, Colour, Colour]:
    if d.chance("coloured", 0.2):
        base = d.uniform("hue", 190, 300)
        return hue(base, 0.55, 0.45), hue(base, 0.6, 0.5), hue(base, 0.45, 0.75), rgb("#f4f4f4")
    codes = d.choice("scheme", SCHEMES)
    case, dark, light, letter = (rgb(code) for code in codes)
    return case, dark, light, letter


def _key_block(rows: tuple[tuple[float, ...], ...], start: float, high: float, gap: float, letters: bool) -> Mesh:
    """The letter keys of a block, or all its other keys."""
    keys = []
    for row, widths in enumerate(rows):
        x = start
        for place, width in enumerate(widths):
            is_letter = width in (1.0, 6.25) and row < 5
            if is_letter == letters:
                cell = (row * 13 + place) % (ATLAS * ATLAS - 1) if width == 1.0 else ATLAS * ATLAS - 1
                lift = 0.012 if row < 5 else 0.013
                keys.append(
                    _key(width * UNIT - gap, UNIT - gap, high, cell).at(
                        (x + width / 2) * UNIT, (row + 0.5 + (row == 5) * 0.3) * UNIT, lift
                    )
                )
            x += width
    return join(keys) if keys else _key(0.001, 0.001, 0.001, 0)


def _key(width: float, depth: float, height: float, cell: int) -> Mesh:
    """A cap: a stump of a pyramid with a legend from the atlas on top."""
    inset = 0.1 * UNIT + 0.12 * height
    low = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, depth / 2]
    high = np.sign(low) * (np.abs(low) - inset) + [0, inset * 0.35]
    bottom, top = np.c_[low, np.zeros(4)], np.c_[high, np.full(4, height)]
    column, row = cell % ATLAS, cell // ATLAS
    square = (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + np.array([column, ATLAS - 1 - row])) / ATLAS
    blank = np.full((6, 2), 1 - 0.5 / ATLAS) * [1, 0] + [0, 0.5 / ATLAS]
    triangles = [top[[0, 1, 2]], top[[0, 2, 3]]]
    uv = [square[[0, 1, 2]], square[[0, 2, 3]]]
    for k in range(4):
        n = (k + 1) % 4
        triangles += [np.array([bottom[k], bottom[n], top[n]]), np.array([bottom[k], top[n], top[k]])]
        uv += [blank[:3], blank[:3]]
    return flat(np.array(triangles), np.array(uv))


def _case(d: Draw, units: float, colour: Colour) -> list[Part]:
    margin = d.uniform("margin", 0.008, 0.02)
    w, depth = units * UNIT, 6.3 * UNIT
    front = d.uniform("front", 0.0, 0.05) if d.chance("palm_rest", 0.35) else 0.0
    slab = rounded_box(w + 2 * margin, depth + 2 * margin + front, 0.014, 0.006, (w / 2, depth / 2 - front / 2, 0))
    well = box(w, depth, 0.0008, (w / 2, depth / 2, 0.0138))
    parts = [Part(slab, paint(colour, 0.5, 0.25)), Part(well, paint(shade(colour, 0.25), 0.9, 0.0))]
    if d.chance("cable", 0.5):
        path = curve(
            (w * 0.3, depth + margin, 0.008),
            (w * 0.3, depth + 0.08, 0.0),
            (w * 0.8, depth + 0.05, 0),
            (w * 0.9, depth + 0.25, 0.0),
        )
        parts.append(Part(tube(path, 0.0025), plastic(mix(colour, (0, 0, 0), 0.4))))
    if d.chance("lights", 0.3):
        lamps = join([ball(0.0018, (w - 0.02 - k * 0.01, depth + 0.003, 0.0145)) for k in range(3)])
        parts.append(Part(lamps, plastic(shade(rgb("#40d060"), 1.0))))
    return parts
