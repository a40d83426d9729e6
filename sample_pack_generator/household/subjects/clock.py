"""Clocks: round and square wall clocks, sunbursts, twin-bell alarms, mantel and digital clocks."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, decal, join
from household.materials import Colour, Material, Part, any_metal, decal_of, hue, mix, paint, plastic, rgb
from household.prints import dial, digits
from household.shapes import ball, both, circle, cylinder, lathe, prism, rounded_box, tube
from household.subject import Subject
from household.textures import wood

FACES = (rgb("#fbf8ef"), rgb("#fbf8ef"), rgb("#f4e8c8"), rgb("#1c1d22"), rgb("#e9f0f4"), rgb("#f2d98b"), rgb("#274a78"))


def clock(d: Draw) -> Subject:
    """A clock of the kind whose turn it is."""
    kind = d.cycle("kind", ["round", "alarm", "round", "square", "mantel", "alarm", "sunburst", "digital", "octagon", "desk"])
    builders = {"alarm": _alarm, "mantel": _mantel, "digital": _digital, "sunburst": _sunburst, "desk": _desk_clock}
    return builders[kind](d) if kind in builders else _wall(d, kind)


def _rim_material(d: Draw) -> Material:
    kind = d.choice("rim", ["wood", "metal", "plastic", "plastic"])
    if kind == "wood":
        return wood(d)
    if kind == "metal":
        return any_metal(d)
    return plastic(
        d.choice("rim_colour", [rgb("#1d1d20"), rgb("#a32626"), rgb("#f1f1ee"), rgb("#2b5c8a"), rgb("#d8a52c"), rgb("#3f7a54")])
    )


def _face(d: Draw, radius: float, y: float) -> list[Part]:
    """Dial and hands before the plane y, facing -y."""
    face = d.choice("face", FACES)
    dark = sum(face) < 1.2
    mark = rgb("#f2ead2") if dark else d.choice("mark", [rgb("#1b1b1d"), rgb("#1b1b1d"), rgb("#4a2c16"), rgb("#7a1f1f")])
    numerals = d.choice("numerals", ["arabic", "arabic", "roman", "quarters", "ticks"])
    hand = rgb("#efe6c8") if dark else rgb("#141416")
    picture = dial(face, mark, numerals, d.chance("ring", 0.6))
    return [Part(_disc(radius, y), decal_of(picture)), *_hands(d, radius, y, hand)]


def _disc(radius: float, y: float) -> Mesh:
    plate = prism(circle(radius, 64), 0.002)
    uv = plate.vertices[:, [0, 2]] / (2 * radius) + 0.5
    return Mesh(plate.vertices, plate.normals, uv, plate.faces).at(y=y)


def _hands(d: Draw, radius: float, y: float, colour: Colour) -> list[Part]:
    hour, minute = d.integer("hour", 0, 11), d.integer("minute", 0, 59)
    parts = [
        Part(_hand(radius * 0.52, radius * 0.075, (hour + minute / 60) * 30).at(y=y - 0.006), paint(colour)),
        Part(_hand(radius * 0.82, radius * 0.05, minute * 6).at(y=y - 0.01), paint(colour)),
        Part(cylinder(radius * 0.055, 0.006).turn("x", 90).at(y=y - 0.01), paint(colour)),
    ]
    if d.chance("second_hand", 0.5):
        parts.append(
            Part(_hand(radius * 0.85, radius * 0.018, d.integer("second", 0, 59) * 6).at(y=y - 0.013), paint(rgb("#c02020")))
        )
    return parts


def _hand(length: float, width: float, degrees: float) -> Mesh:
    outline = [
        (-width / 2, -0.15 * length),
        (width / 2, -0.15 * length),
        (width / 2, length * 0.75),
        (0, length),
        (-width / 2, length * 0.75),
    ]
    return prism(np.array(outline), 0.003).turn("y", degrees)


def _ring(radius: float, width: float, depth: float) -> Mesh:
    """A rim around a dial, its axis along y, its back on y = 0."""
    profile = [
        (radius + width, 0),
        (radius + width, depth * 0.6),
        (radius + width * 0.5, depth),
        (radius, depth * 0.75),
        (radius, 0),
    ]
    return lathe(profile, segments=64).turn("x", 90)


def _polygon_rim(corners: int, inner: float, width: float, depth: float) -> Mesh:
    start = 180 / corners
    stretch = 1 / np.cos(np.pi / corners)
    return prism(circle((inner + width) * stretch, corners, start), depth)


def _wall(d: Draw, kind: str) -> Subject:
    radius = d.uniform("radius", 0.12, 0.17)
    width, depth = radius * d.uniform("rim_width", 0.08, 0.28), d.uniform("depth", 0.03, 0.05)
    rim = _rim_material(d)
    if kind == "round":
        parts = [Part(_ring(radius, width, depth), rim), *_face(d, radius * 1.01, -depth * 0.4)]
    else:
        corners = 4 if kind == "square" else 8
        parts = [Part(_polygon_rim(corners, radius, width, depth), rim), *_face(d, radius, -depth - 0.002)]
    return Subject(tuple(parts), "wall", yaw=(-32, 32), pitch=(-18, 18), fill=(0.72, 1.0))


def _sunburst(d: Draw) -> Subject:
    radius = 0.12
    count, reach = d.choice("rays", [12, 16, 24]), d.uniform("reach", 1.7, 2.1)
    material = (d.choice("ray_kind", [0, 1]) and wood(d)) or any_metal(d)
    rays = []
    for k in range(count):
        length = radius * (reach if k % 2 == 0 else reach * 0.85)
        ray = tube([(0, -0.012, radius * 0.9), (0, -0.012, length)], [0.008, 0.004]).turn("y", 360 * k / count)
        tip = ball(0.016, (0, -0.012, length)).turn("y", 360 * k / count)
        rays += [ray, tip]
    parts = [Part(join(rays), material), Part(_ring(radius, 0.018, 0.03), material), *_face(d, radius, -0.012)]
    return Subject(tuple(parts), "wall", yaw=(-25, 25), pitch=(-15, 15), fill=(0.85, 1.0))


def _alarm(d: Draw) -> Subject:
    """The twin-bell alarm clock: drum, two bells, hammer, handle, two feet."""
    r = 0.055
    body = (
        _rim_material(d)
        if d.chance("plain_body", 0.2)
        else plastic(hue(d.uniform("hue", 0, 360), 0.75, d.uniform("value", 0.5, 0.9)), 0.2)
    )
    steel = any_metal(d)
    depth, middle = 0.055, r + 0.022
    drum = join([_ring(r, 0.006, depth), prism(circle(r, 48), depth * 0.3)]).at(y=depth / 2, z=middle)
    bell = join([ball(0.027, (0, 0, 0), 0.5), cylinder(0.0275, 0.003)])
    bells = both(bell.turn("y", 32).at(0.036, 0, middle + 0.052))
    feet = both(tube([(0.03, 0, middle - 0.035), (0.048, -0.01, 0.0)], [0.006, 0.005]))
    arch = np.linspace(0.15 * np.pi, 0.85 * np.pi, 14)
    handle = tube(np.stack([0.06 * np.cos(arch), np.zeros(14), middle + 0.055 + 0.06 * np.sin(arch)], -1), 0.003)
    hammer = join(
        [tube([(0, 0, middle + r), (0, 0, middle + r + 0.028)], 0.002), cylinder(0.006, 0.014, (0, 0, middle + r + 0.024))]
    )
    face = [Part(p.mesh.at(z=middle), p.material) for p in _face(d, r * 1.01, depth / 2 - depth * 0.55)]
    parts = (Part(drum, body), Part(join([bells, feet, handle, hammer]), steel if d.chance("steel", 0.7) else body), *face)
    return Subject(parts, "desk", yaw=(-32, 32), pitch=(2, 20), fill=(0.75, 0.92))


def _mantel(d: Draw) -> Subject:
    """A wooden clock with an arched or gabled top on a plinth."""
    w, h, t = 0.26, d.uniform("height", 0.24, 0.34), 0.1
    angles = np.linspace(0, np.pi, 20)
    if d.chance("arched", 0.6):
        top = np.stack([w / 2 * np.cos(angles), h - w / 2 + w / 2 * np.sin(angles)], -1)
    else:
        top = np.array([(w / 2, h * 0.7), (0, h), (-w / 2, h * 0.7)])
    outline = np.concatenate([[(-w / 2, 0.0), (w / 2, 0.0)], top])
    case = prism(outline, t).at(y=t / 2, z=0.03)
    plinth = rounded_box(w * 1.25, t * 1.3, 0.032, 0.006)
    radius, z = w * 0.37, 0.03 + h - w / 2 - 0.005
    if len(top) == 3:
        z = 0.03 + h * 0.48
    brass = any_metal(d)
    face = [Part(p.mesh.at(z=z), p.material) for p in _face(d, radius, -t / 2 - 0.004)]
    rim = _ring(radius, 0.012, 0.016).at(y=-t / 2, z=z)
    return Subject((Part(join([case, plinth]), wood(d)), Part(rim, brass), *face), "desk", yaw=(-30, 30), pitch=(3, 16))


def _desk_clock(d: Draw) -> Subject:
    """A cube or drum with a dial, as on a night table."""
    radius = 0.05
    body = _rim_material(d)
    depth = d.uniform("depth", 0.04, 0.07)
    if d.chance("cube", 0.5):
        shell = rounded_box(radius * 2.35, depth, radius * 2.35, 0.012)
        z, front = radius * 1.175, -depth / 2 - 0.003
        rim = _ring(radius, 0.004, 0.006).at(y=-depth / 2, z=z)
    else:
        z, front = radius * 1.25, -depth / 2 + depth * 0.35
        shell = join([_ring(radius, 0.009, depth).at(y=depth / 2, z=z), box(0.07, depth * 0.9, 0.012)])
        rim = box(0.001, 0.001, 0.001, (0, 0, z))
    face = [Part(p.mesh.at(z=z), p.material) for p in _face(d, radius * 1.01, front)]
    return Subject((Part(join([shell, rim]), body), *face), "desk", yaw=(-32, 32), pitch=(3, 20))


def _digital(d: Draw) -> Subject:
    """A digital alarm clock: a wedge with lit digits and buttons on top."""
    w, h, depth = 0.2, d.uniform("height", 0.075, 0.1), 0.09
    body = plastic(d.choice("body", [rgb("#17181b"), rgb("#24262b"), rgb("#e9e7e1"), rgb("#9a9da3"), rgb("#8a2f2a")]))
    lit = d.choice("lit", [rgb("#ff2b1c"), rgb("#35ff5a"), rgb("#35ff5a"), rgb("#4fd0ff"), rgb("#ff9a1f")])
    text = f"{d.integer('hour', 0, 23):02d}:{d.integer('minute', 0, 59):02d}"
    picture = digits(text, lit, mix(lit, (0, 0, 0), 0.96))
    shell = rounded_box(w, depth, h, 0.012)
    window = decal(w * 0.88, w * 0.88 / 2.5).at(y=-depth / 2 - 0.001, z=h / 2)
    keys = join(
        [rounded_box(0.02, 0.014, 0.006, 0.002, (x, 0, h)) for x in (-0.07, -0.045, 0.045, 0.07)]
        + [rounded_box(0.05, 0.022, 0.006, 0.002, (0, 0, h))]
    )
    screen = Material(texture=picture, emission=d.uniform("brightness", 1.2, 2.2))
    return Subject(
        (Part(shell, body), Part(keys, plastic(rgb("#8b8f95"))), Part(window, screen)), "desk", yaw=(-30, 30), pitch=(5, 28)
    )
