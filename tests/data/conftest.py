"""Folders of small made-up images, and a stand-in of CIFAR-100 in the same file format."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from udacisense.data import cifar100
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.settings import settings
from udacisense.types import Pixels, SplitName

Save = Callable[..., Path]


def noise(seed: int, height: int = 32, width: int = 32) -> Pixels:
    """An image like no other."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def stored(upright: Pixels, orientation: int) -> Pixels:
    """How a camera that is held in this way stores a scene (TIFF 6.0, tag 274)."""
    found = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    return np.ascontiguousarray(found[orientation])


@pytest.fixture
def rooms(sample_home: Path) -> Path:
    """A folder of beds, chairs and sofas, three of each, that nobody has named."""
    root = sample_home / "rooms"
    for name in ("bed", "chair", "sofa"):
        (root / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(noise(len(name) * 10 + i)).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def folder(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that UDACISENSE_DATA_DIR names."""
    path = sample_home / "images"
    path.mkdir()
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(path))
    settings.cache_clear()
    return path


@pytest.fixture
def save(folder: Path) -> Save:
    """save("test/clock/a.png", pixels) writes an image into the folder."""

    def write(name: str, pixels: Pixels) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write


def cifar_rows(count: int, seed: int) -> tuple[NDArray[np.uint8], list[int]]:
    """Images (N, 32, 32, 3) of which every second one is of a household class, in turn."""
    rng = np.random.default_rng(seed)
    fine = [CIFAR100_FINE_LABELS[i // 2 % 10] if i % 2 else 1 + i % 3 for i in range(count)]
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), fine


class _Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2 wrote its strings, as in the published files."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_string(self, value: str | bytes) -> None:
        raw = value.encode("latin-1") if isinstance(value, str) else value
        self.write(pickle.BINSTRING + len(raw).to_bytes(4, "little") + raw)  # type: ignore[attr-defined]
        self.memoize(value)  # type: ignore[attr-defined]

    dispatch[str] = dispatch[bytes] = save_string


def python2_pickle(content: object) -> bytes:
    """`content` as Python 2 and the NumPy of its time would have pickled it."""
    out = io.BytesIO()
    _Python2Pickler(out, protocol=2).dump(content)
    return out.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def write_cifar(folder: Path, split: SplitName, pixels: NDArray[np.uint8], fine: list[int]) -> str:
    """One file in CIFAR-100's own format; its md5."""
    content = {b"data": pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1), b"fine_labels": fine}
    folder.mkdir(parents=True, exist_ok=True)
    raw = python2_pickle(content)
    (folder / split).write_bytes(raw)
    return hashlib.md5(raw).hexdigest()


@pytest.fixture
def cifar(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A downloaded stand-in: 80 train and 40 test images, half of them of household classes."""
    where = cifar100.cifar100_folder()
    made: tuple[tuple[SplitName, int, int], ...] = (("train", 80, 1), ("test", 40, 2))
    for split, count, seed in made:
        monkeypatch.setitem(cifar100.MD5, split, write_cifar(where, split, *cifar_rows(count, seed)))
    cifar100._household.cache_clear()
    yield where
    cifar100._household.cache_clear()
