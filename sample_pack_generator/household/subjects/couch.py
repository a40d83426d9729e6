"""Couches: two or three seats, boxed or rolled arms, loose cushions, corner couches, wooden-framed ones."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, join
from household.materials import Material, Part
from household.shapes import ball, both, four, lathe, rounded_box, tube
from household.subject import Subject
from household.textures import cloth, leather, upholstery, wood


def couch(d: Draw) -> Subject:
    """A couch of the kind whose turn it is."""
    kind = d.cycle("kind", ["boxed", "rolled", "slim", "corner", "rolled", "wooden", "buttoned"])
    seats = d.choice("seats", [2, 3, 3])
    seat_width = d.uniform("seat_width", 0.58, 0.7)
    cover = leather(d) if kind == "buttoned" else upholstery(d)
    parts = _frame(d, kind, seats * seat_width, cover) + _cushions(d, kind, seats, seat_width, cover)
    parts += _throw_pillows(d, seats * seat_width)
    return Subject(tuple(parts), "floor", yaw=(-38, 38), pitch=(6, 20), fill=(0.92, 1.02))


def _frame(d: Draw, kind: str, inner: float, cover: Material) -> list[Part]:
    """Base, back, arms and feet around an inner width."""
    depth, arm = 0.88, d.uniform("arm", 0.1, 0.22)
    high = d.uniform("height", 0.78, 0.95)
    if kind == "wooden":
        return _wooden_frame(d, inner, depth, high)
    if kind == "buttoned":
        high = 0.74
    lift = d.uniform("lift", 0.12, 0.18) if kind == "slim" else 0.08
    base = rounded_box(inner + arm, depth - 0.06, 0.34 - lift, 0.03, (0, 0, lift))
    back = rounded_box(inner + arm * 1.4, 0.24, high - lift, 0.09, bulge=0.015).turn("x", -5).at(y=depth / 2 - 0.14, z=lift)
    arms = _arms(kind, inner, depth, arm, lift)
    foot = tube([(inner / 2, depth / 2 - 0.1, lift + 0.02), (inner / 2 + 0.03, depth / 2 - 0.08, 0)], [0.028, 0.018])
    parts = [Part(join([base, back, arms]), cover), Part(four(foot), wood(d.scope("feet")))]
    if kind == "corner":
        side = d.choice("corner_side", [-1.0, 1.0])
        x = side * (inner / 2 - 0.33)
        chaise = [
            rounded_box(0.68, 0.75, 0.34 - lift, 0.03, (x, -depth / 2 - 0.3, lift)),
            rounded_box(0.66, 0.95, 0.16, 0.05, (x, -depth / 2 - 0.18, 0.3), bulge=0.03),
        ]
        parts.append(Part(join(chaise), cover))
    return parts


def _arms(kind: str, inner: float, depth: float, arm: float, lift: float) -> Mesh:
    x = inner / 2 + arm / 2
    if kind in ("rolled", "buttoned"):
        radius = 0.12 if kind == "rolled" else 0.13
        top = 0.74 - radius if kind == "buttoned" else 0.56
        roll = (
            lathe([(0, 0), (radius, 0), (radius, depth - 0.06), (0, depth - 0.06)])
            .turn("x", 90)
            .at(x + 0.03, depth / 2 - 0.03, top)
        )
        return both(join([roll, rounded_box(arm, depth - 0.08, top - lift, 0.03, (x, 0, lift))]))
    thin = arm * 0.7 if kind == "slim" else arm
    return both(rounded_box(thin, depth - 0.02, 0.6 - lift, thin * 0.35, (x, -0.01, lift), bulge=0.008))


def _wooden_frame(d: Draw, inner: float, depth: float, high: float) -> list[Part]:
    timber = wood(d.scope("frame"))
    arms = both(
        join(
            [
                box(0.07, depth, 0.035, (inner / 2 + 0.05, 0, 0.6)),
                *[box(0.06, 0.06, 0.6, (inner / 2 + 0.05, s * (depth / 2 - 0.06), 0)) for s in (-1, 1)],
            ]
        )
    )
    rails = [box(inner + 0.1, 0.05, 0.1, (0, s * (depth / 2 - 0.06), 0.2)) for s in (-1, 1)]
    slats = [
        box(0.035, 0.025, high - 0.35, (x, depth / 2 - 0.02, 0.3))
        for x in np.linspace(-inner / 2, inner / 2, int(inner / 0.12))
    ]
    top = box(inner + 0.14, 0.04, 0.07, (0, depth / 2 - 0.02, high - 0.08))
    return [Part(join([arms, *rails, *slats, top, box(inner, depth - 0.1, 0.04, (0, 0, 0.26))]), timber)]


def _cushions(d: Draw, kind: str, seats: int, width: float, cover: Material) -> list[Part]:
    places = (np.arange(seats) - (seats - 1) / 2) * width
    seat = join([rounded_box(width - 0.008, 0.66, 0.16, 0.05, (x, -0.1, 0.31), bulge=0.03) for x in places])
    if kind == "buttoned":
        rows = [
            ball(0.014, (x, 0.135 + 0.006 * k, 0.5 + 0.1 * k))
            for k in range(2)
            for x in np.linspace(-1, 1, 4 * seats) * seats * width * 0.47
        ]
        pad = rounded_box(seats * width, 0.16, 0.34, 0.06, (0, 0.22, 0.4), bulge=0.03)
        return [Part(join([seat, pad, *rows]), cover)]
    tall = d.uniform("cushion_height", 0.38, 0.5)
    back = rounded_box(width - 0.012, 0.18, tall, 0.065, bulge=0.05).turn("x", -d.uniform("lean", 8, 16))
    soft = upholstery(d.scope("soft")) if kind == "wooden" else cover
    return [Part(join([seat, *[back.at(x, 0.21, 0.45) for x in places]]), soft)]


def _throw_pillows(d: Draw, inner: float) -> list[Part]:
    parts: list[Part] = []
    for k in range(d.integer("pillows", 0, 3)):
        one = d.scope(f"pillow{k}")
        pillow = rounded_box(0.42, 0.08, 0.42, 0.04, bulge=0.06).turn("x", -20).turn("z", one.uniform("turn", -25, 25))
        x = (-0.42, 0.4, 0.2)[k] * inner + one.uniform("off", -0.05, 0.05)
        parts.append(Part(pillow.at(x, 0.04, 0.48), cloth(one)))
    return parts
