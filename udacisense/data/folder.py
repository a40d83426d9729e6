"""The source `folder`: `<split>/<class>/*.png`, or `<class>/*.png` with the split made by hash."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

from udacisense import files
from udacisense.data.dataset import Skipped
from udacisense.data.images import decode_image
from udacisense.data.pool import LabelledImage, Pool, image_md5
from udacisense.data.preprocess import before_crop
from udacisense.data.splits import household_v1_test
from udacisense.errors import DataError, ImageError, StoreError
from udacisense.foreign import in_brief
from udacisense.types import HOUSEHOLD, MAX_CLASSES, ModelSpec, Pixels, Preprocessing, SplitName

ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".mpo", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".gif")
MAX_FILE_BYTES = 256 * 1024**2
_SPLITS: tuple[SplitName, ...] = get_args(SplitName)
_MD5_PREFIX = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class File:
    """A file in a class folder, as the directory tells it; equal as long as nobody changes it."""

    path: str
    label: int
    split: SplitName | None
    size_bytes: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Listing of the folder, before an image is opened."""

    root: str
    files: tuple[File, ...]
    wrong_classes: tuple[str, ...]


def read_folder(root: Path, spec: ModelSpec = HOUSEHOLD) -> Pool:
    """Every readable image below `root`; the others are skipped with a reason. Decoded once per process and state.

    Raises:
        DataError: no such folder, none of the class folders in it, or not one readable image.
    """
    listing = list_folder(root, spec.classes)
    pool = _decode(listing, spec.preprocessing)
    if pool.images:
        return pool
    found = (
        f"{len(pool.skipped)} files could not be used ({pool.skipped[0].reason})" if pool.skipped else "the folders are empty"
    )
    raise DataError(f"{root} has no readable image: {found}. Put images into {_layout()}.")


def read_named_by_hash(root: Path, split: SplitName, spec: ModelSpec = HOUSEHOLD) -> Pool | None:
    """One part of a folder whose file names say, by the md5 they begin with, that its split is household-v1.

    Only this part is opened, and its names are checked against its images. None = not such a folder, or a name is false.

    Raises:
        DataError: no such folder, or none of the class folders in it.
    """
    listing = list_folder(root, spec.classes)
    if not _says_household_v1(listing):
        return None
    pool = _decode(replace(listing, files=tuple(f for f in listing.files if f.split == split)), spec.preprocessing)
    true = bool(pool.images) and all(_stem(p.place) == p.md5[:16] for p in pool.images)
    return pool if true else None


def _says_household_v1(listing: Listing) -> bool:
    named = [(f, _stem(f.path)) for f in listing.files if f.path.lower().endswith(ENDINGS)]
    if not named or not all(_MD5_PREFIX.fullmatch(name) for _, name in named):
        return False
    test = household_v1_test((f.label, name) for f, name in named)
    return all(f.split == ("test" if (f.label, name) in test else "train") for f, name in named)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def list_folder(root: Path, classes: Sequence[str] = HOUSEHOLD.classes) -> Listing:
    """The files in the class folders, in a fixed order, with sizes and times but unopened.

    Raises:
        DataError: no such folder, not readable, or none of the class folders in it.
    """
    if not root.is_dir():
        raise DataError(f"The folder {root} does not exist. Correct UDACISENSE_DATA_DIR or unset it to use another source.")
    try:
        groups = list(_class_folders(root, classes))
        files = tuple(f for split, folder, label in groups if label is not None for f in _files(folder, label, split))
    except OSError as exc:
        raise DataError(f"The folder {root} cannot be read: {in_brief(exc)}. Allow reading, or choose another.") from exc
    if all(label is None for _, _, label in groups):
        raise DataError(f"{root} holds none of the class folders ({', '.join(classes)}). It needs {_layout()}.")
    wrong = tuple(str(folder.relative_to(root)) for _, folder, label in groups if label is None)
    return Listing(str(root), files, wrong)


def folder_classes(root: Path) -> tuple[str, ...]:
    """The classes that a folder holds images of: the household ones, or its own where it holds none of these.

    Raises:
        DataError: it cannot be read.
    """
    try:
        below = [root / split for split in _SPLITS if (root / split).is_dir()] or [root]
        names = sorted({folder.name for part in below if part.is_dir() for folder in _folders(part)})
    except OSError as exc:
        raise DataError(f"The folder {root} cannot be read: {in_brief(exc)}. Allow reading, or choose another.") from exc
    ours = bool(set(names) & set(HOUSEHOLD.classes))
    return HOUSEHOLD.classes if ours or not 2 <= len(names) <= MAX_CLASSES else tuple(names)


def _layout() -> str:
    return "<class>/*.png, or train/<class>/*.png and test/<class>/*.png"


def _class_folders(root: Path, classes: Sequence[str]) -> Iterator[tuple[SplitName | None, Path, int | None]]:
    """Split, folder and label; a folder that is none of the classes has no label."""
    splits = [s for s in _SPLITS if (root / s).is_dir()]
    for split in splits:
        yield from ((split, folder, _label(folder, classes)) for folder in _folders(root / split))
    for folder in _folders(root):
        if not splits:
            yield None, folder, _label(folder, classes)
        elif folder.name not in splits:
            yield None, folder, None


def _folders(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _label(folder: Path, classes: Sequence[str]) -> int | None:
    return classes.index(folder.name) if folder.name in classes else None


def _files(folder: Path, label: int, split: SplitName | None) -> list[File]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            image = entry.name.lower().endswith(ENDINGS)  # whatever bears such a name is told, a folder or a pipe as well
            if not entry.name.startswith(".") and (image or entry.is_file()):
                stat = entry.stat(follow_symlinks=entry.is_file())
                found.append(File(entry.path, label, split, stat.st_size, stat.st_mtime_ns))
    return sorted(found, key=lambda f: f.path)


@lru_cache(maxsize=4)
def _decode(listing: Listing, preprocessing: Preprocessing) -> Pool:
    images, skipped = [], []
    root = Path(listing.root)
    for file in listing.files:
        try:
            _check_links(Path(file.path), root)
            images.append(_image(file, preprocessing))
        except (ImageError, StoreError, OSError) as exc:
            skipped.append(Skipped(file.path, str(exc)))
    return Pool(tuple(images), tuple(skipped), listing.wrong_classes)


def _check_links(path: Path, root: Path) -> None:
    """Following links takes its time with thousands of images, so it is done where there are some."""
    if any(
        os.path.islink(part) for part in (path, path.parent, path.parent.parent) if part.is_relative_to(root) and part != root
    ):
        files.check_place(path, root)


def _image(file: File, preprocessing: Preprocessing) -> LabelledImage:
    name = os.path.basename(file.path)
    if not name.lower().endswith(ENDINGS):
        raise ImageError(f"{name} does not end in one of {', '.join(ENDINGS)}. Move it away or rename it.")
    if file.size_bytes > MAX_FILE_BYTES:
        raise ImageError(f"{name} is larger than {MAX_FILE_BYTES >> 20} MB. Make it smaller.")
    pixels = decode_image(files.read_bytes(Path(file.path), MAX_FILE_BYTES), name)
    return LabelledImage(_bounded(pixels, preprocessing), file.label, image_md5(pixels), file.split, file.path)


def _bounded(pixels: Pixels, preprocessing: Preprocessing) -> Pixels:
    """An image larger than the network's input is kept at that size: preprocessing gives the same, memory stays small."""
    height, width = preprocessing.input_size
    kept = before_crop(pixels, preprocessing) if pixels.shape[0] * pixels.shape[1] > height * width else pixels
    kept.setflags(write=False)
    return kept
