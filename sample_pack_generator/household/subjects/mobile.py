"""Mobile telephones for training images: smartphones from both sides, keypad and flip phones; lying, leaning, held, several.

The pack's own telephones stay as they are in `telephone`; photographs of today show these.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from household.draw import Draw
from household.geometry import decal, join
from household.materials import Colour, Material, Part, Texture, glow, hue, metal, mix, plastic, rgb, shade
from household.prints import app_grid
from household.shapes import ball, curve, cylinder, rounded_box, tube
from household.subject import Subject

BODIES = tuple(map(rgb, ("#0c0d0f", "#16171a", "#d9dadc", "#f2f2f0", "#2c3e5a", "#c9a58f", "#7d8f7a", "#a13b3b", "#5b4a78")))
SKINS = tuple(map(rgb, ("#e8b998", "#d49a78", "#b57a55", "#8a5a3c", "#5c3a28")))

Body = list[Part]


def mobile(d: Draw) -> Subject:
    """A mobile phone of the kind whose turn it is, lying, leaning, held or beside others."""
    kind = d.cycle("kind", ["front", "back", "front", "front", "keypad", "back", "front", "flip", "front"])
    pose = d.choice("pose", ["flat", "flat", "stand", "held", "held", "several"] if kind != "flip" else ["flat", "open"])
    if pose == "several":
        return _several(d, kind)
    body = _body(d, kind)
    if pose == "held":
        return _held(d, body)
    if pose == "flat":
        return _lying(d, body)
    return _standing(d, body)


def _body(d: Draw, kind: str) -> Body:
    """Upright on z = 0, the side that is looked at towards -y."""
    make = {"front": _front, "back": _back, "keypad": _keypad, "flip": _flip}[kind]
    return make(d)


def _slab(d: Draw) -> tuple[Body, tuple[float, float, float]]:
    w, h = d.uniform("width", 0.066, 0.08), d.uniform("height", 0.132, 0.168)
    t = d.uniform("thick", 0.007, 0.011)
    colour = d.choice("body", BODIES)
    shell = metal(colour, 0.35) if d.chance("metal", 0.5) else plastic(colour, 0.25)
    return [Part(rounded_box(w, t, h, d.uniform("corner", 0.0035, 0.0095)), shell)], (w, t, h)


def _front(d: Draw) -> Body:
    """The glass side of a smartphone, its screen off or on."""
    parts, (w, t, h) = _slab(d)
    bezel_x, bezel_z = d.uniform("bezel_x", 0.0015, 0.006), d.choice("bezel_z", [0.003, 0.005, 0.014, 0.018])
    glass = plastic(rgb("#f4f4f4") if d.chance("white_glass", 0.15) else rgb("#060708"), 0.04)
    parts.append(Part(rounded_box(w * 0.985, 0.001, h * 0.99, 0.0005, (0, -t / 2, h * 0.005)), glass))
    screen = decal(w - 2 * bezel_x, h - 2 * bezel_z).at(y=-t / 2 - 0.0013, z=h / 2)
    parts.append(Part(screen, _screen(d)))
    if bezel_z > 0.01:
        parts.append(Part(cylinder(0.0055, 0.0006).turn("x", 90).at(y=-t / 2 - 0.0008, z=bezel_z / 2), metal(rgb("#55565a"))))
        parts.append(
            Part(rounded_box(0.012, 0.0006, 0.0016, 0.0003, (0, -t / 2 - 0.0008, h - bezel_z / 2)), plastic(rgb("#2a2b2e")))
        )
    elif d.chance("notch", 0.6):
        parts.append(
            Part(
                rounded_box(w * 0.35, 0.0004, 0.005, 0.0002, (0, -t / 2 - 0.0016, h - bezel_z - 0.005)),
                plastic(rgb("#060708"), 0.1),
            )
        )
    return parts


def _screen(d: Draw) -> Material:
    kind = d.choice("screen", ["off", "apps", "apps", "photo", "list", "lock"])
    if kind == "off":
        return plastic(rgb("#08090b"), 0.03)
    made = {"apps": app_grid, "photo": _photo, "list": _list, "lock": _lock}[kind](d)
    return Material(texture=made, emission=d.uniform("glow", 0.5, 1.3))


def _texture(image: Image.Image) -> Texture:
    return np.asarray(image, np.float32) / np.float32(255)


def _photo(d: Draw) -> Texture:
    """A wallpaper of a few soft blobs."""
    rng = d.rng("photo")
    small = rng.uniform(0.1, 1, (5, 3, 3)).astype(np.float32)
    return _texture(Image.fromarray((small * 255).astype(np.uint8)).resize((180, 360), Image.Resampling.BICUBIC))


def _list(d: Draw) -> Texture:
    """Lines of text beside round portraits, as messages are shown."""
    rng, dark = d.rng("list"), d.chance("dark", 0.4)
    image = Image.new("RGB", (180, 360), (24, 25, 28) if dark else (246, 246, 248))
    pen, text = ImageDraw.Draw(image), (210, 210, 214) if dark else (60, 60, 66)
    pen.rectangle((0, 0, 180, 40), fill=tuple(int(255 * c) for c in hue(float(rng.uniform(0, 360)), 0.6, 0.7)))
    for y in range(52, 350, 38):
        pen.ellipse((8, y, 34, y + 26), fill=tuple(int(255 * c) for c in hue(float(rng.uniform(0, 360)), 0.5, 0.8)))
        pen.line((44, y + 7, 44 + int(rng.uniform(40, 110)), y + 7), fill=text, width=4)
        pen.line((44, y + 19, 44 + int(rng.uniform(60, 126)), y + 19), fill=tuple((c + 128) // 2 for c in text), width=3)
    return _texture(image)


def _lock(d: Draw) -> Texture:
    """Large digits over a plain wallpaper."""
    rng = d.rng("lock")
    image = Image.fromarray((_photo(d) * 255).astype(np.uint8))
    from PIL import ImageFont

    told = f"{int(rng.integers(0, 24)):02d}:{int(rng.integers(0, 60)):02d}"
    ImageDraw.Draw(image).text((90, 80), told, fill=(255, 255, 255), anchor="mm", font=ImageFont.load_default(48))
    return _texture(image)


def _back(d: Draw) -> Body:
    """The back of a smartphone: cameras in a corner or in the middle, a mark, perhaps a case."""
    parts, (w, t, h) = _slab(d)
    cover = d.choice("cover", [*BODIES, rgb("#e8a33a"), rgb("#3aa6a0"), rgb("#d96aa0")])
    parts.append(
        Part(
            rounded_box(w * 0.985, 0.0012, h * 0.99, 0.0006, (0, -t / 2, h * 0.005)),
            plastic(cover, d.uniform("gloss", 0.05, 0.5)),
        )
    )
    side, front = d.choice("side", [-1.0, 1.0, 0.0]), -t / 2 - 0.0012
    count, step = d.integer("lenses", 1, 4), 0.0125
    places = [(side * (w / 2 - 0.016), h - 0.016 - step * k) for k in range(min(count, 3))]
    if count == 4:
        places.append((side * (w / 2 - 0.016) - (side or 1) * step, h - 0.016 - step / 2))
    xs, zs = [p[0] for p in places], [p[1] for p in places]
    island = rounded_box(
        max(xs) - min(xs) + 0.016, 0.0016, max(zs) - min(zs) + 0.016, 0.0008, ((max(xs) + min(xs)) / 2, front, min(zs) - 0.008)
    )
    parts.append(Part(island, plastic(mix(cover, rgb("#101114"), d.choice("island", [0.0, 0.3, 0.9])), 0.15)))
    rings = join([cylinder(0.0053, 0.0014).turn("x", 90).at(x, front - 0.0008, z) for x, z in places])
    lenses = join([cylinder(0.0042, 0.0004).turn("x", 90).at(x, front - 0.0023, z) for x, z in places])
    parts += [Part(rings, metal(rgb("#303236"), 0.3)), Part(lenses, plastic(rgb("#05060a"), 0.02))]
    if d.chance("mark", 0.7):
        parts.append(
            Part(
                cylinder(0.006, 0.0003).turn("x", 90).at(0, front, h * d.uniform("mark_at", 0.4, 0.6)),
                metal(shade(cover, 1.5), 0.2),
            )
        )
    return parts


def _keypad(d: Draw) -> Body:
    """A small phone with a screen above and keys below."""
    w, t, h = d.uniform("width", 0.044, 0.052), d.uniform("thick", 0.014, 0.02), d.uniform("height", 0.1, 0.125)
    colour = d.choice("body", [*BODIES, rgb("#2f6fb0"), rgb("#c9ccd0")])
    body = rounded_box(w, t, h, d.uniform("corner", 0.004, 0.009))
    lcd = d.choice("lcd", [rgb("#9fb58c"), rgb("#7fc0ff"), rgb("#e8eef2"), rgb("#101418")])
    screen = decal(w * 0.74, h * d.uniform("screen", 0.24, 0.36)).at(y=-t / 2 - 0.0012, z=h * 0.74)
    frame = rounded_box(w * 0.86, 0.001, h * 0.42, 0.0005, (0, -t / 2, h * 0.53))
    return [
        Part(body, plastic(colour, 0.25)),
        Part(frame, plastic(rgb("#0b0c0e"), 0.08)),
        Part(screen, glow(lcd, 0.8)),
        *_keys(d, w, h, -t / 2, colour),
    ]


def _keys(d: Draw, w: float, h: float, front: float, colour: Colour) -> Body:
    step_x, step_z = w * 0.29, h * 0.088
    size = (step_x * 0.8, 0.003, step_z * 0.62)
    keys = join(
        [
            rounded_box(*size, 0.0012, ((c - 1) * step_x, front - 0.0006, h * 0.06 + r * step_z))
            for c in range(3)
            for r in range(4)
        ]
    )
    pad = rounded_box(w * 0.3, 0.003, h * 0.055, 0.0014, (0, front - 0.0006, h * 0.44))
    tone = rgb("#e6e7ea") if sum(colour) < 1.2 and d.chance("light_keys", 0.6) else shade(colour, 0.7)
    return [Part(keys, plastic(tone, 0.3)), Part(pad, metal(rgb("#b9bcc2"), 0.3))]


def _flip(d: Draw) -> Body:
    """A flip phone, open: keys below the hinge, the screen above, bent towards the eye."""
    w, t, h = 0.048, 0.011, d.uniform("height", 0.085, 0.095)
    colour = d.choice("body", [*BODIES, rgb("#b9bcc2"), rgb("#b3396b")])
    lower = [Part(rounded_box(w, t, h, 0.005), plastic(colour, 0.25)), *_keys(d, w, h * 1.9, -t / 2, colour)]
    top = [
        Part(rounded_box(w, t * 0.8, h, 0.004), plastic(colour, 0.25)),
        Part(rounded_box(w * 0.88, 0.001, h * 0.86, 0.0005, (0, -t * 0.4, h * 0.07)), plastic(rgb("#0a0b0d"), 0.06)),
        Part(decal(w * 0.72, h * 0.6).at(y=-t * 0.4 - 0.0013, z=h * 0.52), _screen(d)),
    ]
    bend = d.uniform("bend", 8, 32)
    return [*lower, *(Part(p.mesh.turn("x", bend).at(z=h), p.material) for p in top)]


def _turned(body: Body, *turns: tuple[str, float], at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Body:
    found = []
    for part in body:
        mesh = part.mesh
        for axis, degrees in turns:
            mesh = mesh.turn(axis, degrees)  # type: ignore[arg-type]
        found.append(Part(mesh.at(*at), part.material))
    return found


def _on_table(body: Body) -> Body:
    """Lifted so that its lowest point is on z = 0, and moved so that its middle is over the origin."""
    points = np.concatenate([p.mesh.vertices for p in body])
    low, high = points.min(axis=0), points.max(axis=0)
    return _turned(body, at=(-float(low[0] + high[0]) / 2, -float(low[1] + high[1]) / 2, -float(low[2])))


def _lying(d: Draw, body: Body) -> Subject:
    lying = _on_table(_turned(body, ("x", -90), ("z", d.uniform("turn", -180, 180))))
    return Subject(tuple(lying), "desk", yaw=(-30, 30), pitch=(38, 80), fill=(0.45, 0.97))


def _standing(d: Draw, body: Body) -> Subject:
    if d.chance("landscape", 0.25):
        body = _turned(body, ("y", 90))
    leaning = _on_table(_turned(body, ("x", -d.uniform("lean", 4, 28)), ("z", d.uniform("turn", -30, 30))))
    return Subject(tuple(leaning), "desk", yaw=(-30, 30), pitch=(4, 30), fill=(0.5, 0.97))


def _held(d: Draw, body: Body) -> Subject:
    """In a hand that comes from below: palm behind, thumb on one edge, four fingers round the other."""
    points = np.concatenate([p.mesh.vertices for p in body])
    low, high = points.min(axis=0), points.max(axis=0)
    w, back, h = float(high[0]), float(high[1]), float(high[2] - low[2])
    skin = plastic(d.choice("skin", SKINS), 0.55)
    side = d.choice("hand", [-1.0, 1.0])
    reach, grip = w + 0.006, h * d.uniform("grip", 0.2, 0.4)
    fingers = [
        tube(
            curve(
                (-side * w * 0.2, back + 0.016, z - 0.01),
                (side * (reach + 0.012), back + 0.02, z),
                (side * (reach + 0.002), -0.012, z + 0.003),
                (side * (reach - d.uniform(f"curl{k}", 0.008, 0.02)), -0.0165, z + 0.004),
            ),
            np.linspace(0.0098, 0.0072, 16).tolist(),
        )
        for k, z in enumerate(grip + 0.0195 * np.arange(4))
    ]
    thumb = tube(
        curve(
            (-side * w * 0.5, back + 0.018, grip - 0.02),
            (-side * (reach + 0.016), back + 0.008, grip + 0.012),
            (-side * (reach + 0.004), -0.012, grip + 0.035),
            (-side * (reach - 0.018), -0.0165, grip + 0.052),
        ),
        np.linspace(0.0125, 0.0085, 16).tolist(),
    )
    tips = [ball(0.0072, tuple(f.vertices[-1])) for f in fingers]
    palm = rounded_box(w * 2.0, 0.026, 0.085, 0.012, (0, back + 0.0165, grip - 0.03))
    arm = tube(
        curve((0, back + 0.04, grip - 0.03), (side * 0.02, back + 0.03, grip - 0.1), (side * 0.06, back + 0.06, grip - 0.3)),
        np.linspace(0.03, 0.036, 16).tolist(),
    )
    hand = [
        Part(join([palm, thumb, *fingers, *tips]), skin),
        Part(arm, skin if d.chance("bare", 0.6) else plastic(d.choice("sleeve", BODIES), 0.9)),
    ]
    tilt = (("x", -d.uniform("lean", -5, 35)), ("y", d.uniform("roll", -25, 25)))
    lift = (0.0, 0.0, 0.34)
    return Subject(
        tuple(_turned(body, *tilt, at=lift)),
        "desk",
        yaw=(-25, 25),
        pitch=(2, 40),
        fill=(0.45, 0.85),
        companions=tuple(_turned(hand, *tilt, at=lift)),
    )


def _several(d: Draw, kind: str) -> Subject:
    """Two to four phones side by side on a table, seen from above."""
    count = d.integer("count", 2, 4)
    parts: Body = []
    for k in range(count):
        own = d.scope(f"phone{k}")
        body = _turned(
            _body(own, own.choice("side", [kind, "front", "back", "keypad"])), ("x", -90), ("z", own.uniform("turn", -14, 14))
        )
        placed = _on_table(body)
        parts += _turned(placed, at=((k - (count - 1) / 2) * 0.096, own.uniform("apart", -0.012, 0.012), 0.0))
    return Subject(tuple(parts), "desk", yaw=(-20, 20), pitch=(40, 80), fill=(0.7, 0.97))
