"""The source `cifar100`: the downloaded archive's own files, read without torch.

They are pickles, so a file is only opened after its md5 proved that it is the published one.
Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udacisense.data.pool import LabelledImage, Pool, image_md5
from udacisense.errors import DataError
from udacisense.foreign import in_brief
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.settings import settings
from udacisense.types import SplitName

FOLDER = "cifar-100-python"
MD5: dict[SplitName, str] = {  # as published and as torchvision has them
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
}
PX = 32


def cifar100_folder() -> Path:
    """Where the unpacked archive lies, or would."""
    return settings().cache_dir / FOLDER


def is_downloaded() -> bool:
    """Whether both files lie there; whether they are whole is checked when they are read."""
    return all((cifar100_folder() / split).is_file() for split in MD5)


def read_cifar100() -> Pool:
    """The images of the ten household classes, train and test.

    Raises:
        DataError: not downloaded, or a file that is not the published one.
    """
    return _household(*(_state(split) for split in MD5))


def read_all_classes(split: SplitName) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All hundred classes of one of CIFAR-100's own parts: images (N, 32, 32, 3) and fine labels (N, 0..99).

    Raises:
        DataError: not downloaded, or a file that is not the published one.
    """
    return _rows(_unpickle_verified(cifar100_folder() / split, MD5[split]))


@lru_cache(maxsize=1)
def _household(*states: tuple[SplitName, str, int]) -> Pool:
    """Keyed by the files' times, so that it is read once per process and state."""
    return Pool(tuple(p for split, _, _ in states for p in _household_images(split)))


def _state(split: SplitName) -> tuple[SplitName, str, int]:
    path = cifar100_folder() / split
    if not path.is_file():
        raise DataError(f"CIFAR-100 is not downloaded: {path} is missing. Run `python -m udacisense data --download`.")
    return split, str(path), path.stat().st_mtime_ns


def _household_images(split: SplitName) -> list[LabelledImage]:
    pixels, fine = read_all_classes(split)
    found = []
    for row in np.flatnonzero(np.isin(fine, CIFAR100_FINE_LABELS)):
        image = pixels[row].copy()
        image.setflags(write=False)
        label = CIFAR100_FINE_LABELS.index(int(fine[row]))
        found.append(LabelledImage(image, label, image_md5(image), split, f"{FOLDER}/{split}, row {row}"))
    return found


def _rows(content: Mapping[bytes, Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    planes = np.asarray(content[b"data"], np.uint8).reshape(-1, 3, PX, PX)  # a row holds the red, then green, then blue plane
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), np.asarray(content[b"fine_labels"], np.int64)


def _unpickle_verified(path: Path, md5: str) -> Mapping[bytes, Any]:
    """Reads once, checks those very bytes, then unpickles them."""
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise DataError(f"CIFAR-100 cannot be read: {in_brief(exc)}. Run `python -m udacisense data --download`.") from exc
    if hashlib.md5(raw, usedforsecurity=False).hexdigest() != md5:
        raise DataError(
            f"{path} is not CIFAR-100's published file (its md5 differs), so it was not opened. "
            f"Delete the folder {path.parent} and download again with `python -m udacisense data --download`."
        )
    try:
        content: Mapping[bytes, Any] = _ArraysOnly(io.BytesIO(raw), encoding="bytes").load()
    except Exception as exc:  # a pickle that is not of this form raises nearly anything
        raise DataError(
            f"{path} could not be unpacked: {in_brief(exc)}. Delete the folder {path.parent} and download again."
        ) from exc
    return content


class _ArraysOnly(pickle.Unpickler):
    """A second lock: nothing but NumPy arrays and plain values comes out, whatever a pickle asks for."""

    _ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar", "encode"})
    _HOMES = ("numpy", "_codecs")

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] not in self._HOMES or name not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
