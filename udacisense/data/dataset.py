"""The Dataset: decoded images with labels and hashes, the same from every source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from udacisense.types import HOUSEHOLD, DatasetRef, Pixels, Preprocessing, SplitName

Kind = Literal[
    "damaged",
    "not an image",
    "too large",
    "unreadable",
    "a link",
    "not there",
    "without a label",
    "of no class",
    "of a third part",
    "an empty folder",
    "another file",
    "hidden",
]
"""Why a file is not read: its bytes, how it lies there, or what is known of it."""

LOST: frozenset[Kind] = frozenset(get_args(Kind)[:7])
"""Those by which an image may be missing that somebody meant to be there."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was passed over, and why."""

    path: str  # in the folder, where the source is one
    reason: str
    kind: Kind = "damaged"
    split: SplitName | None = None  # the part that it lies in; None = not known


@dataclass(frozen=True, slots=True)
class LeftOut:
    """All files that were passed over for one kind of reason."""

    kind: Kind
    files: int
    first: tuple[str, ...]  # a few of them, by path


FIRST = 5


def left_out(skipped: Iterable[Skipped]) -> tuple[LeftOut, ...]:
    """What was passed over, by kind; nothing of a kind that there is none of."""
    of_kind: dict[Kind, list[str]] = {kind: [] for kind in get_args(Kind)}
    for one in skipped:
        of_kind[one.kind].append(one.path)
    return tuple(LeftOut(kind, len(paths), tuple(paths[:FIRST])) for kind, paths in of_kind.items() if paths)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One split: N images, decoded once and kept as uint8 (H, W, 3), which may differ in size."""

    ref: DatasetRef
    images: tuple[Pixels, ...]
    labels: NDArray[np.int64]  # N, index into classes; -1 = of none of them
    hashes: tuple[str, ...]  # first 16 hex digits of the md5 of each image's raw RGB bytes: its id
    classes: tuple[str, ...] = HOUSEHOLD.classes
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()  # sentences on how the source was read, which a figure on it has to tell
    preprocessing: Preprocessing = HOUSEHOLD.preprocessing  # of the model that it is shown to

    def __post_init__(self) -> None:
        sizes = {len(self.images), len(self.labels), len(self.hashes), self.ref.images}
        if len(sizes) != 1:
            raise ValueError(f"images, labels, hashes and ref.images must have one length, got {sorted(sizes)}")

    def __len__(self) -> int:
        return len(self.images)

    def counts(self) -> dict[str, int]:
        """Images per class name, in the order of the classes."""
        found = np.bincount(self.labels[self.labels >= 0], minlength=len(self.classes))
        return {name: int(n) for name, n in zip(self.classes, found, strict=True)}
