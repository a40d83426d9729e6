"""The images a conversion may look at: training images, some to calibrate by, others to choose by; never a test image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import preprocess
from udacisense.data.sources import default_source, fingerprint, load_dataset
from udacisense.models.checkpoint import trained_hashes
from udacisense.records.store import write_text
from udacisense.settings import settings
from udacisense.types import HOUSEHOLD, Checkpoint, Images, ImageSet, ModelSpec

VALIDATION_PER_CLASS = 50
BATCH = 50


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationSplit:
    """The training images of a conversion, in two parts that share no image."""

    checkpoint: Checkpoint
    data: Dataset
    validation: NDArray[np.int64]  # indices into data
    calibration: NDArray[np.int64]  # indices into data, the classes in turn
    unseen: bool  # whether the checkpoint was not trained on the validation images; False also where nobody wrote it down

    def calibrate(self, images: int) -> ImageSet:
        """The first `images` calibration images: each class as often as the others."""
        chosen = self.calibration[:images]
        return ImageSet(self._images(chosen), tuple(self.data.hashes[i] for i in chosen), self.data.labels[chosen])

    def validate(self) -> Iterator[tuple[Images, NDArray[np.int64]]]:
        """The validation images and their labels, BATCH at a time: all at once they would fill the memory."""
        for start in range(0, len(self.validation), BATCH):
            chosen = self.validation[start : start + BATCH]
            yield self._images(chosen), self.data.labels[chosen]

    def _images(self, chosen: NDArray[np.int64]) -> Images:
        c = self.checkpoint
        return preprocess([self.data.images[i] for i in chosen], c.preprocessing)


def draw(checkpoint: Checkpoint, data: Dataset) -> CalibrationSplit:
    """Part a training split: per class up to VALIDATION_PER_CLASS images to choose by, the others to calibrate by.

    To choose by, images that the checkpoint was not trained on come first: on those that it learned by heart every file
    agrees with it. Within that the order is that of the hashes, so that it is the same on every machine.
    """
    trained = trained_hashes(checkpoint)
    parts = [_part(data, label, trained) for label in np.unique(data.labels)]
    validation = np.concatenate([v for v, _ in parts])
    turns = [i for turn in zip_longest(*(c.tolist() for _, c in parts)) for i in turn if i is not None]
    unseen = trained is not None and not any(data.hashes[i] in trained for i in validation)
    return CalibrationSplit(checkpoint, data, validation, np.array(turns, np.int64), unseen)


def _part(data: Dataset, label: int, trained: frozenset[str] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    members = np.flatnonzero(data.labels == label)
    ordered = sorted(members.tolist(), key=lambda i: (data.hashes[i] in (trained or ()), data.hashes[i]))
    held = min(VALIDATION_PER_CLASS, len(ordered) // 2)
    return np.array(ordered[:held], np.int64), np.array(ordered[held:], np.int64)


def golden_images(checkpoint: Checkpoint) -> ImageSet:
    """One image of the sample pack for each class, preprocessed: they are ours, so they may travel with a file."""
    data = load_dataset("test", "sample")
    chosen = [int(np.flatnonzero(data.labels == label)[0]) for label in np.unique(data.labels)]
    images = preprocess([data.images[i] for i in chosen], checkpoint.preprocessing)
    names = [data.classes[data.labels[i]] for i in chosen]
    labels = [checkpoint.classes.index(name) if name in checkpoint.classes else -1 for name in names]
    return ImageSet(images, tuple(data.hashes[i] for i in chosen), np.array(labels, np.int64))


def training_set_id(spec: ModelSpec = HOUSEHOLD) -> str:
    """The dataset id of the training split, read from a note while the source's files are as they were: it is asked often."""
    note = _note(f"{fingerprint(spec=spec)}{spec.digest}")
    if note.is_file():
        return note.read_text(encoding="utf-8").strip()
    found = load_dataset("train", spec=spec).ref.dataset_id
    write_text(note, f"{found}\n")
    return found


def _note(state: str) -> Path:
    return settings().home / ".udacisense" / "datasets" / f"{default_source()}-{state}.txt"
