"""How the five pieces of furniture are drawn."""

from __future__ import annotations

import random

from tools.sample_canvas import CLOTH, DARK, METAL, PALE, PLASTIC, WOOD, Canvas, darker


def bed(c: Canvas, rng: random.Random, number: int) -> None:
    """A bed from the side or from its foot, with pillows and a blanket."""
    wood, blanket = rng.choice(WOOD), rng.choice(CLOTH)
    if number % 2:
        c.box(3, 26, 9, 86, wood, 1.5)
        c.box(91, 46, 97, 86, wood, 1.5)
        c.box(6, 66, 94, 76, darker(wood), 1)
        c.box(9, 52, 91, 68, PALE, 3)
        c.shape([(34, 51), (91, 51), (91, 72), (34, 72)], blanket)
        c.box(34, 49, 42, 72, darker(blanket, 1.2), 1.5)
        c.box(11, 43, 32, 55, PALE, 5, darker(PALE, 0.85))
        return
    c.box(16, 14, 84, 60, wood, 4)
    c.shape([(20, 46), (80, 46), (93, 82), (7, 82)], PALE)
    for x in (24, 52):
        c.box(x, 37, x + 24, 50, PALE, 5, darker(PALE, 0.8))
    c.shape([(17, 55), (83, 55), (93, 82), (7, 82)], blanket)
    c.shape([(17, 55), (83, 55), (84.5, 59.5), (15.5, 59.5)], darker(blanket, 1.25))
    c.box(7, 81, 93, 89, darker(blanket, 0.8))
    for x in (8, 86):
        c.box(x, 89, x + 6, 95, darker(wood, 0.7))


def chair(c: Canvas, rng: random.Random, number: int) -> None:
    """A chair with slats or a cushion, seen a little from the side."""
    wood, cushion = rng.choice(WOOD), rng.choice(CLOTH)
    shade = darker(wood, 0.7)
    c.line([(36, 60), (38, 86)], shade, 3)
    c.line([(74, 58), (78, 84)], shade, 3)
    c.line([(30, 8), (27, 60)], wood, 4)
    c.line([(62, 6), (64, 58)], wood, 4)
    if number % 3 == 0:
        c.shape([(31, 11), (61, 9), (62, 44), (29, 46)], cushion)
    elif number % 3 == 1:
        for y in (13, 24, 35):
            c.line([(30, y + 1), (62, y)], wood, 4.2)
    else:
        c.line([(30, 10), (62, 9)], wood, 5)
        for x in (37, 46, 55):
            c.line([(x, 10), (x, 56)], wood, 2.4)
    c.shape([(26, 58), (66, 55), (80, 66), (22, 70)], cushion if number % 2 else wood)
    c.shape([(22, 70), (80, 66), (80, 70), (22, 74)], shade)
    c.line([(25, 72), (23, 96)], wood, 4)
    c.line([(77, 68), (80, 94)], wood, 4)


def couch(c: Canvas, rng: random.Random, number: int) -> None:
    """A couch with two or three seats."""
    cloth, seats = rng.choice(CLOTH), 2 + number % 2
    shade = darker(cloth, 0.8)
    c.box(9, 32, 91, 70, shade, 6)
    width = 70 / seats
    for seat in range(seats):
        x = 15 + seat * width
        c.box(x + 0.6, 35, x + width - 0.6, 62, cloth, 4, shade)
        c.box(x + 0.6, 58, x + width - 0.6, 70, darker(cloth, 1.12), 3, shade)
    c.box(12, 69, 88, 80, shade, 1)
    for x in (3, 83):
        c.box(x, 47, x + 14, 81, darker(cloth, 0.94), 5, shade)
    for x in (9, 86):
        c.box(x, 81, x + 4, 87, DARK)
    if number % 3 == 0:
        c.shape([(20, 46), (33, 43), (36, 58), (22, 60)], rng.choice(CLOTH))


def table(c: Canvas, rng: random.Random, number: int) -> None:
    """A table with four legs or a pedestal, sometimes with a vase on it."""
    wood = rng.choice(WOOD)
    shade = darker(wood, 0.72)
    if number % 3 == 2:
        c.box(46, 48, 54, 88, shade)
        c.disc(50, 89, 24, 5, shade)
        c.disc(50, 46, 46, 13, shade)
        c.disc(50, 43, 46, 13, wood)
    else:
        for x, foot in ((23, 78.0), (73, 78.0)):
            c.box(x, 44, x + 4, foot, darker(wood, 0.55))
        c.shape([(20, 36), (80, 36), (97, 54), (3, 54)], wood)
        c.box(3, 54, 97, 59, shade)
        for x in (6, 89):
            c.box(x, 59, x + 5, 93, shade)
    if number % 4 == 1:
        c.line([(50, 32), (44, 14)], (70, 120, 60), 1.6)
        c.line([(51, 32), (57, 16)], (70, 120, 60), 1.6)
        for x, y in ((44, 13), (57, 15)):
            c.disc(x, y, 4.5, 4.5, rng.choice(CLOTH))
        c.box(45, 29, 56, 44, rng.choice(PLASTIC), 4)


def wardrobe(c: Canvas, rng: random.Random, number: int) -> None:
    """A wardrobe with two or three doors, sometimes with drawers or a mirror."""
    wood, knob = rng.choice(WOOD), rng.choice(METAL)
    shade = darker(wood, 0.7)
    doors = 2 + number % 2
    left, right = (22.0, 78.0) if doors == 2 else (12.0, 88.0)
    c.box(left - 3, 5, right + 3, 10, shade, 1)
    c.box(left, 9, right, 92, wood)
    for x in (left + 1, right - 7):
        c.box(x, 92, x + 6, 97, shade)
    bottom = 70.0 if number % 3 == 0 else 89.0
    width = (right - left) / doors
    for door in range(doors):
        x = left + door * width
        c.box(x + 1.4, 12, x + width - 1.4, bottom, darker(wood, 1.06), 0.5, shade)
        c.box(x + 5, 17, x + width - 5, bottom - 5, (200, 215, 225) if number % 4 == 2 and door == 1 else wood, 0.5, shade)
        c.disc(x + (width - 3.4 if door % 2 == 0 else 3.4), 50, 1.5, 2.6, knob)
    for y in (72, 81) if number % 3 == 0 else ():
        c.box(left + 1.4, y, right - 1.4, y + 8, darker(wood, 1.06), 0.5, shade)
        c.disc(50, y + 4, 3, 1.3, knob)
