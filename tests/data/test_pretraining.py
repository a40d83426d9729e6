from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import Save, cifar_rows, noise
from udacisense.data.cifar100 import read_all_classes
from udacisense.data.pool import image_md5
from udacisense.data.pretraining import load_all_classes
from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.settings import settings


def name_file(path: Path, monkeypatch: pytest.MonkeyPatch, **arrays: object) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    monkeypatch.setenv("UDACISENSE_PRETRAIN_FILE", str(path))
    settings.cache_clear()


@pytest.fixture(autouse=True)
def no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UDACISENSE_PRETRAIN_FILE", raising=False)


def test_a_downloaded_cifar100_gives_all_but_the_household_test_images(cifar: Path) -> None:
    x, y = load_all_classes()
    everything = {image_md5(p) for split in ("train", "test") for p in read_all_classes(split)[0]}
    held_out = set(load_dataset("test").hashes)
    assert {image_md5(p) for p in x} == {m for m in everything if m[:16] not in held_out}
    assert len(x) == len(y) == len(everything) - len(held_out)
    fine = {image_md5(p)[:16]: f for p, f in zip(x, y, strict=True)}
    train = load_dataset("train")
    assert [fine[h] for h in train.hashes] == [CIFAR100_FINE_LABELS[label] for label in train.labels]


def test_a_file_comes_first_and_its_household_test_images_are_left_out(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others, fine = cifar_rows(6, seed=9)
    leak = load_dataset("test").images[0]
    name_file(cifar / "other.npz", monkeypatch, x=np.concatenate([others, leak[None]]), y=np.array([*fine, 22], np.uint8))
    x, y = load_all_classes()
    assert len(x) == 6 + len(load_dataset("train"))
    assert image_md5(leak) not in {image_md5(p) for p in x}
    assert y.dtype == np.int64


def test_images_of_other_sizes_are_brought_to_32(save: Save, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for i in range(3):
        save(f"clock/{i}.png", noise(i, 40 + i, 50))
    others, fine = cifar_rows(4, seed=9)
    name_file(tmp_path / "other.npz", monkeypatch, x=others, y=np.array(fine))
    assert load_all_classes()[0].shape == (6, 32, 32, 3)


def test_without_either_it_says_the_three_ways_out(sample_home: Path) -> None:
    with pytest.raises(DataError, match=r"data --download.*UDACISENSE_PRETRAIN_FILE.*drop the pretraining"):
        load_all_classes()


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x": np.zeros((2, 32, 32, 3), np.uint8)}, "not an .npz with x and y"),
        ({"x": np.zeros((2, 3, 32, 32), np.uint8), "y": np.zeros(2)}, r"needs x uint8 \(N, 32, 32, 3\)"),
        ({"x": np.zeros((2, 32, 32, 3)), "y": np.zeros(2)}, "float64"),
        ({"x": np.zeros((2, 32, 32, 3), np.uint8), "y": np.zeros(3)}, r"y \(3,\)"),
        ({"x": np.array([object()]), "y": np.zeros(1)}, "not an .npz with x and y"),  # would be a pickle
    ],
)
def test_a_file_of_another_form_is_refused(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch, arrays: dict[str, object], says: str
) -> None:
    name_file(sample_home / "other.npz", monkeypatch, **arrays)
    with pytest.raises(DataError, match=says):
        load_all_classes()


def test_a_missing_file_is_named(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDACISENSE_PRETRAIN_FILE", str(sample_home / "gone.npz"))
    settings.cache_clear()
    with pytest.raises(DataError, match=r"gone\.npz"):
        load_all_classes()
