"""Procedural textures (height, width, 3) in sRGB: wood, cloth, floors, walls. All from a generator's noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from household.draw import Draw
from household.materials import CLOTHS, LEATHERS, PAINTS, WOODS, Colour, Material, Texture, mix, shade

Field = NDArray[np.float64]
SIZE = 256


def noise(rng: np.random.Generator, cells: tuple[int, int], size: int = SIZE) -> Field:
    """Smooth noise in 0..1 with about `cells` (rows, columns) bumps."""
    coarse = rng.random((cells[0] + 1, cells[1] + 1), dtype=np.float32)
    image = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(np.clip(np.asarray(image, dtype=np.float64), 0, 1))


def tint(colour: Colour, brightness: Field) -> Texture:
    """The colour times a field around 1."""
    return np.asarray(np.clip(np.array(colour) * brightness[..., None], 0, 1), dtype=np.float32)


def blend(first: Colour, second: Colour, share: Field) -> Texture:
    """`share` (0..1) of the second colour, by place."""
    a, b = np.array(first), np.array(second)
    return np.asarray(np.clip(a + (b - a) * share[..., None], 0, 1), dtype=np.float32)


def wood_grain(rng: np.random.Generator, colour: Colour) -> Texture:
    """Grain along u: stretched noise bent by a slow wave, with fine pores."""
    v = np.linspace(0, 1, SIZE)[:, None]
    bend = noise(rng, (4, 3)) * 0.5
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (v + bend) * rng.uniform(5, 9))
    fibre = noise(rng, (90, 5)) * 0.6 + noise(rng, (200, 14)) * 0.4
    dark = shade(colour, 0.62)
    return blend(colour, dark, np.clip(0.55 * rings * fibre + 0.5 * (fibre - 0.35), 0, 1))


def plank_floor(rng: np.random.Generator, colour: Colour, rows: int = 6) -> Texture:
    """Boards of differing tone with dark joints."""
    texture = np.array(wood_grain(rng, colour))
    height = SIZE // rows
    for row in range(rows):
        cut = int(rng.integers(0, SIZE))
        band = slice(row * height, (row + 1) * height)
        texture[band] = np.roll(texture[band], cut, axis=1) * rng.uniform(0.82, 1.08)
        texture[band.start : band.start + 2] *= 0.55
        texture[band, cut : cut + 2] *= 0.55
    return np.clip(texture, 0, 1)


def floor_tiles(rng: np.random.Generator, first: Colour, second: Colour, count: int = 4) -> Texture:
    """Square tiles in two colours with light joints."""
    step = SIZE // count
    cell = np.arange(SIZE) // step
    board = ((cell[:, None] + cell[None, :]) % 2).astype(float)
    texture = blend(first, second, board) * (0.94 + 0.1 * noise(rng, (30, 30)))[..., None]
    joint = (np.arange(SIZE) % step) < 3
    texture[joint, :] = texture[:, joint] = 0.75
    return np.clip(texture, 0, 1).astype(np.float32)


def weave(rng: np.random.Generator, colour: Colour) -> Texture:
    """Plain cloth: fine threads and slow blotches."""
    threads = rng.random((SIZE, SIZE)) * 0.16 + noise(rng, (6, 6)) * 0.12 + 0.84
    return tint(colour, threads)


def stripes(rng: np.random.Generator, first: Colour, second: Colour, count: int) -> Texture:
    """Cloth stripes along v."""
    x = np.arange(SIZE) / SIZE * count
    band = ((x % 1) < rng.uniform(0.3, 0.6)).astype(float)
    return blend(first, second, np.tile(band, (SIZE, 1))) * np.float32(0.96)


def plaid(rng: np.random.Generator, first: Colour, second: Colour, count: int) -> Texture:
    """Crossing stripes."""
    x = np.arange(SIZE) / SIZE * count
    band = ((x % 1) < 0.42).astype(float)
    share = 0.5 * band[None, :] + 0.5 * band[:, None]
    return blend(first, second, share * 0.9 + rng.random((SIZE, SIZE)) * 0.08)


def blossoms(rng: np.random.Generator, first: Colour, second: Colour, count: int) -> Texture:
    """Scattered round flowers of five petals."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    share = np.zeros((SIZE, SIZE))
    for _ in range(count * count):
        cx, cy, turn, size = rng.random(), rng.random(), rng.uniform(0, 6.3), rng.uniform(0.03, 0.07)
        dx, dy = (x - cx + 0.5) % 1 - 0.5, (y - cy + 0.5) % 1 - 0.5
        edge = size * (0.75 + 0.25 * np.cos(5 * np.arctan2(dy, dx) + turn))
        share = np.maximum(share, (np.hypot(dx, dy) < edge).astype(float))
    return blend(first, second, share)


def cloth_texture(d: Draw, colour: Colour, plain: bool = False) -> Texture:
    """Plain, striped, chequered or flowered cloth."""
    rng = d.rng("cloth")
    pattern = "plain" if plain else d.choice("pattern", ["plain", "plain", "plain", "plain", "stripes", "plaid", "blossoms"])
    if pattern == "plain":
        return weave(rng, colour)
    other = mix(colour, d.choice("second", CLOTHS), 0.55) if d.chance("tonal", 0.5) else mix(colour, (0.96, 0.95, 0.9), 0.75)
    count = d.integer("repeats", 4, 7)
    return {"stripes": stripes, "plaid": plaid, "blossoms": blossoms}[pattern](rng, colour, other, count)


def cloth(d: Draw, colour: Colour | None = None, plain: bool = False) -> Material:
    """A woven surface."""
    base = d.choice("cloth_colour", CLOTHS) if colour is None else colour
    return Material(base, cloth_texture(d, base, plain), tile=d.uniform("cloth_tile", 0.45, 0.8), roughness=0.9, specular=0.15)


def leather(d: Draw) -> Material:
    """Leather: blotched, with a soft shine."""
    colour = d.choice("leather", LEATHERS)
    brightness = 0.88 + 0.2 * noise(d.rng("hide"), (14, 14)) + 0.06 * d.rng("pores").random((SIZE, SIZE))
    return Material(colour, tint(colour, brightness), tile=0.6, roughness=0.38, specular=0.5)


def wood(d: Draw, colour: Colour | None = None) -> Material:
    """Varnished wood."""
    base = d.choice("wood_colour", WOODS) if colour is None else colour
    return Material(base, wood_grain(d.rng("grain"), base), tile=0.55, roughness=d.uniform("varnish", 0.25, 0.55), specular=0.4)


def timber(d: Draw) -> Material:
    """What furniture is made of: mostly wood, sometimes painted."""
    if d.chance("painted", 0.25):
        return Material(d.choice("paint", PAINTS), roughness=0.45)
    return wood(d)


def upholstery(d: Draw) -> Material:
    """Cloth or leather."""
    return leather(d) if d.chance("is_leather", 0.3) else cloth(d)
