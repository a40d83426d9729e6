"""Images to train a network on, beside the pack: seeds of their own, round the classes in turn, never twice the same."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from household import manifest
from household.compose import scene_seed
from household.manifest import Entry, Plan
from household.subjects import SUBJECTS

FIRST, LAST = 100, 999
"""Numbers of a class's training images: far from the pack's, and below the next class's seeds."""
LOOK = "training 1"
"""What a training image looks like; raised with a change. Images of an earlier one stay: they are as good to learn from."""


def plans(count: int, classes: Sequence[str] = tuple(SUBJECTS)) -> list[Plan]:
    """`count` images of each class, the classes in turn, so that those made until a stop are balanced."""
    if not 0 < count <= LAST - FIRST + 1:
        raise ValueError(f"A class has {LAST - FIRST + 1} training images at the most, and one at the least; not {count}.")
    return [Plan(name, scene_seed(name, k), "train") for k in range(FIRST, FIRST + count) for name in classes]


def missing(folder: Path, wanted: Sequence[Plan]) -> list[Plan]:
    """The images that are not yet there, or are not those that the manifest tells of."""
    entries = manifest.read(folder)
    return [plan for plan in wanted if not _there(folder, entries.get(plan.file))]


def _there(folder: Path, entry: Entry | None) -> bool:
    return entry is not None and (folder / entry.file).is_file() and manifest.digest(folder / entry.file) == entry.sha256


def render_training(folder: Path, wanted: Sequence[Plan], size: int, workers: int = 1) -> Iterator[tuple[Plan, float]]:
    """Makes what is missing; yields each image made and the seconds since the one before. The manifest is true after each."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, todo = manifest.read(folder), missing(folder, wanted)
    start = time.perf_counter()
    for plan, entry in zip(todo, _entries(folder, todo, size, workers), strict=True):
        entries[entry.file] = entry
        manifest.write(folder, entries)
        yield plan, time.perf_counter() - start
        start = time.perf_counter()


def _entries(folder: Path, todo: Sequence[Plan], size: int, workers: int) -> Iterator[Entry]:
    make = partial(_make, folder, size)
    if workers == 1:
        yield from map(make, todo)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(make, todo)


def _make(folder: Path, size: int, plan: Plan) -> Entry:
    from household.develop import webp
    from household.pack import SAMPLES, picture
    from household.tracer import renderer

    pixels, parameters = picture(plan.class_name, plan.seed, size, SAMPLES, training=True)
    path = folder / plan.file
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(webp(pixels))
    sha = manifest.digest(part)
    os.replace(part, path)
    maker = f"{renderer()}, {SAMPLES} samples, {size} px"
    return Entry(plan.file, plan.class_name, plan.split, plan.seed, sha, LOOK, maker, parameters)
