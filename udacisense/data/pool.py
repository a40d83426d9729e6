"""A Pool: everything that a source holds, before it is split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from udacisense.data.dataset import Skipped
from udacisense.types import HOUSEHOLD, Pixels, SplitName


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """One labelled image of a source."""

    pixels: Pixels
    label: int  # index into the classes that it is read for; -1 = of none of them
    md5: str  # 32 hex digits, of the raw RGB bytes at native size
    split: SplitName | None  # where the source itself puts it; None = the source has no split
    place: str  # file, or archive member and row


@dataclass(frozen=True, slots=True)
class Pool:
    """All images of a source."""

    images: tuple[LabelledImage, ...]
    skipped: tuple[Skipped, ...] = ()
    wrong_classes: tuple[str, ...] = ()  # folders that are none of the classes
    notes: tuple[str, ...] = ()  # how the source was read, where that is not plain
    inside: str = ""  # the folder within the source that holds the classes; empty = itself
    maybe: tuple[tuple[str, str], ...] = ()  # names that may mean a class, which nobody confirmed
    same: tuple[tuple[str, str], ...] = ()  # names that were read as a class, as a person confirmed


def image_md5(pixels: Pixels) -> str:
    """md5 of the raw RGB bytes, row by row: the same for an image from any source, 32 hex digits."""
    return hashlib.md5(pixels.tobytes(), usedforsecurity=False).hexdigest()


def relabelled(pool: Pool, classes: Sequence[str]) -> Pool:
    """A pool of the household classes with the labels that a model of other classes gives them, by name."""
    if tuple(classes) == HOUSEHOLD.classes:
        return pool
    labels = [classes.index(name) if name in classes else -1 for name in HOUSEHOLD.classes]
    return replace(pool, images=tuple(replace(image, label=labels[image.label]) for image in pool.images))
