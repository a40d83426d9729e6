"""All hundred CIFAR-100 classes, for learning to see before the ten household classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.settings import settings


def load_all_classes() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures (N, 32, 32, 3) and fine labels (N, 0..99): the other ninety classes and the household training images.

    The household test images are never among them.

    Raises:
        DataError: the file named by UDACISENSE_PRETRAIN_FILE is missing or not of that form.
    """
    path = settings().pretrain_file
    if path is None or not path.is_file():
        raise DataError(
            f"Pretraining needs the other CIFAR-100 classes; {path or 'no file'} was found. Set UDACISENSE_PRETRAIN_FILE to "
            "an .npz with x (N, 32, 32, 3) uint8 and y (N) fine labels, or drop the pretraining stage from the recipe."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            x, y = archive["x"], archive["y"].astype(np.int64)
    except (OSError, KeyError, ValueError) as exc:
        raise DataError(f"{path} is not an .npz with x and y: {exc}. Make it again.") from exc
    household = load_dataset("train")
    fine = np.array(CIFAR100_FINE_LABELS)[household.labels]
    return np.concatenate([x, np.stack(household.pictures)]), np.concatenate([y, fine])
