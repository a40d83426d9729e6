"""Lamps: table lamps with turned bases, floor lamps, desk lamps with an arm, stained-glass lamps."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Floats, Mesh, box, join
from household.materials import Colour, Material, Part, any_metal, glow, hue, metal, plastic, rgb
from household.prints import stained_glass
from household.shapes import ball, beam, circle, cylinder, lathe, tube
from household.subject import Subject
from household.textures import cloth_texture, tint, wood

SHADES = (
    rgb("#f3ead6"),
    rgb("#efe0bd"),
    rgb("#f5f3ee"),
    rgb("#c98b4a"),
    rgb("#9c3030"),
    rgb("#2f5f86"),
    rgb("#4c6b50"),
    rgb("#26262a"),
    rgb("#d8b9a0"),
)


def lamp(d: Draw) -> Subject:
    """A lamp of the kind whose turn it is."""
    kind = d.cycle("kind", ["table", "desk", "table", "floor", "glass", "table", "desk", "floor"])
    return {"table": _table_lamp, "desk": _desk_lamp, "floor": _floor_lamp, "glass": _glass_lamp}[kind](d)


def _dim(d: Draw) -> float:
    """Day or evening."""
    return 0.35 if d.chance("evening", 0.4) else 1.0


def _shade_material(d: Draw) -> Material:
    """Cloth, unlit or lit from within: brighter towards the bulb's height."""
    colour = d.choice("shade_colour", SHADES)
    if d.chance("lit", 0.6) and sum(colour) > 0.6:
        rows = np.linspace(0, 1, 256)[:, None]
        glowing = np.tile(0.72 + 0.28 * np.sin(np.pi * rows), (1, 8))
        warm = (min(1.0, colour[0] * 1.05), colour[1] * 0.92, colour[2] * 0.72)
        return glow(warm, d.uniform("glow", 1.1, 2.0), tint(warm, glowing))
    return Material(colour, cloth_texture(d, colour, plain=d.chance("plain_shade", 0.7)), tile=0.3, roughness=0.9, specular=0.1)


def _shade(bottom: float, top: float, height: float, bell: bool, pleats: int = 0) -> Mesh:
    """A shade open at both ends, its lower rim on z = 0, texture once around and once up."""
    t = np.linspace(0, 1, 12)
    radius = bottom + (top - bottom) * (t**0.45 if bell else t)
    mesh = lathe([(float(r), float(z)) for r, z in zip(radius, t * height, strict=True)], segments=96, smooth=True)
    angle = np.arctan2(mesh.vertices[:, 1], mesh.vertices[:, 0])
    wave = 1 + 0.02 * np.cos(pleats * angle) if pleats else np.ones(len(angle))
    points = mesh.vertices * np.stack([wave, wave, np.ones(len(angle))], -1)
    uv = np.stack([angle / (2 * np.pi) + 0.5, mesh.vertices[:, 2] / height], -1)
    return Mesh(points, mesh.normals, uv, mesh.faces)


def _fitted(mesh: Mesh, material: Material, around: float, height: float) -> Part:
    """The shade with its texture stretched over it once if it glows, else in metres."""
    if material.emission:
        return Part(mesh, Material(material.colour, material.texture, emission=material.emission))
    return Part(Mesh(mesh.vertices, mesh.normals, mesh.uv * [around, height], mesh.faces), material)


def _base_profile(d: Draw, height: float) -> list[tuple[float, float]]:
    wide = height * d.uniform("base_width", 0.2, 0.34)
    style = d.choice("base", ["vase", "ball", "column", "turned", "bottle"])
    t = np.linspace(0, 1, 24)
    swell = {
        "vase": 0.35 + 0.65 * np.sin(np.pi * t**0.75) ** 1.3 - 0.1 * t,
        "ball": np.where(t < 0.12, 0.6, np.where(t < 0.72, np.sqrt(np.maximum(0, 1 - ((t - 0.42) / 0.34) ** 2)) + 0.12, 0.14)),
        "column": np.where(t < 0.07, 1.0, np.where(t < 0.12, 0.7, 0.26)),
        "turned": np.where(t < 0.06, 0.95, 0.3 + 0.2 * np.cos(t * 19) * (1 - t) + 0.15 * (1 - t)),
        "bottle": np.where(t < 0.55, 0.75, np.maximum(0.16, 0.75 - (t - 0.55) * 3.2)),
    }[style]
    return [
        (0.0, 0.0),
        *[(float(max(0.02, wide * s)), float(z)) for s, z in zip(swell, t * height, strict=True)],
        (0.0, height),
    ]


def _base_material(d: Draw) -> Material:
    kind = d.choice("base_kind", ["ceramic", "ceramic", "wood", "metal"])
    if kind == "wood":
        return wood(d)
    if kind == "metal":
        return any_metal(d)
    return plastic(
        hue(d.uniform("base_hue", 0, 360), d.uniform("base_depth", 0.1, 0.75), d.uniform("base_light", 0.3, 0.9)), 0.12
    )


def _table_lamp(d: Draw) -> Subject:
    height = d.uniform("base_height", 0.24, 0.34)
    profile = _base_profile(d, height)
    widest = max(r for r, _ in profile)
    bottom = max(widest * 1.25, d.uniform("shade_width", 0.15, 0.22))
    tall = d.uniform("shade_height", 0.17, 0.25)
    shape = d.choice("shade", ["cone", "drum", "bell", "cone"])
    top = bottom * {"cone": d.uniform("taper", 0.4, 0.65), "drum": 0.92, "bell": 0.4}[shape]
    cover = _shade(bottom, top, tall, shape == "bell", d.choice("pleats", [0, 0, 40])).at(z=height + 0.01)
    neck = cylinder(0.008, height + 0.1)
    bulb = ball(0.03, (0, 0, height + tall * 0.45))
    parts = (
        Part(lathe(profile, smooth=True), _base_material(d)),
        Part(neck, any_metal(d)),
        Part(bulb, glow(rgb("#fff0d0"), 2.0)),
        _fitted(cover, _shade_material(d), 2 * np.pi * bottom, tall),
    )
    return Subject(parts, "desk", yaw=(-30, 30), pitch=(-2, 14), fill=(0.82, 0.97), dim=_dim(d))


def _glass_lamp(d: Draw) -> Subject:
    """A leaded-glass shade on a bronze foot."""
    height = d.uniform("base_height", 0.26, 0.36)
    colour = hue(d.choice("glass_hue", [30, 45, 110, 200, 350]), 0.75, 0.9)
    foot = [
        (0, 0),
        (0.1, 0),
        (0.09, 0.02),
        (0.03, 0.04),
        (0.016, 0.1),
        (0.024, height * 0.5),
        (0.014, height * 0.7),
        (0.012, height),
        (0, height),
    ]
    cover = _shade(0.23, 0.04, 0.15, True).at(z=height - 0.02)
    picture = stained_glass(d, colour)
    lit = d.uniform("glow", 0.9, 1.5) if d.chance("lit", 0.7) else 0.0
    parts = (
        Part(lathe(foot, smooth=True), metal(rgb("#4a3a28"), 0.35)),
        Part(cover, Material(texture=picture, roughness=0.2, emission=lit)),
        Part(ball(0.03, (0, 0, height + 0.13)), metal(rgb("#4a3a28"), 0.35)),
    )
    return Subject(parts, "desk", yaw=(-30, 30), pitch=(-2, 12), fill=(0.85, 0.97), dim=_dim(d))


def _floor_lamp(d: Draw) -> Subject:
    height = d.uniform("height", 1.05, 1.35)
    bottom, tall = d.uniform("shade_width", 0.24, 0.34), d.uniform("shade_height", 0.3, 0.42)
    cover = _shade(bottom, bottom * d.uniform("taper", 0.5, 0.95), tall, False).at(z=height)
    steel = any_metal(d) if d.chance("steel", 0.6) else wood(d)
    if d.chance("tripod", 0.4):
        feet = [(0.38 * x, 0.38 * y, 0.0) for x, y in circle(1.0, 3, -90)]
        stand = join([beam(foot, (foot[0] * 0.06, foot[1] * 0.06, height), 0.035, 0.028) for foot in feet])
    else:
        stand = join([cylinder(0.19, 0.03), cylinder(0.018, height)])
    bulb = ball(0.05, (0, 0, height + tall * 0.45))
    parts = (
        Part(stand, steel),
        Part(tube([(0, 0, height - 0.02), (0, 0, height + tall * 0.4)], 0.012), steel),
        Part(bulb, glow(rgb("#fff0d0"), 2.0)),
        _fitted(cover, _shade_material(d), 2 * np.pi * bottom, tall),
    )
    return Subject(parts, "floor", yaw=(-25, 25), pitch=(0, 10), fill=(0.9, 0.98), dim=_dim(d))


def _desk_lamp(d: Draw) -> Subject:
    """Foot, two jointed arms in the plane of the picture, a cone for a head."""
    colour: Colour = d.choice(
        "enamel",
        [rgb("#1c1d20"), rgb("#c03028"), rgb("#f0f0ee"), rgb("#2f6fa8"), rgb("#3f8a5a"), rgb("#d9a520"), rgb("#8b8f96")],
    )
    enamel = plastic(colour, 0.2)
    side = d.choice("side", [-1.0, 1.0])
    elbow: Floats = np.array([-side * d.uniform("elbow_x", 0.04, 0.12), 0, d.uniform("elbow_z", 0.2, 0.27)])
    wrist = elbow + np.array([side * d.uniform("reach", 0.14, 0.22), 0, d.uniform("rise", 0.04, 0.13)])
    lower = tube([(0, 0, 0.02), elbow], 0.008)
    upper = tube([elbow, wrist], 0.008)
    joints = join([ball(0.014, tuple(p)) for p in (np.array([0, 0, 0.025]), elbow, wrist)])
    foot = cylinder(0.085, 0.022, top=0.075) if d.chance("round_foot", 0.7) else box(0.15, 0.12, 0.02)
    lean = side * -d.uniform("lean", 20, 50)
    head = _head(d).turn("y", lean).at(*wrist)
    bulb = ball(0.034, (0, 0, -0.075)).turn("y", lean).at(*wrist)
    steel = metal() if d.chance("steel_arms", 0.5) else enamel
    light = glow(rgb("#fff3d6"), d.uniform("glow", 3.0, 6.0))
    parts = (Part(join([foot, head]), enamel), Part(join([lower, upper, joints]), steel), Part(bulb, light))
    return Subject(parts, "desk", yaw=(-25, 25), pitch=(-2, 16), fill=(0.85, 0.97), dim=_dim(d))


def _head(d: Draw) -> Mesh:
    """A shade with its mouth downwards, hung at its top."""
    wide = d.uniform("head_width", 0.075, 0.1)
    t = np.linspace(0, 1, 10)
    outer = [(float(wide * (1 - 0.72 * s**1.6)), float(-0.1 + 0.1 * s)) for s in t]
    cap = [(0.024, 0.0), (0.024, 0.03), (0.0, 0.034)]
    return join([lathe(outer, smooth=True), lathe(cap)])
