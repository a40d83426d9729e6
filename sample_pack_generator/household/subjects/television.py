"""Televisions: tube sets of several decades, flat sets on a stand, on a bench and on the wall."""

from __future__ import annotations

import numpy as np

from household.draw import Draw
from household.geometry import Mesh, box, join, quad, sheet
from household.materials import Material, Part, any_metal, metal, paint, plastic, rgb
from household.prints import screen_picture
from household.shapes import ball, both, cylinder, four, rounded_box, tube
from household.subject import Subject
from household.textures import timber, wood


def television(d: Draw) -> Subject:
    """A set of the kind whose turn it is."""
    kind = d.cycle("kind", ["tube", "flat", "retro", "tube", "flat_bench", "portable", "flat_wall", "tube_bench"])
    if kind.startswith("flat"):
        return _flat(d, kind)
    return _retro(d) if kind == "retro" else _tube(d, kind)


def _screen_material(d: Draw, kind: str) -> Material:
    """A dark glass, or a picture that gives light; flat on a wall and dark it might be anything, so there it is on."""
    if d.chance("off", 0.3) and kind != "flat_wall":
        return Material(d.choice("glass", [rgb("#1a1d1f"), rgb("#2b312f"), rgb("#3a423f")]), roughness=0.08, specular=0.8)
    return Material(texture=screen_picture(d), emission=d.uniform("glow", 0.55, 1.0))


def _bulged(width: float, height: float, bulge: float) -> Mesh:
    """A tube's glass facing -y around the origin, texture from 0 to 1."""
    u, v = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(-1, 1, 17))
    corner = 1 - 0.035 * (u**2 * v**2)
    points = np.stack([u * width / 2 * corner, -bulge * (1 - 0.5 * (u**2 + v**2)), v * height / 2 * corner], -1)
    return sheet(points, np.stack([(u + 1) / 2, (v + 1) / 2], -1))


def _frame(outer: tuple[float, float], inner: tuple[float, float], depth: float, shift: tuple[float, float] = (0, 0)) -> Mesh:
    """A bezel from y = 0 forward to -depth around an opening whose middle is off by `shift`, its walls leaning in."""
    w, h = outer[0] / 2, outer[1] / 2
    a, b = inner[0] / 2, inner[1] / 2
    rim = np.array([[-w, -h], [w, -h], [w, h], [-w, h]])
    hole = np.array([[-a, -b], [a, -b], [a, b], [-a, b]]) + shift
    front, back = np.insert(rim, 1, -depth, axis=1), np.insert(rim, 1, 0.0, axis=1)
    lip, deep = np.insert(hole, 1, -depth, axis=1), np.insert(hole * 0.98, 1, -depth * 0.3, axis=1)
    faces = []
    for k in range(4):
        n = (k + 1) % 4
        for near, far in ((back, front), (front, lip), (lip, deep)):
            faces.append(quad([near[k], near[n], far[n], far[k]], np.zeros((4, 2))))
    return join(faces)


def _taper(width: float, height: float, depth: float, end: float) -> Mesh:
    """The back of a tube set from y = 0 backwards, shrunk to `end` of its size."""
    near = np.array(
        [[-width / 2, 0, -height / 2], [width / 2, 0, -height / 2], [width / 2, 0, height / 2], [-width / 2, 0, height / 2]]
    )
    far = near * [end, 0, end] + [0, depth, -height * (1 - end) * 0.25]
    faces = [quad([near[k], near[(k + 1) % 4], far[(k + 1) % 4], far[k]], np.zeros((4, 2))) for k in range(4)]
    return join([*faces, quad(far, np.zeros((4, 2)))])


def _tube(d: Draw, kind: str) -> Subject:
    """A tube set of the nineties, its screen above or beside its loudspeakers; `portable` has aerials."""
    w, h = 0.62, d.uniform("height", 0.48, 0.54)
    glass = (0.47, 0.355)
    if d.chance("side_panel", 0.5):
        w, shift = 0.66, (-0.06, 0.02)
    else:
        shift = (0.0, (h - glass[1]) / 2 - 0.05)
    shell = plastic(d.choice("shell", [rgb("#26272a"), rgb("#3a3b3f"), rgb("#8d9095"), rgb("#b9bbbd"), rgb("#5a3a24")]), 0.4)
    base = _bench_height(d) if kind == "tube_bench" else 0.0
    middle = base + h / 2 + 0.012
    case = join([_frame((w, h), glass, 0.07, shift), _taper(w, h, 0.16, 0.93), _taper(w * 0.9, h * 0.85, 0.38, 0.6)]).at(
        z=middle
    )
    screen = _bulged(glass[0] * 1.0, glass[1] * 1.0, 0.03).at(shift[0], -0.02, middle + shift[1])
    details = _details(w, h, shift, glass).at(z=middle)
    feet = four(box(0.05, 0.05, 0.014, (w * 0.36, 0.03, base)))
    parts = [Part(join([case, feet]), shell), Part(screen, _screen_material(d, kind)), Part(details, plastic(rgb("#77797d")))]
    if kind == "portable" or d.chance("aerial", 0.2):
        parts.append(Part(_aerial(base + h), metal()))
    companions = _bench(d, base, 0.95) if base else ()
    return Subject(
        tuple(parts), "floor" if base else "desk", yaw=(-38, 38), pitch=(3, 18), fill=(0.8, 0.96), companions=companions
    )


def _details(w: float, h: float, shift: tuple[float, float], glass: tuple[float, float]) -> Mesh:
    """Loudspeaker slots and buttons around the middle of the front."""
    if shift[0]:
        x = (glass[0] / 2 + shift[0] + w / 2) / 2
        slots = [box(0.09, 0.006, 0.006, (x, -0.072, -h * 0.32 + 0.018 * k)) for k in range(9)]
        knobs = [cylinder(0.022, 0.02).turn("x", 90).at(x, -0.07, z) for z in (h * 0.33, h * 0.2)]
        return join(slots + knobs)
    z = -h / 2 + 0.045
    slots = [box(0.006, 0.006, 0.05, (side * (0.16 + 0.014 * k), -0.072, z - 0.02)) for side in (-1, 1) for k in range(8)]
    return join([*slots, *[box(0.022, 0.01, 0.012, (-0.05 + 0.033 * k, -0.072, z)) for k in range(4)]])


def _aerial(z: float) -> Mesh:
    rods = both(tube([(0.02, 0.1, z), (0.2, 0.14, z + 0.27)], [0.004, 0.002]))
    return join([rods, ball(0.05, (0, 0.1, z - 0.005), 0.5)])


def _retro(d: Draw) -> Subject:
    """A wooden set of the sixties with knobs beside the screen, on four splayed legs or on a table."""
    w, h, depth = d.uniform("width", 0.66, 0.8), d.uniform("height", 0.46, 0.52), 0.38
    glass = (w * 0.64, h * 0.74)
    shift = (-w * 0.12, 0.0)
    lift = d.uniform("legs", 0.2, 0.34) if d.chance("legged", 0.6) else 0.015
    middle = lift + h / 2
    case = join([rounded_box(w, depth, h, 0.02).at(y=depth / 2, z=-h / 2), _frame((w, h), glass, 0.03, shift)]).at(z=middle)
    panel = box(w * 0.17, 0.01, h * 0.82, (w * 0.37, -0.033, middle - h * 0.41))
    x = w * 0.37
    knobs = join([cylinder(0.032, 0.026).turn("x", 90).at(x, -0.036, middle + h * z) for z in (0.28, 0.1)])
    slots = join([box(w * 0.13, 0.006, 0.007, (x, -0.041, middle - h * 0.36 + 0.02 * k)) for k in range(7)])
    screen = _bulged(glass[0], glass[1], 0.035).at(shift[0], -0.012, middle)
    legs = join(
        [
            tube([(sx * w * 0.36, depth / 2 + sy * 0.12, lift), (sx * w * 0.43, depth / 2 + sy * 0.17, 0)], [0.018, 0.011])
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
    )
    parts = [
        Part(join([case, legs]), wood(d)),
        Part(panel, metal(rgb("#b9ae92"), 0.4)),
        Part(knobs, plastic(rgb("#1d1b19"))),
        Part(slots, plastic(rgb("#2b2622"))),
        Part(screen, _screen_material(d, "retro")),
    ]
    if d.chance("aerial", 0.5):
        parts.append(Part(_aerial(lift + h), metal()))
    return Subject(tuple(parts), "floor", yaw=(-35, 35), pitch=(3, 16), fill=(0.8, 0.95))


def _flat(d: Draw, kind: str) -> Subject:
    """A flat set: thin bezel, wide picture."""
    w = d.uniform("width", 0.9, 1.2)
    h, rim, thick = w * 0.5625, w * d.uniform("rim", 0.012, 0.035), 0.04
    shell = plastic(d.choice("shell", [rgb("#121316"), rgb("#121316"), rgb("#2b2d31"), rgb("#a9abae")]), 0.2)
    on_wall = kind == "flat_wall"
    base = 0.0 if on_wall else (_bench_height(d) if kind == "flat_bench" else 0.0) + 0.09
    middle = 0.0 if on_wall else base + h / 2
    y = -0.03 if on_wall else 0.0
    panel = join([_frame((w, h), (w - 2 * rim, h - 2 * rim), 0.012), box(w, thick, h, (0, thick / 2, -h / 2))]).at(
        y=y - (thick if on_wall else 0), z=middle
    )
    screen = _bulged(w - 2 * rim, h - 2 * rim, 0.0).at(y=y - 0.006 - (thick if on_wall else 0), z=middle)
    parts = [Part(panel, shell), Part(screen, _screen_material(d, kind))]
    if on_wall:
        return Subject(tuple(parts), "wall", yaw=(-32, 32), pitch=(-8, 10), fill=(0.88, 1.0))
    parts.append(Part(_stand(d, w, base - 0.09), shell if d.chance("same_stand", 0.7) else any_metal(d)))
    companions = _bench(d, base - 0.09, w * 1.3) if kind == "flat_bench" else ()
    return Subject(
        tuple(parts), "floor" if companions else "desk", yaw=(-35, 35), pitch=(2, 14), fill=(0.85, 0.98), companions=companions
    )


def _stand(d: Draw, w: float, base: float) -> Mesh:
    if d.chance("two_feet", 0.4):
        return both(join([tube([(w * 0.36, 0.02, base + 0.1), (w * 0.38, s * 0.12, base)], 0.01) for s in (-1, 1)]))
    return join([rounded_box(w * 0.42, 0.24, 0.016, 0.008, (0, 0.02, base)), box(w * 0.1, 0.03, 0.12, (0, 0.03, base))])


def _bench_height(d: Draw) -> float:
    return d.uniform("bench_height", 0.4, 0.5)


def _bench(d: Draw, height: float, width: float) -> tuple[Part, ...]:
    """A low cupboard with two doors under the set."""
    body = box(width, 0.46, height - 0.06, (0, 0.12, 0.06))
    doors = both(box(width * 0.47, 0.02, height - 0.12, (width * 0.242, -0.12, 0.09)))
    legs = join([box(width * 0.9, 0.38, 0.06, (0, 0.13, 0))])
    front = paint(rgb("#e9e6df")) if d.chance("white_doors", 0.4) else timber(d.scope("doors"))
    return Part(join([body, legs]), timber(d.scope("bench"))), Part(doors, front)
