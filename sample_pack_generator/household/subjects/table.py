"""Tables: four legs, pedestals, trestles, round and square, with or without a cloth and things on top."""

from __future__ import annotations

import numpy as np

from household.clutter import TABLE_THINGS, place
from household.draw import Draw
from household.geometry import Mesh, box, join, sheet
from household.materials import Material, Part, any_metal, metal, rgb
from household.shapes import beam, both, circle, curve, cylinder, four, lathe, rounded_box, tube
from household.subject import Subject
from household.textures import cloth, timber, wood


def table(d: Draw) -> Subject:
    """A table of the kind whose turn it is."""
    kind = d.cycle("kind", ["plain", "pedestal", "plain", "trestle", "coffee", "turned", "round", "metal", "drawer"])
    round_top = kind in ("pedestal", "round")
    height = d.uniform("height", 0.4, 0.48) if kind == "coffee" else d.uniform("height", 0.7, 0.78)
    long = d.uniform("length", 0.85, 1.15) if round_top else d.uniform("length", 1.0, 1.45)
    deep = long if round_top else long * d.uniform("depth", 0.55, 0.75)
    frame = timber(d)
    top = _top_material(d, kind, frame)
    parts = [Part(_top(d, long, deep, height, round_top), top), *_legs(d, kind, long, deep, height, frame)]
    if kind not in ("coffee", "metal") and d.chance("cloth", 0.15):
        parts.append(Part(_cloth(d, long, deep, height, round_top), cloth(d.scope("cloth"))))
    turn = d.uniform("turn", -30, 30)
    turned = tuple(Part(p.mesh.turn("z", turn), p.material) for p in parts)
    return Subject(
        turned, "floor", yaw=(-30, 30), pitch=(10, 26), fill=(0.9, 1.0), companions=tuple(_things(d, long, deep, height))
    )


def _top_material(d: Draw, kind: str, frame: Material) -> Material:
    if kind == "metal" and d.chance("glass", 0.4):
        return Material(rgb("#a9c4c0"), roughness=0.05, specular=0.9)
    return wood(d.scope("top")) if d.chance("other_top", 0.35) else frame


def _top(d: Draw, long: float, deep: float, height: float, round_top: bool) -> Mesh:
    thick = d.uniform("thick", 0.022, 0.045)
    if round_top:
        return cylinder(long / 2, thick, (0, 0, height - thick))
    return rounded_box(long, deep, thick, d.choice("edge", [0.003, 0.012]), (0, 0, height - thick))


def _legs(d: Draw, kind: str, long: float, deep: float, height: float, frame: Material) -> list[Part]:
    if kind == "pedestal":
        return [Part(_pedestal(d, long, height), frame)]
    if kind == "trestle":
        return [Part(_trestle(long, deep, height), frame)]
    if kind == "metal":
        return [Part(_wire(d, long, deep, height), any_metal(d))]
    if kind == "round":
        return [Part(_splayed(d, long, height), frame)]
    thick = d.uniform("leg", 0.05, 0.085)
    x, y = long / 2 - thick * 0.8, deep / 2 - thick * 0.8
    if kind == "turned":
        leg = _turned_leg(thick * 0.62, height - 0.03).at(x, y)
    else:
        taper = d.uniform("taper", 0.55, 1.0)
        leg = beam((x, y, 0), (x, y, height - 0.03), thick * taper, thick)
    deep_apron = 0.16 if kind == "drawer" else d.uniform("apron", 0.05, 0.1)
    apron = [box(2 * x, 0.022, deep_apron, (0, s * y, height - 0.03 - deep_apron)) for s in (-1, 1)]
    apron += [box(0.022, 2 * y, deep_apron, (s * x, 0, height - 0.03 - deep_apron)) for s in (-1, 1)]
    parts = [Part(join([four(leg), *apron]), frame)]
    if kind == "drawer":
        front = both(box(x * 0.86, 0.012, 0.115, (x * 0.48, -y - 0.015, height - 0.175)))
        parts += [
            Part(front, frame),
            Part(both(cylinder(0.016, 0.03).turn("x", 90).at(x * 0.48, -y - 0.02, height - 0.118)), metal()),
        ]
    if kind == "coffee" and d.chance("shelf", 0.5):
        parts.append(Part(box(2 * x, 2 * y, 0.02, (0, 0, 0.12)), frame))
    return parts


def _turned_leg(radius: float, height: float) -> Mesh:
    t = np.linspace(0, 1, 40)
    swell = np.where(t > 0.84, 1.0, 0.62 + 0.3 * np.cos(t * 22) * (t > 0.1) * (t < 0.8) * 0.8 + 0.25 * t)
    return lathe(
        [(0.0, 0.0), *[(float(radius * s), float(z)) for s, z in zip(swell, t * height, strict=True)]], segments=20, smooth=True
    )


def _pedestal(d: Draw, long: float, height: float) -> Mesh:
    """A turned column on three or four curved feet."""
    column = lathe(
        [(0, 0.16), (0.07, 0.16), (0.085, 0.24), (0.05, 0.34), (0.062, 0.45), (0.05, height - 0.1), (0.12, height - 0.03)],
        smooth=True,
    )
    reach = long * 0.36
    feet = [
        tube(
            curve((0.03 * x, 0.03 * y, 0.25), (reach * 0.5 * x, reach * 0.5 * y, 0.24), (reach * x, reach * y, 0.02), count=10),
            [0.045] * 5 + [0.035] * 5,
        )
        for x, y in circle(1.0, d.integer("feet", 3, 4), 20)
    ]
    return join([column, *feet])


def _trestle(long: float, deep: float, height: float) -> Mesh:
    """Two crossed or upright frames joined by a beam."""
    x = long * 0.34
    legs = [beam((x, s * deep * 0.4, 0), (x, -s * deep * 0.3, height - 0.03), 0.065) for s in (-1, 1)]
    frame = both(join([*legs, box(0.07, deep * 0.8, 0.06, (x, 0, height - 0.09))]))
    return join([frame, box(2 * x, 0.04, 0.08, (0, 0, height * 0.45))])


def _wire(d: Draw, long: float, deep: float, height: float) -> Mesh:
    """Square steel legs, or hairpins."""
    x, y = long / 2 - 0.06, deep / 2 - 0.05
    if d.chance("hairpin", 0.5):
        pins = [tube([(x - s * 0.09, y - (1 - s) * 0.09, height - 0.03), (x + 0.02, y + 0.01, 0)], 0.009) for s in (0, 1)]
        return four(join(pins))
    frame = join(
        [box(0.035, 0.035, height - 0.03, (x, s * y, 0)) for s in (-1, 1)]
        + [box(0.035, 2 * y, 0.035, (x, 0, 0)), box(0.035, 2 * y, 0.035, (x, 0, height - 0.065))]
    )
    return join([both(frame), box(2 * x, 0.03, 0.03, (0, y, height - 0.06)), box(2 * x, 0.03, 0.03, (0, -y, height - 0.06))])


def _splayed(d: Draw, long: float, height: float) -> Mesh:
    """Four round legs that lean outwards, under a ring."""
    out = long * d.uniform("splay", 0.36, 0.44)
    legs = [
        tube([(0.26 * long * x, 0.26 * long * y, height - 0.03), (out * x, out * y, 0)], [0.032, 0.018])
        for x, y in circle(1.0, 4, 45)
    ]
    ring = cylinder(0.33 * long, 0.06, (0, 0, height - 0.09))
    return join([*legs, ring])


def _cloth(d: Draw, long: float, deep: float, height: float, round_top: bool) -> Mesh:
    """A cloth that hangs over the edge in folds."""
    drop, count = d.uniform("drop", 0.14, 0.26), 120
    angles = np.linspace(0, 2 * np.pi, count)
    c, s = np.cos(angles), np.sin(angles)
    reach = np.full(count, long / 2) if round_top else 1 / np.maximum(np.abs(c) / (long / 2), np.abs(s) / (deep / 2))
    edge = np.stack([reach * c, reach * s], -1)
    rings = []
    for share, z in (
        (0.02, height + 0.004),
        (0.5, height + 0.004),
        (1.003, height + 0.004),
        (1.012, height - 0.03),
        (1.03, height - drop),
    ):
        wave = 1 + (0.018 * np.sin(16 * angles) if share > 1.02 else 0.0)
        rings.append(
            np.concatenate([edge * share * np.reshape(wave, (-1, 1)) * np.ones((count, 1)), np.full((count, 1), z)], 1)
        )
    grid = np.stack(rings)
    hang = np.maximum(height - grid[..., 2:], 0)
    uv = grid[..., :2] + hang * np.stack([c, s], -1)
    return sheet(grid, uv)


def _things(d: Draw, long: float, deep: float, height: float) -> list[Part]:
    parts: list[Part] = []
    for k in range(d.choice("things", [0, 0, 1, 2])):
        one = d.scope(f"thing{k}")
        x, y = one.uniform("x", -0.28, 0.28) * long, one.uniform("y", -0.22, 0.22) * deep
        parts += place(one.choice("thing", TABLE_THINGS)(one), x, y, height + 0.003)
    return parts
