"""Draws the sample pack: twelve pictures of each household class, the same on every run.

    python -m tools.draw_sample_pack [FOLDER]

A picture is drawn at four times its size and shrunk, so that edges are smooth. Which pictures are for testing is decided by
household-v1, as for any source.
"""

from __future__ import annotations

import argparse
import colorsys
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tools import sample_devices, sample_furniture
from tools.sample_canvas import SIZE_PX, Canvas
from udacisense.data.pool import Picture, picture_md5
from udacisense.data.sources import SAMPLE
from udacisense.data.splits import dataset_id, household_v1
from udacisense.labels import CLASSES

PER_CLASS = 12
SEED = 20

Artist = Callable[[Canvas, random.Random, int], None]


def main() -> None:
    """Draw the pack into the folder given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLE)
    folder: Path = parser.parse_args().folder
    pictures = [_picture(label, number) for label in range(len(CLASSES)) for number in range(PER_CLASS)]
    write_pack(folder, pictures)
    print(f"{len(pictures)} pictures in {folder}")


def write_pack(folder: Path, pictures: list[Picture]) -> None:
    """Replace the pack in `folder`: <split>/<class>/<md5 prefix>.png and manifest.json."""
    parts = household_v1(pictures)
    listed = []
    for split, members in parts.items():
        shutil.rmtree(folder / split, ignore_errors=True)
        for picture in members:
            path = folder / split / CLASSES[picture.label] / f"{picture.md5[:16]}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.pixels).save(path, optimize=True)
            listed.append({"file": path.relative_to(folder).as_posix(), "class": CLASSES[picture.label], "md5": picture.md5})
    manifest = {
        "title": "Drawn household things",
        "made_by": "python -m tools.draw_sample_pack",
        "licence": "Apache-2.0, as the project",
        "size_px": [SIZE_PX, SIZE_PX],
        "split": "household-v1",
        "dataset_id": {split: dataset_id(members) for split, members in parts.items()},
        "pictures": sorted(listed, key=lambda p: p["file"]),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _picture(label: int, number: int) -> Picture:
    rng = random.Random(f"{SEED}-{label}-{number}")
    pixels = np.asarray(_scene(_artist(CLASSES[label]), rng, number))
    return Picture(pixels, label, picture_md5(pixels), None, f"{CLASSES[label]} {number}")


def _artist(name: str) -> Artist:
    home = sample_devices if hasattr(sample_devices, name) else sample_furniture
    artist: Artist = getattr(home, name)
    return artist


def _scene(draw_thing: Artist, rng: random.Random, number: int) -> Image.Image:
    """A wall, a floor, and the thing on its own layer, tilted and placed by chance."""
    room = Canvas.filled(_soft(rng, 0.93))
    if number % 3:
        room.box(0, rng.uniform(66, 76), 100, 100, _soft(rng, 0.72))
    thing = Canvas.empty()
    draw_thing(thing, rng, number)
    tilt, scale = rng.uniform(-5, 5), rng.uniform(0.84, 1.0)
    shift = rng.uniform(-5, 5), rng.uniform(-4, 4)
    return room.with_layer(thing, tilt, scale, shift).shrunk()


def _soft(rng: random.Random, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.03, 0.22), value)
    return round(red * 255), round(green * 255), round(blue * 255)


if __name__ == "__main__":
    main()
