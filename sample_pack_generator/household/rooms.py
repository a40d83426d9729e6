"""Where a subject stands: a studio sweep, a room, or a desk before a wall."""

from __future__ import annotations

import numpy as np

from household.clutter import DESK_THINGS, FLOOR_THINGS, place
from household.draw import Draw
from household.geometry import bounds, box, decal, join, sheet
from household.materials import WOODS, Colour, Material, Part, decal_of, distinct, glow, hue, mix, paint, rgb
from household.prints import painting
from household.subject import Subject
from household.textures import blend, cloth, floor_tiles, noise, plank_floor, stripes, weave, wood

WALLS = (
    rgb("#efe9dd"), rgb("#e3d6bd"), rgb("#c9d3d6"), rgb("#d7c3b5"), rgb("#b9c4ae"), rgb("#8fa0ac"),
    rgb("#c7b4c4"), rgb("#d8b98a"), rgb("#f3f1ee"), rgb("#9c6b55"), rgb("#5f6b73"),
)  # fmt: skip
BACKDROPS = (rgb("#ffffff"), rgb("#ffffff"), rgb("#f4f4f4"), rgb("#d9dde2"), rgb("#e8dcc8"), rgb("#b9c9d8"), rgb("#8c8f96"))


def surroundings(d: Draw, subject: Subject) -> list[Part]:
    """All parts around the subject, by where it belongs and by chance."""
    if subject.place == "wall":
        return _on_wall(d, subject)
    setting = d.choice("setting", ["studio", "studio", "room", "room", "room"])
    if setting == "studio":
        return _studio(d, subject)
    return _room(d, subject) if subject.place == "floor" else _desk(d, subject)


def _studio(d: Draw, subject: Subject) -> list[Part]:
    low, high = subject.bounds()
    reach = float(max(high - low))
    colour = d.choice("backdrop", distinct(BACKDROPS, subject.colour(), 0.4))
    bend = np.linspace(0, np.pi / 2, 12)
    radius, start = reach, float(high[1]) + 0.6 * reach
    y = np.concatenate([[-30 * reach], start + radius * np.sin(bend), [start + radius]])
    z = np.concatenate([[0.0], radius * (1 - np.cos(bend)), [30 * reach]])
    rows = [np.stack([np.full(len(y), x), y, z], -1) for x in (-40 * reach, 40 * reach)]
    return [Part(sheet(np.stack(rows)), paint(colour, 0.9, 0.05))]


def _wall_material(d: Draw, before: Colour) -> Material:
    """A wall that the colour before it stands out from."""
    colour = d.choice("wall", distinct(WALLS, before, 0.35))
    kind = d.choice("wall_kind", ["plain", "plain", "striped", "mottled"])
    if kind == "striped":
        return Material(colour, stripes(d.rng("wallpaper"), colour, mix(colour, (1, 1, 1), 0.35), 6), tile=0.9, roughness=0.9)
    if kind == "mottled":
        return Material(
            colour, blend(colour, mix(colour, (0, 0, 0), 0.07), noise(d.rng("plaster"), (9, 9))), tile=2.5, roughness=0.9
        )
    return paint(colour, 0.9, 0.1)


def _floor_material(d: Draw) -> Material:
    kind = d.choice("floor", ["planks", "planks", "carpet", "tiles"])
    rng = d.rng("floor_texture")
    if kind == "planks":
        return Material(texture=plank_floor(rng, d.choice("planks", WOODS)), tile=0.9, roughness=0.35)
    if kind == "carpet":
        colour = hue(
            d.uniform("carpet_hue", 0, 360), d.uniform("carpet_depth", 0.03, 0.25), d.uniform("carpet_light", 0.35, 0.65)
        )
        return Material(texture=weave(rng, colour), tile=0.5, roughness=1.0, specular=0.0)
    return Material(
        texture=floor_tiles(rng, rgb("#d9d2c6"), d.choice("tiles", [rgb("#a58f78"), rgb("#5a5d61"), rgb("#cfc6b6")])),
        tile=1.6,
        roughness=0.25,
    )


def _room(d: Draw, subject: Subject) -> list[Part]:
    low, high = subject.bounds()
    gap = d.uniform("gap", 0.02, 0.8)
    wall_y = float(high[1]) + gap
    side = d.choice("corner_side", [-1.0, 1.0])
    edge = max(abs(float(low[0])), abs(float(high[0])))
    parts = [Part(box(24, 24, 0.1, (0, wall_y - 12, -0.1)), _floor_material(d))]
    parts += _back_wall(d, subject, wall_y)
    if d.chance("corner", 0.35):
        x = side * (edge + d.uniform("corner_gap", 0.9, 1.8))
        parts.append(Part(box(0.1, 2.2, 3.4, (x + side * 0.05, wall_y - 1.1, 0)), _wall_material(d, subject.colour())))
    if d.chance("rug", 0.3):
        half = 0.5 * float(high[0] - low[0]) + 0.5
        parts.append(Part(box(2 * half, 1.7, 0.012, (0, float(low[1] + high[1]) / 2 - 0.3, 0)), cloth(d.scope("rug"))))
    return parts + _wall_things(d, wall_y, edge, float(high[2])) + _floor_clutter(d, subject, wall_y)


def _back_wall(d: Draw, subject: Subject, wall_y: float) -> list[Part]:
    skirting = box(24, 0.02, d.uniform("skirting", 0.06, 0.14), (0, wall_y - 0.01, 0))
    return [
        Part(box(24, 0.1, 5.0, (0, wall_y + 0.05, 0)), _wall_material(d, subject.colour())),
        Part(skirting, paint(rgb("#f2efe8"))),
    ]


def _wall_things(d: Draw, wall_y: float, edge: float, top: float) -> list[Part]:
    kind = d.choice("on_wall", ["nothing", "painting", "window", "curtain"])
    side = d.choice("on_wall_side", [-1.0, 1.0])
    if kind == "painting" and top < 1.5:
        return _picture_frame(d, side * 0.3 * edge, wall_y, max(1.55, top + 0.5))
    if kind == "window":
        return _window(side * (edge + 0.55), wall_y)
    if kind == "curtain":
        return _curtain(d, side * (edge + 0.45), wall_y)
    return []


def _picture_frame(d: Draw, x: float, wall_y: float, z: float) -> list[Part]:
    w, h = d.uniform("frame_width", 0.4, 0.8), d.uniform("frame_height", 0.35, 0.6)
    picture = decal(w - 0.08, h - 0.08).at(x, wall_y - 0.032, z)
    return [Part(box(w, 0.03, h, (x, wall_y - 0.015, z - h / 2)), wood(d.scope("frame"))), Part(picture, decal_of(painting(d)))]


def _window(x: float, wall_y: float) -> list[Part]:
    bars = [box(0.9, 0.05, 0.05, (x, wall_y - 0.02, z)) for z in (0.9, 1.5, 2.1)]
    bars += [box(0.05, 0.05, 1.25, (x + dx, wall_y - 0.02, 0.9)) for dx in (-0.43, 0, 0.43)]
    return [
        Part(join(bars), paint(rgb("#f5f5f2"))),
        Part(decal(0.86, 1.2).at(x, wall_y - 0.005, 1.52), glow(rgb("#e6f0ff"), 1.3)),
    ]


def _curtain(d: Draw, x: float, wall_y: float) -> list[Part]:
    u = np.linspace(0, 1, 60)
    wave = wall_y - 0.08 + 0.035 * np.sin(u * 2 * np.pi * 6)
    rows = [np.stack([x - 0.3 + 0.6 * u, wave, np.full(60, z)], -1) for z in (0.03, 2.6)]
    return [Part(sheet(np.stack(rows)), cloth(d.scope("curtain")))]


def _floor_clutter(d: Draw, subject: Subject, wall_y: float) -> list[Part]:
    low, high = subject.bounds()
    parts: list[Part] = []
    tall = float(high[2])
    if d.chance("beside", 0.45):
        one = d.scope("beside_thing")
        side = one.choice("side", [-1.0, 1.0])
        size = min(1.3, 0.75 * tall + 0.2)
        x = float(high[0] if side > 0 else low[0]) + side * one.uniform("off", 0.25, 0.5) * (0.5 + size / 2)
        parts += place(one.choice("thing", FLOOR_THINGS)(one), x, min(wall_y - 0.35, one.uniform("y", 0.0, 0.4)), size=size)
    if d.chance("before", 0.3):
        one = d.scope("before_thing")
        side = one.choice("side", [-1.0, 1.0])
        x = side * one.uniform("x", 0.3, 0.55) * float(high[0] - low[0])
        parts += place(one.choice("thing", FLOOR_THINGS[1:])(one), x, float(low[1]) - 0.25, size=0.3 * tall + 0.25)
    return parts


def _desk(d: Draw, subject: Subject) -> list[Part]:
    low, high = subject.bounds()
    reach = float(max(high - low))
    top = wood(d.scope("desk")) if d.chance("wooden_desk", 0.75) else paint(d.choice("desk_paint", WALLS), 0.4)
    wall_y = float(high[1]) + 0.24 + d.uniform("desk_gap", 0.0, 1.0) * reach
    parts = [Part(box(30 * reach, 30 * reach, 0.05, (0, wall_y - 15 * reach, -0.05)), top)]
    parts.append(Part(box(30 * reach, 0.1, 20 * reach, (0, wall_y + 0.05, 0)), _wall_material(d, subject.colour())))
    for k in range(d.integer("desk_things", 0, 2)):
        parts += _desk_thing(d.scope(f"desk_thing{k}"), subject, 1.0 if k else -1.0, wall_y)
    return parts


def _desk_thing(d: Draw, subject: Subject, side: float, wall_y: float) -> list[Part]:
    low, high = subject.bounds()
    edge = float(high[0] if side > 0 else low[0])
    behind = d.chance("behind", 0.6)
    thing = d.choice("thing", DESK_THINGS)(d)
    tall = float(bounds(part.mesh for part in thing)[1][2])
    thing = place(thing, 0, 0, size=min(1.0, (1.0 if behind else 0.6) * float(high[2]) / tall))
    left, right = bounds(part.mesh for part in thing)
    wide, deep = float(right[0] - left[0]) / 2, float(right[1] - left[1]) / 2
    y = float(high[1]) if behind else float(low[1]) * 0.6
    x = edge + side * (d.uniform("off", -0.3, 0.6) if behind else d.uniform("off", 0.95, 1.5)) * wide
    return place(thing, x, min(y + deep, wall_y - deep))


def _on_wall(d: Draw, subject: Subject) -> list[Part]:
    low, high = subject.bounds()
    reach = float(max(high - low))
    parts = [Part(box(40 * reach, 0.1, 40 * reach, (0, 0.05, -20 * reach)), _wall_material(d, subject.colour()))]
    if d.chance("shelf_below", 0.3):
        z = float(low[2]) - 0.12 * reach
        parts.append(
            Part(box(2.5 * reach, 0.3 * reach, 0.05 * reach, (0, -0.15 * reach, z - 0.05 * reach)), wood(d.scope("shelf")))
        )
    return parts
