"""All hundred CIFAR-100 classes, for learning to see before the ten household classes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udacisense.data.cifar100 import PX, is_downloaded, read_all_classes
from udacisense.data.pool import image_md5
from udacisense.data.preprocess import resize
from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.foreign import in_brief
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.settings import settings


def load_all_classes(without: Collection[str] = ()) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, 32, 32, 3) and fine labels (N, 0..99): the other ninety classes and the household training images.

    The other classes come from the setting pretrain_file, else from the downloaded CIFAR-100. The household test images are
    never among them.

    Args:
        without: ids (hashes) of household training images that are left out, such as those held out to choose by.

    Raises:
        DataError: neither is there, or the file is not of that form.
    """
    x, y = other_classes()
    household, held_out = load_dataset("train"), {*load_dataset("test").hashes, *without}
    keep = [image_md5(image)[:16] not in held_out for image in x]
    ours = [i for i, name in enumerate(household.hashes) if name not in held_out]
    fine = np.array(CIFAR100_FINE_LABELS, np.int64)[household.labels[ours]]
    small = np.stack([resize(household.images[i], (PX, PX)) for i in ours])
    return np.concatenate([x[keep], small]), np.concatenate([y[keep], fine])


def other_classes() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, 32, 32, 3) of the other ninety CIFAR-100 classes, and their fine labels.

    Raises:
        DataError: none are here, or the file is not of that form.
    """
    path = settings().pretrain_file
    if path is not None:
        return _from_file(path)
    if not is_downloaded():
        raise DataError(
            "Pretraining needs the other CIFAR-100 classes; none are here. Run `python -m udacisense data --download`, set "
            "UDACISENSE_PRETRAIN_FILE to an .npz with x (N, 32, 32, 3) uint8 and y (N) fine labels, or drop the pretraining "
            "stage from the recipe."
        )
    parts = [read_all_classes("train"), read_all_classes("test")]
    x, y = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    other = ~np.isin(y, CIFAR100_FINE_LABELS)
    return x[other], y[other]


def _from_file(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            x, y = archive["x"], archive["y"].astype(np.int64)
    except (OSError, KeyError, ValueError) as exc:
        raise DataError(f"{path} is not an .npz with x and y: {in_brief(exc)}. Make it again or name another.") from exc
    if x.dtype != np.uint8 or x.shape[1:] != (PX, PX, 3) or y.shape != x.shape[:1]:
        raise DataError(
            f"{path} holds x {x.dtype} {x.shape} and y {y.shape}; it needs x uint8 (N, {PX}, {PX}, 3) and y (N). Make it again."
        )
    return x, y
