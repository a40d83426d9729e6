"""Wardrobes: hinged or sliding doors, panels, mirrors, louvres, drawers, an open door with clothes behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, join
from household.materials import CLOTHS, Material, Part, any_metal, paint, shade
from household.shapes import ball, both, cylinder, rounded_box, tube
from household.subject import Subject
from household.textures import timber, weave, wood

DEPTH, SIDE = 0.58, 0.03


def wardrobe(d: Draw) -> Subject:
    """A wardrobe with doors of the kind whose turn it is."""
    kind = d.cycle("kind", ["panels", "plain", "mirror", "panels", "open", "louvres", "sliding", "drawers"])
    doors = d.choice("doors", [2, 2, 3])
    width, height = doors * d.uniform("door_width", 0.48, 0.58), d.uniform("height", 1.75, 2.05)
    base, crown = d.uniform("base", 0.06, 0.14), d.chance("crown", 0.6)
    body = _veneer(timber(d) if d.chance("any_finish", 0.4) else wood(d))
    low = base + (0.42 if kind == "drawers" else 0.0)
    parts = [Part(_carcass(d, width, height, base, crown), body)]
    parts += _drawers(d, width, base, low, body) if kind == "drawers" else []
    parts += _doors(d, kind, doors, width, low + 0.01, height - 0.04, body)
    if kind == "open":
        parts += _inside(d, width, base, height)
    return Subject(tuple(parts), "floor", yaw=(-38, 38), pitch=(1, 12), fill=(0.9, 1.0))


def _veneer(material: Material) -> Material:
    """Upright, large and quiet grain: a lively one drowns the edges of the doors."""
    if material.texture is None:
        return material
    mean = np.array(material.mean(), dtype=np.float32)
    quiet = mean + 0.5 * (material.texture - mean)
    return replace(material, texture=np.ascontiguousarray(quiet.transpose(1, 0, 2)), tile=0.9)


def _carcass(d: Draw, width: float, height: float, base: float, crown: bool) -> Mesh:
    sides = both(box(SIDE, DEPTH, height - base, (width / 2 - SIDE / 2, 0, base)))
    shelves = [box(width - SIDE, DEPTH, SIDE, (0, 0, z)) for z in (base, height - SIDE)]
    back = box(width, 0.015, height - base, (0, DEPTH / 2 - 0.01, base))
    pieces = [sides, *shelves, back]
    if d.chance("plinth", 0.55):
        pieces.append(box(width - 0.02, DEPTH - 0.04, base, (0, 0.01, 0)))
    else:
        pieces += [
            box(0.06, 0.06, base, (sx * (width / 2 - 0.05), sy * (DEPTH / 2 - 0.05), 0)) for sx in (-1, 1) for sy in (-1, 1)
        ]
    if crown:
        pieces += [
            box(width + 0.1, DEPTH + 0.08, 0.035, (0, -0.01, height + 0.045)),
            box(width + 0.05, DEPTH + 0.04, 0.05, (0, -0.005, height)),
        ]
    return join(pieces)


def _doors(d: Draw, kind: str, count: int, width: float, low: float, high: float, body: Material) -> list[Part]:
    wide = width / count
    contrast = _veneer(timber(d.scope("front"))) if kind in ("plain", "sliding") and d.chance("two_tone", 0.4) else body
    metal_ = any_metal(d)
    ajar = d.choice("ajar", [0, 0, 0, 1])
    parts: list[Part] = []
    for k in range(count):
        left = k % 2 == 0 if count == 2 else k != 1
        opened = d.uniform(f"angle{k}", 55, 105) if kind == "open" and k in (0, count - 1) else 0.0
        if ajar and k == 0 and kind != "sliding":
            opened = max(opened, d.uniform("ajar_angle", 8, 20))
        pieces = [*_door(d, kind, k, wide - 0.014, high - low, contrast), Part(_knob(d, wide, high - low, left), metal_)]
        hinge = -1.0 if k < count - 1 or count == 1 else 1.0
        forward = 0.03 if kind == "sliding" and k % 2 else 0.0
        for part in pieces:
            mesh = part.mesh.at(x=-hinge * wide / 2).turn("z", hinge * opened).at(x=hinge * wide / 2)
            parts.append(Part(mesh.at((k + 0.5) * wide - width / 2, -DEPTH / 2 - 0.002 - forward, low), part.material))
    return parts


def _door(d: Draw, kind: str, place: int, w: float, h: float, front: Material) -> list[Part]:
    """One door around x = 0, its back at y = 0, standing on z = 0."""
    leaf = box(w, 0.022, h, (0, -0.011, 0))
    if kind in ("panels", "drawers", "open"):
        rows = d.choice("panel_rows", [1, 2, 2, 3])
        return [Part(join([leaf, *_raised(w, h, rows)]), front)]
    if kind == "louvres":
        slats = [
            box(w * 0.74, 0.012, 0.028, (0, 0, 0)).turn("x", 35).at(y=-0.026, z=z) for z in np.arange(0.12, h - 0.12, 0.042)
        ]
        return [Part(leaf, paint(shade(front.mean(), 0.35))), Part(join([*_border(w, h), *slats]), front)]
    if (kind == "mirror" and (place == 1 or d.chance("all_mirrors", 0.3))) or (kind == "sliding" and place == 0):
        glass = box(w * 0.78, 0.006, h * 0.9, (0, -0.026, h * 0.05))
        return [
            Part(join([leaf, *_border(w, h)]), front),
            Part(glass, Material((0.86, 0.88, 0.9), roughness=0.03, metallic=1.0)),
        ]
    return [Part(leaf, front)] if kind in ("plain", "sliding") else [Part(join([leaf, *_raised(w, h, 2)]), front)]


def _border(w: float, h: float) -> list[Mesh]:
    upright = both(box(w * 0.11, 0.012, h, (w * 0.445, -0.028, 0)))
    return [upright, *[box(w, 0.012, 0.09, (0, -0.028, z)) for z in (0, h - 0.09)]]


def _raised(w: float, h: float, rows: int) -> list[Mesh]:
    shares = {1: (1.0,), 2: (0.45, 0.55), 3: (0.3, 0.3, 0.4)}[rows]
    pieces, z = _border(w, h), 0.09
    for share in shares:
        tall = (h - 0.18) * share
        pieces.append(rounded_box(w * 0.62, 0.02, tall - 0.11, 0.008, (0, -0.024, z + 0.055)))
        pieces.append(box(w * 0.8, 0.012, 0.05, (0, -0.028, z + tall - 0.025)))
        z += tall
    return pieces


def _knob(d: Draw, wide: float, h: float, left: bool) -> Mesh:
    x, z = (1 if left else -1) * wide * 0.4, h * d.uniform("knob_height", 0.45, 0.55)
    if d.chance("bar_handle", 0.4):
        return tube([(x, -0.06, z - 0.15), (x, -0.06, z + 0.15)], 0.013)
    return join([ball(0.03, (x, -0.06, z)), cylinder(0.012, 0.04).turn("x", 90).at(x, -0.022, z)])


def _drawers(d: Draw, width: float, base: float, top: float, body: Material) -> list[Part]:
    tall = (top - base - SIDE) / 2
    fronts = [
        rounded_box(width - 0.02, 0.03, tall - 0.012, 0.006, (0, -DEPTH / 2 - 0.012, base + SIDE + k * tall)) for k in range(2)
    ]
    knobs = [
        ball(0.02, (s * width * 0.25, -DEPTH / 2 - 0.045, base + SIDE + (k + 0.5) * tall)) for k in range(2) for s in (-1, 1)
    ]
    return [Part(join(fronts), body), Part(join(knobs), any_metal(d))]


def _inside(d: Draw, width: float, base: float, height: float) -> list[Part]:
    """A rail with clothes, a shelf with folded things."""
    rail = tube([(-width / 2, 0, height - 0.3), (width / 2, 0, height - 0.3)], 0.012)
    parts = [Part(rail, any_metal(d)), Part(box(width - 0.06, 0.5, 0.02, (0, 0, height - 0.22)), paint((0.8, 0.75, 0.68)))]
    rng = d.rng("clothes")
    for x in np.arange(-width / 2 + 0.1, width / 2 - 0.08, 0.075):
        colour = CLOTHS[int(rng.integers(len(CLOTHS)))]
        tall = float(rng.uniform(0.6, 1.05))
        coat = rounded_box(0.055, 0.42, tall, 0.025, (float(x), -0.03, height - 0.32 - tall), bulge=0.01)
        parts.append(Part(coat, Material(colour, weave(rng, colour), tile=0.4, roughness=0.95)))
    return parts + [
        Part(box(0.35, 0.35, 0.12, (s * width * 0.22, -0.03, base + 0.04)), paint(CLOTHS[int(rng.integers(12))]))
        for s in (-1, 1)
    ]
