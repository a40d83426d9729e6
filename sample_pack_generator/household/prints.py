"""Printed and lit pictures drawn with Pillow: dials, screens, key legends, keypads, framed pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from household.draw import Draw
from household.materials import Colour, Texture, hue, mix, rgb, shade
from household.textures import noise

ROMAN = ("XII", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI")


def ink(colour: Colour) -> tuple[int, int, int]:
    """The colour as Pillow takes it."""
    r, g, b = (round(255 * c) for c in colour)
    return r, g, b


def _texture(image: Image.Image) -> Texture:
    return np.asarray(image.convert("RGB"), dtype=np.float32) / np.float32(255)


def dial(face: Colour, print_colour: Colour, numerals: str, ring: bool) -> Texture:
    """A clock's dial that fills the square; numerals: arabic, roman, quarters or ticks."""
    size, middle = 512, 256
    image = Image.new("RGB", (size, size), ink(face))
    pen = ImageDraw.Draw(image)
    if ring:
        pen.ellipse((14, 14, size - 14, size - 14), outline=ink(print_colour), width=5)
    for minute in range(60):
        long = minute % 5 == 0
        _tick(pen, minute * 6, 0.90 if long else 0.92, 0.955, 9 if long else 3, print_colour)
    for hour in range(12):
        text = _numeral(hour, numerals)
        angle = np.radians(hour * 30)
        x, y = middle + 182 * np.sin(angle), middle - 182 * np.cos(angle)
        if text:
            pen.text(
                (x, y),
                text,
                fill=ink(print_colour),
                anchor="mm",
                font=ImageFont.load_default(46 if numerals == "roman" else 66),
            )
        else:
            _tick(pen, hour * 30, 0.72, 0.9, 16, print_colour)
    return _texture(image)


def _numeral(hour: int, numerals: str) -> str:
    if numerals == "roman":
        return ROMAN[hour]
    if numerals == "arabic" or (numerals == "quarters" and hour % 3 == 0):
        return str(hour or 12)
    return ""


def _tick(pen: ImageDraw.ImageDraw, degrees: float, inner: float, outer: float, width: int, colour: Colour) -> None:
    s, c = np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))
    ends = [(256 + 250 * r * s, 256 + 250 * r * c) for r in (inner, outer)]
    pen.line(ends, fill=ink(colour), width=width)


SEGMENTS = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
}
BARS = {
    "a": (0, 0, 1, 0),
    "b": (1, 0, 1, 1),
    "c": (1, 1, 1, 2),
    "d": (0, 2, 1, 2),
    "e": (0, 1, 0, 2),
    "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}


def digits(text: str, lit: Colour, back: Colour) -> Texture:
    """A seven-segment display of a time such as 09:41, two and a half times as wide as high."""
    image = Image.new("RGB", (400, 160), ink(back))
    pen = ImageDraw.Draw(image)
    x = 34
    for letter in text:
        if letter == ":":
            pen.ellipse((x + 4, 54, x + 18, 68), fill=ink(lit))
            pen.ellipse((x + 4, 94, x + 18, 108), fill=ink(lit))
            x += 42
            continue
        for bar in SEGMENTS[letter]:
            x0, y0, x1, y1 = BARS[bar]
            pen.line((x + 52 * x0, 30 + 50 * y0, x + 52 * x1, 30 + 50 * y1), fill=ink(lit), width=13)
        x += 80
    return _texture(image)


def legends(cap: Colour, letter: Colour, rows: int = 8) -> Texture:
    """An atlas of rows x rows key tops with a letter each; the last cell is blank, for the sides of the keys."""
    cell = 64
    image = Image.new("RGB", (cell * rows, cell * rows), ink(cap))
    pen = ImageDraw.Draw(image)
    signs = "QWERTYUIOPASDFGHJKLZXCVBNM1234567890-=[];',./<>?!@#$%&*+FHIJ"
    font = ImageFont.load_default(34)
    for k, sign in enumerate(signs[: rows * rows - 1]):
        pen.text((k % rows * cell + 24, k // rows * cell + 26), sign, fill=ink(letter), anchor="mm", font=font)
    return _texture(image)


def screen_picture(d: Draw) -> Texture:
    """What a television shows: a landscape, a match, a show or cartoon shapes."""
    programme = d.choice("programme", ["landscape", "match", "show", "sea", "cartoon"])
    image = Image.new("RGB", (320, 200))
    pen = ImageDraw.Draw(image)
    rng = d.rng("picture")
    {"landscape": _landscape, "match": _match, "show": _show, "sea": _sea, "cartoon": _cartoon}[programme](pen, rng)
    return _texture(image)


def _bands(pen: ImageDraw.ImageDraw, top: Colour, bottom: Colour, start: int, end: int) -> None:
    for y in range(start, end):
        pen.line((0, y, 320, y), fill=ink(mix(top, bottom, (y - start) / max(end - start, 1))))


def _landscape(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    _bands(pen, rgb("#4d8fd6"), rgb("#cfe4f2"), 0, 200)
    for level, colour in ((90, "#6f8ca6"), (120, "#5e8050"), (150, "#3f6b34")):
        x = np.arange(0, 321, 4)
        ridge = level + 30 * np.interp(x, np.linspace(0, 320, 7), rng.uniform(-1, 1, 7))
        pen.polygon([*zip(x.tolist(), ridge.tolist(), strict=True), (320, 200), (0, 200)], fill=ink(rgb(colour)))


def _match(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    _bands(pen, rgb("#555a66"), rgb("#8a8f99"), 0, 60)
    for k in range(10):
        pen.rectangle((k * 32, 60, k * 32 + 32, 200), fill=ink(rgb("#3f9a3f" if k % 2 else "#348a36")))
    pen.line((20, 190, 300, 80), fill=(240, 240, 240), width=3)
    for k in range(9):
        x, y = rng.uniform(20, 300), rng.uniform(70, 165)
        pen.rectangle((x, y, x + 8, y + 20), fill=ink(rgb("#d03030" if k % 2 else "#f0f0f0")))
        pen.ellipse((x, y - 8, x + 8, y), fill=ink(rgb("#c98f6b")))


def _show(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    _bands(pen, hue(rng.uniform(200, 280), 0.7, 0.75), hue(rng.uniform(200, 280), 0.7, 0.3), 0, 200)
    for x in (100, 215):
        pen.ellipse((x - 24, 50, x + 24, 108), fill=ink(rgb("#d9a17c")))
        pen.pieslice((x - 28, 40, x + 28, 100), 180, 360, fill=ink(rgb("#4b2e1c")))
        pen.ellipse((x - 55, 108, x + 55, 270), fill=ink(hue(rng.uniform(0, 360), 0.6, 0.7)))
    pen.rectangle((0, 172, 320, 190), fill=ink(rgb("#c23030")))


def _sea(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    _bands(pen, rgb("#f0a060"), rgb("#f5d9a0"), 0, 110)
    _bands(pen, rgb("#3a6f9a"), rgb("#1d3f66"), 110, 200)
    x = rng.uniform(80, 240)
    pen.ellipse((x - 26, 66, x + 26, 118), fill=(255, 245, 200))
    pen.rectangle((0, 112, 320, 200), fill=ink(rgb("#2b5a86")))
    pen.polygon([(110, 140), (190, 140), (178, 156), (122, 156)], fill=(240, 240, 240))
    pen.polygon([(150, 80), (150, 136), (185, 136)], fill=(250, 250, 250))


def _cartoon(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    pen.rectangle((0, 0, 320, 200), fill=ink(hue(rng.uniform(0, 360), 0.5, 0.95)))
    for _ in range(7):
        x, y, r = rng.uniform(20, 300), rng.uniform(20, 180), rng.uniform(15, 45)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=ink(hue(rng.uniform(0, 360), 0.8, 0.9)), outline=(20, 20, 20), width=3)


def painting(d: Draw) -> Texture:
    """A framed picture for a wall: soft fields of colour."""
    rng = d.rng("painting")
    first, second = hue(rng.uniform(0, 360), 0.4, 0.8), hue(rng.uniform(0, 360), 0.5, 0.5)
    field = noise(rng, (3, 3), 96) > 0.5
    return np.where(field[..., None], np.array(first), np.array(second)).astype(np.float32)


def app_grid(d: Draw) -> Texture:
    """A smartphone's home screen: coloured squares in rows over a wallpaper."""
    rng = d.rng("apps")
    image = Image.new("RGB", (180, 360))
    pen = ImageDraw.Draw(image)
    base = rng.uniform(0, 360)
    for y in range(360):
        pen.line((0, y, 180, y), fill=ink(hue(base + y / 6, 0.55, 0.85 - y / 900)))
    for row in range(6):
        for column in range(4):
            if row == 4:
                continue
            x, y = 14 + column * 41, 36 + row * 54
            pen.rounded_rectangle((x, y, x + 30, y + 30), 8, fill=ink(hue(rng.uniform(0, 360), rng.uniform(0, 0.8), 0.95)))
    pen.text((90, 16), "10:24", fill=(255, 255, 255), anchor="mm", font=ImageFont.load_default(16))
    return _texture(image)


def stained_glass(d: Draw, first: Colour) -> Texture:
    """Pieces of coloured glass in dark lead, for a shade; wraps around in u."""
    rng = d.rng("glass")
    image = Image.new("RGB", (384, 128), (30, 26, 22))
    pen = ImageDraw.Draw(image)
    second = hue(rng.uniform(0, 360), 0.7, 0.8)
    for column in range(24):
        for row in range(5):
            colour = first if (row != 1 and rng.random() < 0.75) else second
            x, y = column * 16, row * 26
            pen.polygon(
                [(x + 2, y + 2), (x + 14, y + 2), (x + 14, y + 23), (x + 2, y + 23)],
                fill=ink(shade(colour, rng.uniform(0.7, 1.15))),
            )
    return _texture(image)
