"""Renders the images that are missing, one after the other, and keeps the manifest true after each."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from household.compose import compose
from household.develop import develop, webp
from household.draw import Draw, Value
from household.manifest import LOOKS, Entry, Plan, agrees, plans, read, write
from household.tracer import renderer, trace

SIZE, SAMPLES = 224, 16
"""Edge of an image in pixels, and paths traced for each of them."""
TOLERANCE = 1.0
"""Mean difference of the pixels, of 255, from which on an image made anew is another: another processor may round the last bits
of the light differently."""


def picture(
    class_name: str, seed: int, size: int = SIZE, samples: int = SAMPLES, training: bool = False
) -> tuple[NDArray[np.uint8], dict[str, Value]]:
    """The image (size, size, 3) of a class and seed, and all parameters that were drawn for it."""
    scene = compose(class_name, seed, training)
    look = Draw(seed, "develop.", scene.parameters)
    pixels = develop(trace(scene, size, samples, seed), look)
    return pixels, dict(scene.parameters)


def render_pack(folder: Path, only: str | None = None) -> Iterator[tuple[Plan, float]]:
    """Makes what is missing or does not agree; yields each image made and the seconds it took."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = read(folder)
    maker = f"{renderer()}, {SAMPLES} samples"
    for plan in plans(only):
        if agrees(folder, entries.get(plan.file), maker):
            continue
        start = time.perf_counter()
        entries[plan.file] = _make(folder, plan, maker)
        write(folder, entries)
        yield plan, time.perf_counter() - start


def compare(folder: Path, count: int, choice: int = 0) -> Iterator[tuple[Plan, bool, float]]:
    """Makes `count` images of the pack anew, spread over the classes; yields each, whether its file is the same bit for bit,
    and the mean difference of the pixels on the scale of 0 to 255.
    """
    everything = plans()
    places = np.linspace(0, len(everything), count, endpoint=False).astype(int) + choice
    for plan in (everything[place % len(everything)] for place in places):
        data, shipped = webp(picture(plan.class_name, plan.seed)[0]), (folder / plan.file).read_bytes()
        yield plan, data == shipped, float(np.abs(_decoded(data) - _decoded(shipped)).mean())


def _decoded(data: bytes) -> NDArray[np.float32]:
    return np.asarray(Image.open(io.BytesIO(data)), dtype=np.float32)


def _make(folder: Path, plan: Plan, maker: str) -> Entry:
    pixels, parameters = picture(plan.class_name, plan.seed)
    data = webp(pixels)
    path = folder / plan.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    sha = hashlib.sha256(data).hexdigest()
    return Entry(plan.file, plan.class_name, plan.split, plan.seed, sha, LOOKS[plan.class_name], maker, parameters)
