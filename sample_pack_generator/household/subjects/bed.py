"""Beds: single, double and bunk, with headboards of wood, bars, slats or cloth."""

from __future__ import annotations

import numpy as np

from household.clutter import books, mug, place
from household.draw import Draw
from household.geometry import Mesh, box, join, sheet
from household.materials import Material, Part, any_metal, hue, rgb
from household.shapes import ball, both, cylinder, four, prism, rounded_box, tube
from household.subject import Subject
from household.textures import cloth, timber, upholstery, weave

LINEN = (rgb("#f6f4ef"), rgb("#f6f4ef"), rgb("#efe6d8"), rgb("#dfe7ee"), rgb("#ead9dc"))


def bed(d: Draw) -> Subject:
    """A bed whose foot points to the camera, head at the wall."""
    kind = d.cycle("kind", ["double", "single", "double", "bunk", "double", "single"])
    return _bunk(d) if kind == "bunk" else _low(d, kind)


def _linen(d: Draw, name: str) -> Material:
    colour = d.choice(name, LINEN)
    return Material(colour, weave(d.rng(name), colour), tile=0.5, roughness=0.95, specular=0.05)


def _cover(d: Draw) -> Material:
    """The bedspread: often patterned, of any colour."""
    colour = hue(d.uniform("cover_hue", 0, 360), d.uniform("cover_depth", 0.05, 0.45), d.uniform("cover_light", 0.35, 0.92))
    return cloth(d.scope("cover"), colour)


def _low(d: Draw, kind: str) -> Subject:
    width = d.uniform("width", 1.5, 1.8) if kind == "double" else d.uniform("width", 0.95, 1.1)
    length, top = 2.0, d.uniform("top", 0.5, 0.62)
    frame = timber(d)
    parts = _headboard(d, width, top, frame, length / 2)
    rails = both(box(0.04, length, 0.18, (width / 2 + 0.01, 0, 0.2)))
    legs = four(box(0.07, 0.07, 0.25, (width / 2 - 0.02, length / 2 - 0.06, 0)))
    parts += [Part(join([rails, legs]), frame), *_footboard(d, width, frame, -length / 2 - 0.04)]
    parts += _bedding(d, width, length, 0.3, top)
    companions = _night_table(d, width, length / 2) if d.chance("night_table", 0.6) else ()
    return Subject(tuple(parts), "floor", yaw=(-50, 50), pitch=(14, 30), fill=(0.9, 1.04), companions=companions)


def _headboard(d: Draw, width: float, top: float, frame: Material, y: float) -> list[Part]:
    high = top + d.uniform("head_height", 0.38, 0.65)
    style = d.choice("headboard", ["panel", "slats", "bars", "padded", "arched"])
    wide = width + 0.08
    posts = both(box(0.06, 0.06, high + 0.05, (wide / 2, y + 0.03, 0)))
    if style == "bars":
        return [Part(_bars(wide, high, y + 0.03, 9), any_metal(d))]
    if style == "slats":
        slats = [
            box(0.06, 0.025, high - 0.4, (x, y + 0.03, 0.35))
            for x in np.linspace(-wide / 2 + 0.12, wide / 2 - 0.12, int(wide / 0.15))
        ]
        return [Part(join([posts, box(wide, 0.05, 0.09, (0, y + 0.03, high - 0.07)), *slats]), frame)]
    if style == "padded":
        pads = [
            rounded_box(wide / 3 - 0.01, 0.1, high - 0.3, 0.03, (k * wide / 3, y + 0.04, 0.3), bulge=0.025) for k in (-1, 0, 1)
        ]
        return [Part(join(pads), upholstery(d.scope("head")))]
    if style == "arched":
        angles = np.linspace(0, np.pi, 24)
        arch = np.stack([wide / 2 * np.cos(angles), high - 0.2 + 0.22 * np.sin(angles)], -1)
        board = prism(np.concatenate([[(-wide / 2, 0.2), (wide / 2, 0.2)], arch]), 0.05).at(y=y + 0.06)
        return [Part(join([board, posts]), frame)]
    inset = both(box(wide * 0.38, 0.02, (high - top) * 0.75, (wide * 0.23, y - 0.005, top + 0.08)))
    return [
        Part(
            join(
                [
                    posts,
                    box(wide, 0.05, high - 0.2, (0, y + 0.03, 0.2)),
                    box(wide + 0.1, 0.08, 0.04, (0, y + 0.03, high)),
                    inset,
                ]
            ),
            frame,
        )
    ]


def _bars(wide: float, high: float, y: float, count: int) -> Mesh:
    angles = np.linspace(0, np.pi, 22)
    arch = np.stack([wide / 2 * np.cos(angles), np.full(22, y), high - 0.25 + 0.28 * np.sin(angles)], -1)
    hoop = tube(np.concatenate([[(wide / 2, y, 0)], arch, [(-wide / 2, y, 0)]]), 0.018)
    uprights = []
    for x in np.linspace(-wide / 2, wide / 2, count)[1:-1]:
        top = high - 0.25 + 0.28 * np.sqrt(max(0.0, 1 - (2 * x / wide) ** 2))
        uprights.append(tube([(x, y, 0.3), (x, y, top)], 0.009))
    return join(
        [
            hoop,
            tube([(-wide / 2, y, 0.42), (wide / 2, y, 0.42)], 0.012),
            *uprights,
            *[ball(0.03, (x, y, high - 0.24)) for x in (-wide / 2, wide / 2)],
        ]
    )


def _foot_style(d: Draw) -> str:
    """What ends the bed; with "none" the cover hangs over the foot."""
    return d.choice("footboard", ["none", "rail", "panel"])


def _footboard(d: Draw, width: float, frame: Material, y: float) -> list[Part]:
    style = _foot_style(d)
    if style == "none":
        return []
    high = 0.36 if style == "rail" else d.uniform("foot_height", 0.55, 0.72)
    posts = both(box(0.06, 0.06, high + 0.06, (width / 2 + 0.03, y, 0)))
    return [
        Part(
            join(
                [posts, box(width + 0.08, 0.04, high - 0.2, (0, y, 0.18)), box(width + 0.12, 0.06, 0.035, (0, y, high - 0.02))]
            ),
            frame,
        )
    ]


def _bedding(d: Draw, width: float, length: float, base: float, top: float) -> list[Part]:
    mattress = rounded_box(width, length, top - base, 0.06, (0, 0, base))
    parts = [Part(mattress, _linen(d, "sheet"))]
    reach = d.uniform("cover_reach", 0.55, 0.8)
    cover = _duvet(d, width, length * reach, top).at(y=-length / 2 + length * reach / 2)
    parts.append(Part(cover, _cover(d)))
    fold = rounded_box(width + 0.06, 0.3, 0.06, 0.03, (0, -length / 2 + length * reach, top + 0.015), bulge=0.01)
    if d.chance("fold", 0.7):
        parts.append(Part(fold, _linen(d, "fold_linen")))
    return parts + _pillows(d, width, length, top)


def _pillows(d: Draw, width: float, length: float, top: float) -> list[Part]:
    pillow = rounded_box(0.62, 0.4, 0.1, 0.05, bulge=0.05).turn("x", d.uniform("pillow_lean", 14, 45))
    places = (-width * 0.24, width * 0.24) if width > 1.3 else (0.0,)
    parts = [Part(join([pillow.at(x, length / 2 - 0.26, top + 0.08) for x in places]), _linen(d, "pillow"))]
    if d.chance("cushions", 0.5):
        cushion = rounded_box(0.4, 0.4, 0.08, 0.04, bulge=0.05).turn("x", 62)
        middle = [x * 0.55 for x in places]
        parts.append(Part(join([cushion.at(x, length / 2 - 0.55, top + 0.2) for x in middle]), cloth(d.scope("cushion"))))
    return parts


def _duvet(d: Draw, width: float, length: float, top: float) -> Mesh:
    """A cover over the mattress: flat on top, hanging at both sides and at the foot, softly creased."""
    hang = d.uniform("hang", 0.2, 0.38)
    u = np.linspace(-1, 1, 49) * (width / 2 + hang)
    v = np.linspace(-length / 2 - hang, length / 2, 45)
    x, y = np.meshgrid(u, v)
    over_x, over_y = np.maximum(np.abs(x) - width / 2, 0), np.maximum(-length / 2 - y, 0)
    hanging = float(_foot_style(d) == "none")
    rng = d.rng("creases")
    waves = sum(0.008 * np.sin(rng.uniform(4, 14) * x + rng.uniform(4, 14) * y + rng.uniform(0, 6)) for _ in range(6))
    folds = 0.02 * np.sin(28 * y) * (over_x > 0) + 0.02 * np.sin(28 * x) * (over_y > 0)
    px = np.clip(x, -width / 2, width / 2) + np.sign(x) * (0.07 * np.minimum(over_x / 0.04, 1) + folds * (over_x > 0.05))
    py = np.maximum(y, -length / 2) - 0.07 * np.minimum(over_y / 0.04, 1) * hanging - folds * (over_y > 0.05) * hanging
    pz = top + 0.05 + waves - np.hypot(over_x, over_y * hanging)
    return sheet(np.stack([px, py, np.maximum(pz, 0.06)], -1), np.stack([x, y], -1))


def _night_table(d: Draw, width: float, head: float) -> tuple[Part, ...]:
    one = d.scope("night")
    side = one.choice("side", [-1.0, 1.0])
    x, y = side * (width / 2 + 0.36), head - 0.2
    body = join([box(0.42, 0.36, 0.42, (x, y, 0.1)), *[box(0.38, 0.02, 0.17, (x, y - 0.185, z)) for z in (0.13, 0.32)]])
    legs = join([box(0.04, 0.04, 0.1, (x + sx * 0.18, y + sy * 0.15, 0)) for sx in (-1, 1) for sy in (-1, 1)])
    return (Part(join([body, legs]), timber(one)), *place(one.choice("thing", [books, mug])(one), x, y, 0.52))


def _bunk(d: Draw) -> Subject:
    """Two beds one above the other with a ladder."""
    width, length, upper = 0.98, 1.95, d.uniform("upper", 1.15, 1.3)
    frame = timber(d)
    post = four(box(0.07, 0.07, upper + 0.5, (length / 2, width / 2, 0)))
    rails = [box(length, 0.03, 0.16, (0, s * width / 2, z)) for s in (-1, 1) for z in (0.25, upper - 0.12)]
    ends = [
        box(0.03, width, 0.09, (s * length / 2, 0, z)) for s in (-1, 1) for z in (0.3, 0.55, upper, upper + 0.2, upper + 0.38)
    ]
    guard = [box(length, 0.03, 0.07, (0, s * width / 2, upper + 0.32)) for s in (-1, 1)]
    side = d.choice("ladder_side", [-1.0, 1.0])
    ladder = [box(0.04, 0.05, upper + 0.45, (side * (length / 2 - 0.12 - 0.36 * k), -width / 2 - 0.05, 0)) for k in (0, 1)]
    rungs = [box(0.36, 0.04, 0.045, (side * (length / 2 - 0.3), -width / 2 - 0.05, 0.25 + 0.27 * k)) for k in range(5)]
    beds = []
    for level, z in enumerate((0.32, upper - 0.04)):
        one = d.scope(f"level{level}")
        mattress = rounded_box(length - 0.06, width - 0.05, 0.16, 0.05, (0, 0, z))
        cover = rounded_box(length * 0.66, width + 0.0, 0.14, 0.05, (-side * 0.3, 0, z + 0.06), bulge=0.03)
        pillow = rounded_box(0.36, 0.55, 0.1, 0.05, (side * (length / 2 - 0.28), 0, z + 0.16), bulge=0.04)
        beds += [Part(join([mattress, pillow]), _linen(one, "linen")), Part(cover, _cover(one))]
    knobs = four(cylinder(0.03, 0.02, (length / 2, width / 2, upper + 0.5)))
    parts = (Part(join([post, *rails, *ends, *guard, *ladder, *rungs, knobs]), frame), *beds)
    return Subject(parts, "floor", yaw=(-42, 42), pitch=(4, 14), fill=(0.9, 1.0))
