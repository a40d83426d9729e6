"""The pack's manifest: what every image is, and the check that the files are the images it tells of. Needs no renderer."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from household.compose import IMAGES, TRAIN_IMAGES, scene_seed
from household.draw import Value
from household.subjects import SUBJECTS

SCHEMA = 1
VERSION = "1.1.0"
"""The generator's version: raise it with every change that alters a picture."""
LOOKS = {**dict.fromkeys(SUBJECTS, "1.0.0"), "wardrobe": "1.1.0"}
"""The version in which a class last changed its looks: what this generator makes of it is what that one made."""
FILE = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """One image of the pack; `class_name` is `class` in the file."""

    file: str
    class_name: str
    split: str
    seed: int
    sha256: str
    generator: str
    renderer: str
    parameters: dict[str, Value]


@dataclass(frozen=True)
class Plan:
    """An image to make: its class, its seed, its split and its place in the pack."""

    class_name: str
    seed: int
    split: str

    @property
    def file(self) -> str:
        """Path within the pack, with forward slashes."""
        return f"{self.split}/{self.class_name}/{self.class_name}_{self.seed:05d}.webp"


def plans(only: str | None = None) -> list[Plan]:
    """All images of the pack, or those of one class, in their order."""
    names = [only] if only else list(SUBJECTS)
    return [Plan(n, scene_seed(n, k), "train" if k < TRAIN_IMAGES else "test") for n in names for k in range(IMAGES)]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(folder: Path) -> dict[str, Entry]:
    """The entries by file name; none where there is no manifest yet."""
    path = folder / FILE
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))["images"]
    return {
        row["file"]: Entry(**{("class_name" if key == "class" else key): value for key, value in row.items()}) for row in rows
    }


def write(folder: Path, entries: dict[str, Entry]) -> None:
    """The manifest, complete or not at all: written beside its place, then moved there."""
    order = {plan.file: number for number, plan in enumerate(plans())}
    rows = [_row(entries[file]) for file in sorted(entries, key=lambda file: (order.get(file, len(order)), file))]
    head = {"schema": SCHEMA, "licence": "CC0-1.0", "generator": VERSION, "classes": list(SUBJECTS)}
    part = folder / (FILE + ".part")
    part.write_text(_text(head, rows), encoding="utf-8")
    os.replace(part, folder / FILE)


def _text(head: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The JSON, one image a line, so that a changed image is one changed line."""
    images = ",\n".join(json.dumps(row) for row in rows)
    return f'{json.dumps(head)[:-1]},\n"images": [\n{images}\n]}}\n'


def _row(entry: Entry) -> dict[str, Any]:
    row = asdict(entry)
    return {"file": row.pop("file"), "class": row.pop("class_name"), **row}


def agrees(folder: Path, entry: Entry | None, renderer: str) -> bool:
    """Whether the image is there, whole, and made by this generator with this renderer."""
    if entry is None or (entry.generator, entry.renderer) != (LOOKS[entry.class_name], renderer):
        return False
    path = folder / entry.file
    return path.is_file() and digest(path) == entry.sha256


def problems(folder: Path) -> list[str]:
    """What is wrong with a pack, a sentence each; empty for a whole one."""
    entries = read(folder)
    found = [f"{plan.file} is not in the manifest." for plan in plans() if plan.file not in entries]
    for file, entry in entries.items():
        path = folder / file
        if not path.is_file():
            found.append(f"{file} is missing.")
        elif digest(path) != entry.sha256:
            found.append(f"{file} is not the file that the manifest tells of.")
    listed = {folder / file for file in entries}
    found += [f"{path.relative_to(folder).as_posix()} is not listed." for path in folder.rglob("*.webp") if path not in listed]
    twice = [sha for sha, count in Counter(entry.sha256 for entry in entries.values()).items() if count > 1]
    return found + [f"The image with SHA-256 {sha[:12]} is there more than once." for sha in twice]
