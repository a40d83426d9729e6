"""Telephones: rotary, push-button, cordless and smart."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, decal, join, quad
from household.materials import Colour, Material, Part, glow, hue, metal, mix, plastic, rgb, shade
from household.prints import app_grid
from household.shapes import ball, circle, curve, cylinder, lathe, rounded_box, tube
from household.subject import Subject

SHELLS = (
    rgb("#16171a"),
    rgb("#16171a"),
    rgb("#a81f1f"),
    rgb("#e9dfc6"),
    rgb("#3f6f5a"),
    rgb("#d8c9a5"),
    rgb("#2f4f86"),
    rgb("#d98a92"),
)


def telephone(d: Draw) -> Subject:
    """A telephone of the kind whose turn it is."""
    kind = d.cycle("kind", ["rotary", "buttons", "rotary", "office", "cordless", "buttons", "smart", "office"])
    return {"rotary": _rotary, "buttons": _buttons, "office": _office, "cordless": _cordless, "smart": _smart}[kind](d)


def _handset(length: float, thick: float) -> Mesh:
    """A handset along x, cups down, arched; its cups' lower faces on z = 0."""
    half = length / 2
    grip = curve(
        (-half, 0, thick * 1.5), (-half * 0.6, 0, thick * 3.6), (half * 0.6, 0, thick * 3.6), (half, 0, thick * 1.5), count=14
    )
    cup = lathe(
        [(0, 0), (thick * 1.35, 0), (thick * 1.45, thick * 0.5), (thick * 1.0, thick * 1.7), (0, thick * 2.1)], segments=28
    )
    return join([tube(grip, thick * 0.78), cup.turn("y", 14).at(x=-half), cup.turn("y", -14).at(x=half)])


def _wedge(front: float, back: float, width: float, depth: float, top_depth: float, slim: float = 1.0) -> Mesh:
    """A desk phone's body: low in front, high behind, with a level top of `top_depth` at the back."""
    y0, y1, y2 = -depth / 2, depth / 2 - top_depth, depth / 2
    side = np.array([[y0, 0], [y0, front], [y1, back], [y2, back], [y2, 0]])
    w, s = width / 2, width / 2 * slim
    left = np.array([[-w, y, z] if z == 0 or z == front else [-s, y, z] for y, z in side])
    right = left * [-1, 1, 1]
    faces = [quad([left[k], right[k], right[(k + 1) % 5], left[(k + 1) % 5]], np.zeros((4, 2))) for k in range(5)]
    sides = [quad(p[[0, 1, 2, 4]], np.zeros((4, 2))) for p in (left, right)] + [
        quad(p[[2, 3, 4, 4]], np.zeros((4, 2))) for p in (left, right)
    ]
    return join(faces + sides)


def _on_slope(mesh: Mesh, front: float, back: float, depth: float, top_depth: float, along: float) -> Mesh:
    """The mesh laid on the wedge's slope, `along` of the way up."""
    run, rise = depth - top_depth, back - front
    tilt = float(np.degrees(np.arctan2(rise, run)))
    return mesh.turn("x", tilt).at(y=-depth / 2 + run * along, z=front + rise * along)


def _cord(d: Draw, start: tuple[float, float, float], end: tuple[float, float, float], sag: float) -> Mesh:
    """A coiled cord that hangs from start to end."""
    turns, count = d.integer("coils", 16, 24), 320
    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
    path = curve(start, (middle[0] + sag, middle[1], 0.006), (middle[0] + sag, middle[1] - 0.02, 0.006), end, count=count)
    angle = np.linspace(0, 2 * np.pi * turns, count)
    coil = 0.0065 * np.stack([np.cos(angle), 0.6 * np.sin(angle), np.sin(angle)], -1)
    points = path + coil
    points[:, 2] = np.maximum(points[:, 2], 0.003)
    return tube(points, 0.0026, sides=6)


def _rotary(d: Draw) -> Subject:
    """The classic: a sloping body, a dial with finger holes, a handset across the top, a coiled cord."""
    shell = plastic(d.choice("shell", SHELLS), 0.15)
    width, depth, top = d.uniform("width", 0.19, 0.22), d.uniform("depth", 0.19, 0.22), 0.06
    front, back = 0.03, d.uniform("back", 0.1, 0.125)
    body = _wedge(front, back, width, depth, top, slim=d.uniform("slim", 0.6, 0.8))
    dial = [
        Part(_on_slope(p.mesh, front, back, depth, top, 0.5), p.material) for p in _finger_dial(d, min(0.065, width * 0.31))
    ]
    rest_y = depth / 2 - top / 2
    horns = join([box(0.016, 0.05, 0.035, (x, rest_y, back - 0.005)) for x in (-0.05, -0.03, 0.03, 0.05)])
    set_ = _handset(0.2, 0.017).turn("z", d.uniform("askew", -5, 5)).at(y=rest_y, z=back + 0.012)
    side = d.choice("cord_side", [-1.0, 1.0])
    cord = _cord(d, (side * 0.1, rest_y, back + 0.01), (side * width / 2, 0.02, 0.015), side * 0.12)
    parts = (Part(join([body, horns, set_, cord]), shell), *dial)
    return Subject(parts, "desk", yaw=(-35, 35), pitch=(22, 42), fill=(0.85, 0.97))


def _finger_dial(d: Draw, radius: float) -> list[Part]:
    plate_colour = d.choice("plate", [rgb("#f2efe6"), rgb("#d9d9d6"), rgb("#1b1b1d")])
    wheel = (
        metal(roughness=0.2)
        if d.chance("steel_wheel", 0.6)
        else plastic(rgb("#101012") if sum(plate_colour) > 1 else rgb("#e9e6dc"))
    )
    ring = lathe([(radius * 0.97, 0.006), (radius, 0.012), (radius * 0.93, 0.013), (radius * 0.92, 0.006)], segments=40)
    inner = lathe([(radius * 0.5, 0.006), (radius * 0.5, 0.012), (0.0, 0.013)], segments=32)
    holes = circle(radius * 0.72, 14, -60)[:11]
    dots = join([cylinder(radius * 0.135, 0.0035, (x, y, 0.006)) for x, y in holes])
    label = cylinder(radius * 0.33, 0.002, (0, 0, 0.012))
    hole_colour = rgb("#131315") if sum(plate_colour) > 1 else rgb("#f0eee6")
    return [
        Part(cylinder(radius, 0.006), plastic(plate_colour)),
        Part(join([ring, inner]), wheel),
        Part(dots, plastic(hole_colour)),
        Part(label, plastic(rgb("#f5f2e8"))),
    ]


def _key_grid(columns: int, rows: int, step: tuple[float, float], size: tuple[float, float], high: float) -> Mesh:
    xs = (np.arange(columns) - (columns - 1) / 2) * step[0]
    ys = (np.arange(rows) - (rows - 1) / 2) * step[1]
    return join([rounded_box(*size, high, 0.002, (x, y, 0)) for x in xs for y in ys])


def _key_colour(shell: Colour) -> Colour:
    return rgb("#f2f0ea") if sum(shell) < 1.4 else rgb("#3b3b3f")


def _buttons(d: Draw) -> Subject:
    """A push-button phone of the eighties: handset across the back, twelve big keys on the slope."""
    colour = d.choice("shell", SHELLS)
    width, depth, top = 0.2, d.uniform("depth", 0.2, 0.23), 0.065
    front, back = 0.028, d.uniform("back", 0.075, 0.1)
    plate = _on_slope(rounded_box(0.12, 0.105, 0.006, 0.003), front, back, depth, top, 0.48)
    keys = _on_slope(_key_grid(3, 4, (0.034, 0.025), (0.025, 0.018), 0.014), front, back, depth, top, 0.48)
    rest_y = depth / 2 - top / 2
    saddle = join([box(0.045, 0.06, 0.02, (x, rest_y, back - 0.004)) for x in (-0.075, 0.075)])
    set_ = _handset(0.18, 0.017).at(y=rest_y, z=back + 0.012)
    side = d.choice("cord_side", [-1.0, 1.0])
    cord = _cord(d, (side * 0.1, rest_y, back + 0.01), (side * width / 2, 0.0, 0.015), side * 0.12)
    body = _wedge(front, back, width, depth, top, slim=d.uniform("slim", 0.85, 1.0))
    parts = (
        Part(join([body, saddle, set_, cord]), plastic(colour, 0.2)),
        Part(plate, plastic(mix(colour, rgb("#8a8a8a"), 0.5))),
        Part(keys, plastic(_key_colour(colour))),
    )
    return Subject(parts, "desk", yaw=(-35, 35), pitch=(28, 48), fill=(0.85, 0.97))


def _office(d: Draw) -> Subject:
    """An office phone: handset lying along the left side, display, keypad and rows of buttons."""
    colour = d.choice("shell", [rgb("#1d1e22"), rgb("#2d3036"), rgb("#cfd1d3"), rgb("#e6e2d6"), rgb("#3b4a66")])
    front, back, depth, top, width = 0.025, d.uniform("back", 0.08, 0.12), 0.22, 0.02, 0.21
    slope = (front, back, depth, top)
    body = _wedge(front, back, width, depth, top)
    set_ = _on_slope(_handset(0.17, 0.018).turn("z", 90).at(-0.07, 0, 0.006), *slope, 0.5)
    keys = _on_slope(_key_grid(3, 4, (0.026, 0.02), (0.019, 0.013), 0.008).at(x=0.022), *slope, 0.3)
    more = _on_slope(_key_grid(1, 6, (0.02, 0.017), (0.02, 0.01), 0.006).at(x=0.085), *slope, 0.45)
    screen = _on_slope(decal(0.085, 0.045).turn("x", -90).at(0.022, 0, 0.003), *slope, 0.8)
    bezel = _on_slope(rounded_box(0.098, 0.058, 0.002, 0.001, (0.022, 0, 0)), *slope, 0.8)
    cord = _cord(d, (-0.07, -depth / 2 + 0.02, 0.03), (-width / 2, 0.03, 0.015), -0.08)
    lcd = d.choice("lcd", [rgb("#9fb58c"), rgb("#7fa6c9"), rgb("#c9d6b8")])
    parts = (
        Part(join([body, set_, cord]), plastic(colour, 0.25)),
        Part(join([keys, more]), plastic(_key_colour(colour))),
        Part(bezel, plastic(rgb("#101113"))),
        Part(screen, glow(lcd, 0.7)),
    )
    return Subject(parts, "desk", yaw=(-30, 35), pitch=(32, 55), fill=(0.85, 0.97))


def _cordless(d: Draw) -> Subject:
    """A cordless handset standing in its charger."""
    colour = d.choice("shell", [rgb("#1c1d20"), rgb("#c9ccd0"), rgb("#f0f0ee"), rgb("#39465e")])
    w, t, h = 0.05, 0.026, d.uniform("length", 0.15, 0.175)
    front = -t / 2 - 0.001
    handset = join(
        [rounded_box(w, t, h, 0.011), tube([(0.016, 0, h - 0.01), (0.016, 0, h + d.uniform("aerial", 0.015, 0.06))], 0.005)]
    )
    keys = join(
        [
            rounded_box(0.0115, 0.005, 0.0085, 0.002, (x, front, 0.024 + 0.0125 * k))
            for x in (-0.0145, 0, 0.0145)
            for k in range(5)
        ]
    )
    bezel = rounded_box(w * 0.8, 0.003, 0.04, 0.001, (0, front, h * 0.58))
    screen = decal(w * 0.68, 0.031).at(y=front - 0.0025, z=h * 0.58 + 0.02)
    ear = rounded_box(0.02, 0.003, 0.004, 0.001, (0, front, h * 0.92))
    lean = d.uniform("lean", 8, 22)
    upright = [
        (handset, plastic(colour, 0.25)),
        (keys, plastic(_key_colour(colour))),
        (join([bezel, ear]), plastic(rgb("#0d0e10"))),
        (screen, glow(d.choice("lcd", [rgb("#7fc0ff"), rgb("#ffb45a"), rgb("#b9d9a0")]), 1.0)),
    ]
    parts = [Part(mesh.turn("x", -lean).at(z=0.03), material) for mesh, material in upright]
    cradle = join([rounded_box(0.085, 0.09, 0.03, 0.012, (0, 0.015, 0)), rounded_box(0.066, 0.05, 0.062, 0.014, (0, 0.035, 0))])
    base = plastic(shade(colour, 0.8) if sum(colour) > 1 else colour, 0.3)
    return Subject((*parts, Part(cradle, base)), "desk", yaw=(-35, 35), pitch=(10, 28), fill=(0.85, 0.97))


def _smart(d: Draw) -> Subject:
    """A smartphone leaning on a stand, or a mobile with keys."""
    colour = d.choice("shell", [rgb("#101114"), rgb("#d8d9dc"), rgb("#2c3e5a"), rgb("#c9a58f")])
    w, t, h = 0.072, 0.009, 0.148
    frame = rounded_box(w, t, h, 0.004)
    glass = rounded_box(w * 0.97, 0.001, h * 0.97, 0.0005, (0, -t / 2, h * 0.015))
    screen = decal(w * 0.9, h * 0.9).at(y=-t / 2 - 0.0012, z=h / 2)
    lens = ball(0.002, (0, -t / 2 - 0.0005, h * 0.972))
    lit = Material(texture=app_grid(d), emission=d.uniform("glow", 0.8, 1.2))
    parts = [
        (frame, metal(colour, 0.3)),
        (glass, plastic(rgb("#08090a"), 0.05)),
        (screen, lit),
        (lens, plastic(hue(220, 0.5, 0.3))),
    ]
    lean = d.uniform("lean", 10, 25)
    stand = join([rounded_box(0.06, 0.075, 0.008, 0.004, (0, 0.02, 0)), rounded_box(0.05, 0.012, 0.06, 0.004, (0, 0.035, 0.0))])
    leaning = [Part(mesh.turn("x", -lean).at(y=-0.012, z=0.008), material) for mesh, material in parts]
    return Subject((*leaning, Part(stand, plastic(rgb("#9a9da2")))), "desk", yaw=(-35, 35), pitch=(5, 25), fill=(0.85, 0.96))
