"""The Dataset: decoded images with labels and hashes, the same from every source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udacisense.types import HOUSEHOLD, DatasetRef, Pixels, Preprocessing


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was passed over, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One split: N images, decoded once and kept as uint8 (H, W, 3), which may differ in size."""

    ref: DatasetRef
    images: tuple[Pixels, ...]
    labels: NDArray[np.int64]  # N, index into classes; -1 = of none of them
    hashes: tuple[str, ...]  # first 16 hex digits of the md5 of each image's raw RGB bytes: its id
    classes: tuple[str, ...] = HOUSEHOLD.classes
    skipped: tuple[Skipped, ...] = ()
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
