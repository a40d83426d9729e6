"""Chairs: wooden, ladder-back, spindle-back, upholstered, armchairs, shells, office and folding chairs."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, join, sheet
from household.materials import Part, any_metal, hue, metal, plastic, rgb
from household.shapes import ball, beam, both, circle, curve, cylinder, four, rounded_box, tube
from household.subject import Subject
from household.textures import timber, upholstery, wood


def chair(d: Draw) -> Subject:
    """A chair of the kind whose turn it is, standing alone."""
    kind = d.cycle("kind", ["slat", "armchair", "shell", "office", "ladder", "padded", "spindle", "folding", "tube"])
    builders = {
        "armchair": _armchair,
        "shell": _shell,
        "office": _office,
        "spindle": _spindle,
        "folding": _folding,
        "tube": _tube_chair,
    }
    parts = builders[kind](d) if kind in builders else _dining(d, kind)
    turn = d.uniform("turn", -25, 25)
    return Subject(
        tuple(Part(p.mesh.turn("z", turn), p.material) for p in parts), "floor", yaw=(-42, 42), pitch=(6, 24), fill=(0.86, 0.98)
    )


def _dining(d: Draw, kind: str) -> list[Part]:
    """Four legs, a seat, and a back of upright slats, cross-pieces or a pad."""
    w, depth, seat, high = d.uniform("width", 0.42, 0.48), 0.43, d.uniform("seat", 0.43, 0.47), d.uniform("height", 0.85, 1.05)
    frame = timber(d)
    thick = d.uniform("leg", 0.032, 0.045)
    lean = d.uniform("lean", 0.04, 0.1)
    x, back = w / 2 - thick / 2, depth / 2
    legs = [beam((s * x, -back, 0), (s * x, -back, seat), thick * 0.75, thick) for s in (-1, 1)]
    legs += [beam((s * x, back + 0.03, 0), (s * x, back, seat), thick * 0.8, thick) for s in (-1, 1)]
    posts = [beam((s * x, back, seat), (s * x, back + lean, high), thick, thick * 0.8) for s in (-1, 1)]
    apron = [box(w - thick, 0.02, 0.06, (0, s * back, seat - 0.06)) for s in (-1, 1)]
    apron += [box(0.02, depth, 0.06, (s * x, 0, seat - 0.06)) for s in (-1, 1)]
    wooden = [*legs, *posts, *apron, *_back(d, kind, x, seat, high, back, lean)]
    if d.chance("stretchers", 0.5):
        wooden += [beam((s * x, -back, 0.18), (s * x, back, 0.18), 0.02) for s in (-1, 1)]
    return [Part(join(wooden), frame), *_seat(d, kind, w, depth, seat), *_pad(d, kind, w, seat, high, back, lean)]


def _back(d: Draw, kind: str, x: float, seat: float, high: float, back: float, lean: float) -> list[Mesh]:
    def at(z: float) -> float:
        return back + lean * (z - seat) / (high - seat)

    if kind == "ladder":
        count = d.integer("rungs", 2, 4)
        return [_bowed(2 * x, 0.055).at(y=at(z), z=z) for z in np.linspace(seat + 0.16, high - 0.05, count)]
    top = _bowed(2 * x + 0.03, 0.075).at(y=at(high - 0.05), z=high - 0.05)
    if kind == "padded":
        return [top]
    low = _bowed(2 * x, 0.04).at(y=at(seat + 0.12), z=seat + 0.12)
    places = np.linspace(-x, x, d.integer("slats", 4, 7) + 2)[1:-1]
    slats = [beam((s, at(seat + 0.12) + 0.012, seat + 0.12), (s, at(high - 0.06) + 0.012, high - 0.06), 0.024) for s in places]
    return [top, low, *slats]


def _bowed(width: float, height: float) -> Mesh:
    """A cross-piece bent backwards in its middle, seen from both sides."""
    x = np.linspace(-width / 2, width / 2, 12)
    y = 0.03 * (1 - (2 * x / width) ** 2)
    front = [np.stack([x, y - 0.009, np.full(12, z)], -1) for z in (-height / 2, height / 2)]
    back = [np.stack([x, y + 0.009, np.full(12, z)], -1) for z in (-height / 2, height / 2)]
    return join(
        [
            sheet(np.stack(front)),
            sheet(np.stack(back)),
            sheet(np.stack([front[1], back[1]])),
            sheet(np.stack([front[0], back[0]])),
        ]
    )


def _seat(d: Draw, kind: str, w: float, depth: float, seat: float) -> list[Part]:
    if kind == "padded" or d.chance("soft_seat", 0.4):
        return [Part(rounded_box(w, depth + 0.02, 0.06, 0.025, (0, -0.01, seat), bulge=0.02), upholstery(d.scope("seat")))]
    return [Part(rounded_box(w + 0.02, depth + 0.03, 0.025, 0.01, (0, -0.01, seat)), wood(d.scope("seat")))]


def _pad(d: Draw, kind: str, w: float, seat: float, high: float, back: float, lean: float) -> list[Part]:
    if kind != "padded":
        return []
    tall = high - seat - 0.1
    pad = rounded_box(w * 0.94, 0.06, tall, 0.025, bulge=0.02).turn("x", -np.degrees(np.arctan2(lean, high - seat)))
    return [Part(pad.at(y=back - 0.01, z=seat + 0.1), upholstery(d.scope("seat")))]


def _armchair(d: Draw) -> list[Part]:
    """An easy chair: one wide seat, arms and a high back."""
    w, depth, seat = d.uniform("width", 0.76, 0.9), 0.8, 0.4
    high, arm = d.uniform("height", 0.85, 1.05), d.uniform("arm", 0.12, 0.18)
    cover, inner = upholstery(d), w - 2 * arm
    base = rounded_box(w - 0.04, depth - 0.06, 0.2, 0.03, (0, 0, 0.1))
    cushion = rounded_box(inner, depth - 0.2, 0.17, 0.05, (0, -0.08, 0.28), bulge=0.03)
    arms = both(rounded_box(arm, depth - 0.04, 0.5, arm * 0.45, (w / 2 - arm / 2, -0.02, 0.1), bulge=0.01))
    back = (
        rounded_box(w - 0.06, 0.2, high - 0.15, 0.08, bulge=0.02)
        .turn("x", -d.uniform("lean", 6, 14))
        .at(y=depth / 2 - 0.12, z=0.15)
    )
    pillow = (
        rounded_box(inner * 0.98, 0.16, high - seat - 0.1, 0.06, bulge=0.045)
        .turn("x", -12)
        .at(y=depth / 2 - 0.28, z=seat + 0.03)
    )
    legs = four(tube([(w / 2 - 0.1, depth / 2 - 0.1, 0.12), (w / 2 - 0.07, depth / 2 - 0.07, 0)], [0.026, 0.015]))
    return [Part(join([base, cushion, arms, back, pillow]), cover), Part(legs, wood(d.scope("legs")))]


def _shell(d: Draw) -> list[Part]:
    """A moulded shell on wire or wooden legs."""
    colour = d.choice(
        "shell",
        [rgb("#f0efea"), rgb("#c5302a"), rgb("#1d1e21"), rgb("#2f6f8f"), rgb("#d9a12c"), rgb("#5f8a62"), rgb("#c9703a")],
    )
    v = np.linspace(0, 1, 26)
    profile = curve((0, -0.27, 0.42), (0, -0.05, 0.46), (0, 0.22, 0.36), (0, 0.2, 0.62), (0, 0.3, 0.86), count=26)
    half = np.interp(v, [0, 0.3, 0.55, 0.8, 1], [0.2, 0.25, 0.26, 0.23, 0.16])
    u = np.linspace(-1, 1, 21)
    lift = np.interp(v, [0, 0.4, 0.6, 1], [0.02, 0.09, 0.07, 0.0])
    push = np.interp(v, [0, 0.4, 0.7, 1], [0.0, 0.03, 0.1, 0.05])
    x = half[:, None] * u
    y = profile[:, 1][:, None] - push[:, None] * u**2
    z = profile[:, 2][:, None] + lift[:, None] * u**2
    skin = sheet(np.stack([x, y, z], -1))
    inside = skin.at(z=-0.008, y=0.006)
    legs = four(tube([(0.1, 0.1, 0.41), (0.23, 0.22, 0.0)], [0.016, 0.011]))
    steel = metal() if d.chance("wire", 0.4) else wood(d)
    braces = join([tube([(s * 0.14, -0.14, 0.33), (-s * 0.14, 0.14, 0.33)], 0.006) for s in (-1, 1)])
    return [Part(join([skin, inside]), plastic(colour, 0.35)), Part(legs, steel), Part(braces, metal(rgb("#2b2b2d")))]


def _office(d: Draw) -> list[Part]:
    """A swivel chair: five-star foot with castors, gas spring, padded seat and back, often arms."""
    pad = upholstery(d)
    black = plastic(rgb("#1c1d1f"), 0.35)
    feet = [(0.3 * x, 0.3 * y) for x, y in circle(1.0, 5, d.uniform("star", 0, 72))]
    star = join([beam((0, 0, 0.12), (x, y, 0.07), 0.055, 0.03) for x, y in feet])
    castors = join([ball(0.032, (x, y, 0.032)) for x, y in feet])
    stem = cylinder(0.028, 0.36, (0, 0, 0.1))
    seat = rounded_box(0.5, 0.48, 0.09, 0.04, (0, 0, 0.45), bulge=0.025)
    tall = d.uniform("back_height", 0.42, 0.66)
    back = rounded_box(0.46, 0.08, tall, 0.035, bulge=0.03).turn("x", -d.uniform("lean", 5, 12)).at(y=0.24, z=0.58)
    spine = tube(curve((0, 0.1, 0.44), (0, 0.32, 0.42), (0, 0.3, 0.5), (0, 0.32, 0.75)), 0.022)
    parts = [
        Part(join([seat, back]), pad),
        Part(join([star, stem]), any_metal(d) if d.chance("steel", 0.5) else black),
        Part(join([castors, spine]), black),
    ]
    if d.chance("arms", 0.7):
        rest = rounded_box(0.06, 0.26, 0.03, 0.012, (0.29, 0.02, 0.68))
        post = tube([(0.2, 0.02, 0.46), (0.29, 0.02, 0.5), (0.29, 0.02, 0.69)], 0.014)
        parts.append(Part(both(join([rest, post])), black))
    return parts


def _spindle(d: Draw) -> list[Part]:
    """A Windsor chair: turned legs, a hoop and thin spindles."""
    frame = timber(d)
    seat = rounded_box(0.47, 0.43, 0.04, 0.018, (0, 0, 0.43))
    legs = four(tube([(0.15, 0.13, 0.44), (0.19, 0.18, 0.22), (0.23, 0.22, 0.0)], [0.016, 0.022, 0.013]))
    bars = join(
        [tube([(s * 0.19, -0.175, 0.2), (s * 0.19, 0.175, 0.2)], 0.011) for s in (-1, 1)]
        + [tube([(-0.19, 0, 0.2), (0.19, 0, 0.2)], 0.011)]
    )
    high, lean = d.uniform("height", 0.95, 1.08), 0.12
    angles = np.linspace(0, np.pi, 24)
    z = 0.46 + (high - 0.46) * np.sin(angles) ** 0.8
    hoop = tube(np.stack([0.21 * np.cos(angles) * (1 + 0.15 * np.sin(angles)), 0.17 + lean * (z - 0.46) / 0.5, z], -1), 0.014)
    spindles = []
    for x in np.linspace(-0.16, 0.16, d.integer("spindles", 5, 8)):
        top = 0.46 + (high - 0.46) * (1 - (x / 0.235) ** 2) ** 0.4
        spindles.append(tube([(x * 0.9, 0.17, 0.46), (x, 0.17 + lean * (top - 0.46) / 0.5, top)], 0.008))
    return [Part(join([seat, legs, bars, hoop, *spindles]), frame)]


def _folding(d: Draw) -> list[Part]:
    """A folding chair: crossed legs at each side, slatted seat and back."""
    frame = timber(d)
    w, high = 0.44, 0.84
    sides = both(
        join(
            [
                beam((w / 2, -0.24, 0), (w / 2, 0.24, high), 0.032),
                beam((w / 2 - 0.035, 0.3, 0), (w / 2 - 0.035, -0.2, 0.46), 0.03),
            ]
        )
    )
    seat = [box(w - 0.02, 0.065, 0.02, (0, y, 0.44)) for y in np.linspace(-0.2, 0.13, 5)]
    back = [box(w + 0.02, 0.02, 0.06, (0, 0.1 + 0.14 * k / 3 + 0.04, 0.56 + 0.082 * k)) for k in range(4)]
    slats = timber(d.scope("slats")) if d.chance("two_tone", 0.3) else frame
    colour = hue(d.uniform("hue", 0, 360), 0.6, 0.6)
    painted = plastic(colour) if d.chance("coloured", 0.25) else slats
    return [Part(sides, frame), Part(join([*seat, *back]), painted)]


def _tube_chair(d: Draw) -> list[Part]:
    """A cantilever chair: one bent steel tube, seat and back of cloth or cane."""
    w = 0.25
    side = np.concatenate([
        curve((w, 0.24, 0.02), (w, -0.27, 0.0), (w, -0.3, 0.02), count=8),
        curve((w, -0.28, 0.05), (w, -0.25, 0.44), (w, -0.23, 0.46), count=8),
        curve((w, -0.1, 0.45), (w, 0.24, 0.42), (w, 0.26, 0.5), count=8),
        curve((w, 0.28, 0.6), (w, 0.34, 0.9), count=4),
    ])  # fmt: skip
    rods = both(tube(side, 0.014))
    cross = join([tube([(-w, 0.24, 0.02), (w, 0.24, 0.02)], 0.014), tube([(-w, 0.34, 0.9), (w, 0.34, 0.9)], 0.012)])
    seat = rounded_box(0.48, 0.44, 0.05, 0.02, (0, -0.01, 0.44), bulge=0.01)
    back = rounded_box(0.48, 0.04, 0.3, 0.018, bulge=0.01).turn("x", -12).at(y=0.285, z=0.6)
    cover = wood(d) if d.chance("plywood", 0.35) else upholstery(d)
    return [Part(join([rods, cross]), metal(roughness=0.15)), Part(join([seat, back]), cover)]
