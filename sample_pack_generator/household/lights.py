"""Light from all around: a dim room with windows and lamps in it, as an environment picture."""

from __future__ import annotations

import numpy as np

from household.camera import direction
from household.draw import Draw
from household.geometry import Floats
from household.materials import Texture, rgb

HEIGHT, WIDTH = 64, 128
WARMTHS = (rgb("#ffffff"), rgb("#fff4e6"), rgb("#eaf2ff"), rgb("#ffe3c2"))


def environment(d: Draw, dim: float) -> Texture:
    """Linear light (64, 128, 3) by direction: ambient, one key panel in front, a weaker one beside it; times `dim`."""
    tone = np.array(d.choice("warmth", WARMTHS))
    ambient = d.uniform("ambient", 0.25, 0.6)
    directions = _directions()
    light = (ambient * (0.75 + 0.45 * directions[..., 2]))[..., None] * tone
    side = d.choice("key_side", [-1.0, 1.0])
    key = direction(side * d.uniform("key_yaw", 25, 80), d.uniform("key_pitch", 28, 62))
    size = d.uniform("key_size", 4.0, 18.0)
    light += _panel(directions, key, size, 2.2 * ambient + 1.2) * tone
    fill = direction(-side * d.uniform("fill_yaw", 30, 100), d.uniform("fill_pitch", 15, 45))
    light += _panel(directions, fill, 24.0, d.uniform("fill", 0.2, 0.7)) * np.array(rgb("#dfeaff"))
    return np.asarray(dim * light * _unblocked(directions), dtype=np.float32)


def _directions() -> Floats:
    """World directions of the picture's places: the top row looks up, the middle column looks towards -y."""
    u, v = np.meshgrid((np.arange(WIDTH) + 0.5) / WIDTH, (np.arange(HEIGHT) + 0.5) / HEIGHT)
    azimuth, polar = 2 * np.pi * u, np.pi * v
    return np.stack([np.sin(polar) * np.sin(azimuth), np.sin(polar) * np.cos(azimuth), np.cos(polar)], -1)


def _unblocked(directions: Floats) -> Floats:
    """0 for what the floor and the back wall hide anyway, so that the tracer wastes no samples there."""
    behind, above = directions[..., 1], directions[..., 2]
    return np.asarray(np.clip((0.45 - behind) / 0.2, 0, 1) * np.clip((above + 0.25) / 0.2, 0, 1))[..., None]


def _panel(directions: Floats, towards: Floats, size: float, power: float) -> Floats:
    """A soft round panel of this angular radius in degrees; its light on a facing wall is `power`, whatever its size."""
    angle = np.degrees(np.arccos(np.clip(directions @ towards, -1, 1)))
    share = np.clip((size - angle) / 4 + 0.5, 0, 1)
    return np.asarray(share * power / np.sin(np.radians(size)) ** 2)[..., None]
