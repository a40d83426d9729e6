"""How the five electrical devices are drawn."""

from __future__ import annotations

import math
import random

from tools.sample_canvas import CLOTH, DARK, METAL, PALE, PLASTIC, WOOD, Canvas, Colour, darker


def clock(c: Canvas, rng: random.Random, number: int) -> None:
    """A wall clock, round or square, or an alarm clock with two bells."""
    rim, r = rng.choice((*PLASTIC, *WOOD)), rng.uniform(34, 42)
    if number % 3 == 2:
        c.line([(50, 50), (26, 88)], DARK, 5)
        c.line([(50, 50), (74, 88)], DARK, 5)
        for x in (28, 72):
            c.disc(x, 20, 12, 10, rng.choice(METAL))
        c.line([(40, 10), (60, 10)], DARK, 3)
        r = 33
    if number % 3 == 1:
        c.box(50 - r, 50 - r, 50 + r, 50 + r, rim, 5)
        c.box(55 - r, 55 - r, 45 + r, 45 + r, PALE, 2)
    else:
        c.disc(50, 50, r, r, rim)
        c.disc(50, 50, r - 4.5, r - 4.5, PALE)
    for hour in range(12):
        _ray(c, hour / 12, r - 11, r - 7, DARK, 2.4 if hour % 3 == 0 else 1.2)
    time = rng.random()
    _ray(c, time, -4, r * 0.46, DARK, 3.2)
    _ray(c, time * 12 % 1, -4, r * 0.68, DARK, 2.0)
    _ray(c, rng.random(), -6, r * 0.7, (190, 40, 40), 0.8)
    c.disc(50, 50, 2.6, 2.6, DARK)


def _ray(c: Canvas, turn: float, start: float, end: float, colour: Colour, width: float) -> None:
    dx, dy = math.sin(turn * math.tau), -math.cos(turn * math.tau)
    c.line([(50 + dx * start, 50 + dy * start), (50 + dx * end, 50 + dy * end)], colour, width)


def keyboard(c: Canvas, rng: random.Random, number: int) -> None:
    """Five rows of keys, with or without a number block."""
    case = rng.choice((*PLASTIC[:3], PALE))
    key = darker(case, 1.6) if sum(case) < 380 else darker(case, 0.86)
    top, height = rng.uniform(30, 36), rng.uniform(30, 38)
    c.box(3, top, 97, top + height, case, 3, darker(case, 0.6))
    block = number % 2 == 0
    columns, right = 13, 74 if block else 94
    pitch, row = (right - 6) / columns, (height - 6) / 5
    for line in range(5):
        y = top + 3 + line * row
        for column in range(columns):
            if line == 4 and 3 <= column <= 8:
                continue
            x = 6 + column * pitch
            c.box(x, y, x + pitch * 0.84, y + row * 0.82, key, 0.8)
        for column in range(3 if block else 0):
            x = 78 + column * 5.6
            c.box(x, y, x + 4.6, y + row * 0.82, darker(key, 0.9), 0.8)
    c.box(6 + 3 * pitch, top + 3 + 4 * row, 6 + 8.84 * pitch, top + 3 + 4.82 * row, key, 0.8)


def lamp(c: Canvas, rng: random.Random, number: int) -> None:
    """A table lamp, a floor lamp, or a desk lamp with an arm."""
    stand, shade = rng.choice((*METAL, *WOOD[:3])), rng.choice((*CLOTH, PALE, (250, 220, 150)))
    if number % 3 == 2:
        c.disc(40, 90, 20, 5, stand)
        c.line([(40, 88), (26, 54), (56, 26)], stand, 3.4)
        c.shape([(50, 16), (64, 26), (84, 50), (50, 54)], shade)
        c.disc(67, 52, 12, 4, (255, 240, 170))
        return
    wide, neck = (30.0, 40) if number % 3 == 0 else (24.0, 34)
    c.shape([(50 - wide * 0.55, 8), (50 + wide * 0.55, 8), (50 + wide, neck + 6), (50 - wide, neck + 6)], shade)
    c.shape([(50 - wide, neck + 4), (50 + wide, neck + 4), (50 + wide, neck + 6), (50 - wide, neck + 6)], darker(shade))
    c.disc(50, neck + 8, 6, 4, (255, 240, 170))
    if number % 3 == 0:
        c.box(48, neck + 6, 52, 62, stand)
        c.disc(50, 72, rng.uniform(12, 18), 15, stand)
        c.box(34, 86, 66, 91, darker(stand), 2)
    else:
        c.box(48.6, neck + 6, 51.4, 92, stand)
        c.disc(50, 93, 18, 4, darker(stand))


def telephone(c: Canvas, rng: random.Random, number: int) -> None:
    """A desk telephone with keys or a dial, its handset on top."""
    body = rng.choice(PLASTIC)
    grip = darker(body, 0.8) if sum(body) > 200 else darker(body, 1.7)
    c.shape([(26, 40), (74, 40), (90, 84), (10, 84)], body)
    c.box(10, 82, 90, 90, darker(body, 0.7), 2)
    for x in (34, 60):
        c.box(x, 32, x + 6, 42, darker(body, 0.7))
    c.box(10, 20, 90, 31, grip, 5)
    c.box(8, 20, 28, 39, grip, 6)
    c.box(72, 20, 92, 39, grip, 6)
    if number % 2:
        c.disc(50, 62, 19, 17, PALE)
        for hole in range(10):
            turn = math.tau * (hole + 2) / 13
            c.disc(50 + 13.5 * math.sin(turn), 62 - 12 * math.cos(turn), 2.6, 2.4, darker(body, 0.6))
        c.disc(50, 62, 7, 6, grip)
    else:
        for key in range(12):
            x, y = 36 + key % 3 * 10, 47 + key // 3 * 8.5
            c.box(x, y, x + 8, y + 6, PALE if sum(body) < 500 else DARK, 1.2)
    wave = [(8 - 3 * math.cos(i * 1.6), 38 + i * 2.2) for i in range(21)]
    c.line(wave, grip, 1.6)


def television(c: Canvas, rng: random.Random, number: int) -> None:
    """A flat screen on a foot, or a set with antenna and knobs."""
    glow = rng.choice(((40, 60, 90), (20, 24, 28), (90, 140, 190), (60, 110, 80)))
    if number % 3 == 2:
        case = rng.choice(WOOD[:5])
        c.line([(50, 26), (30, 5)], METAL[0], 1.4)
        c.line([(50, 26), (70, 5)], METAL[0], 1.4)
        c.box(8, 25, 92, 86, case, 5)
        c.box(14, 31, 70, 80, DARK, 9)
        c.box(16, 33, 68, 78, glow, 8)
        for y in (42, 56):
            c.disc(81, y, 5, 5, METAL[1])
        for y in (66, 70, 74):
            c.box(75, y, 87, y + 1.6, DARK)
        for x in (20, 76):
            c.box(x, 86, x + 4, 94, darker(case))
        bottom = 78
    else:
        c.box(4, 16, 96, 76, rng.choice((DARK, (60, 60, 66))), 1.5)
        c.box(6.5, 18.5, 93.5, 72, glow)
        c.box(44, 76, 56, 84, METAL[0])
        c.box(28, 84, 72, 87.5, METAL[0], 1.5)
        bottom = 72
    c.shape([(24, 36), (34, 36), (20, bottom - 10), (18, bottom - 14)], darker(glow, 1.6))
    c.shape([(38, 36), (42, 36), (24, bottom - 6), (22, bottom - 8)], darker(glow, 1.6))
