from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import Save, noise, write_cifar
from udacisense.data import cifar100, sources
from udacisense.data.pool import image_md5
from udacisense.data.sources import available_sources, default_source, describe, fingerprint, load_dataset
from udacisense.errors import DataError
from udacisense.labels import CIFAR100_FINE_LABELS, CLASSES
from udacisense.settings import settings
from udacisense.vision import torchvision


def test_without_anything_the_sample_is_the_default(sample_home: Path) -> None:
    assert default_source() == "sample"
    assert available_sources() == ("sample",)
    assert load_dataset("test").ref.source == "sample"


def test_downloaded_cifar100_comes_before_the_sample(cifar: Path) -> None:
    assert default_source() == "cifar100"
    assert available_sources() == ("cifar100", "sample")


def test_a_folder_that_was_named_comes_first(cifar: Path, save: Save) -> None:
    save("clock/a.png", noise(1))
    assert default_source() == "folder"
    assert available_sources() == ("cifar100", "folder", "sample")


def test_a_named_folder_that_is_missing_is_an_error_and_not_the_sample(folder: Path) -> None:
    folder.rmdir()
    assert default_source() == "folder"
    assert available_sources() == ("sample",)
    with pytest.raises(DataError, match="does not exist"):
        load_dataset("test")


def test_every_source_is_described_and_only_the_sample_points_to_real_images(sample_home: Path) -> None:
    assert [describe(s).name for s in sources.SOURCES] == list(sources.SOURCES)
    assert [s for s in sources.SOURCES if describe(s).how_to_get_real] == ["sample"]
    assert "not the figures of the real test set" in describe("sample").meaning


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: load_dataset("validation"), "no split called 'validation'.*train, test"),
        (lambda: load_dataset("test", "web"), "no source called 'web'.*cifar100, folder, sample"),
        (lambda: load_dataset("test", "sample", "random"), "no split scheme called 'random'.*household-v1, official"),
        (lambda: load_dataset("test", "folder"), "UDACISENSE_DATA_DIR, which is not set"),
        (lambda: load_dataset("test", "cifar100"), "not downloaded.*data --download"),
        (lambda: describe("web"), "no source called"),
        (lambda: fingerprint("web"), "no source called"),
    ],
)
def test_mistakes_are_named_with_the_way_out(sample_home: Path, call: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        call()  # type: ignore[operator]


def test_one_split_from_every_source(cifar: Path, save: Save) -> None:
    """The images of CIFAR-100, saved as files in another layout, give the same dataset under household-v1."""
    for number, image in enumerate(sources.read_pool("cifar100").images):
        save(f"{CLASSES[image.label]}/{number}.png", image.pixels)
    for split in ("train", "test"):
        one, other = load_dataset(split, "cifar100"), load_dataset(split, "folder")
        assert one.ref.dataset_id == other.ref.dataset_id
        assert one.hashes == other.hashes
        np.testing.assert_array_equal(np.stack(one.images), np.stack(other.images))


def test_cifar100_gives_the_household_classes_with_our_labels(cifar: Path) -> None:
    pixels, fine = cifar100.read_all_classes("train")
    data = load_dataset("train", "cifar100", "official")
    wanted = {
        image_md5(p)[:16]: CIFAR100_FINE_LABELS.index(f) for p, f in zip(pixels, fine, strict=True) if f in CIFAR100_FINE_LABELS
    }
    assert dict(zip(data.hashes, data.labels.tolist(), strict=True)) == wanted
    assert data.ref.scheme == "official"
    assert Counter(data.labels.tolist()) == dict.fromkeys(range(10), 4)
    assert load_dataset("test", "cifar100").ref.scheme == "household-v1"


def test_cifar100_rows_are_planes_of_red_green_blue(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 0, 1] = (1, 2, 3)
    monkeypatch.setitem(cifar100.MD5, "test", write_cifar(cifar, "test", image, [22]))
    raw = (cifar / "test").read_bytes()
    row = np.frombuffer(raw, np.uint8, count=3072, offset=raw.index(b"\0\x01\0\0"))
    assert (row[1], row[1025], row[2049]) == (1, 2, 3)
    np.testing.assert_array_equal(cifar100.read_all_classes("test")[0], image)


def test_a_changed_file_is_never_unpickled(cifar: Path) -> None:
    marker = cifar / "ran"
    (cifar / "test").write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    with pytest.raises(DataError, match=r"md5 differs.*not opened.*download again"):
        load_dataset("test", "cifar100")
    assert not marker.exists()


def test_a_pickle_that_asks_for_code_gets_none_even_with_the_right_md5(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = cifar / "ran"
    raw = b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR."
    (cifar / "test").write_bytes(raw)
    monkeypatch.setitem(cifar100.MD5, "test", hashlib.md5(raw).hexdigest())
    with pytest.raises(DataError, match=r"asks for .*system"):
        cifar100.read_all_classes("test")
    assert not marker.exists()


def test_the_published_checksums_are_torchvisions() -> None:
    published = torchvision().datasets.CIFAR100
    assert dict(map(tuple, published.train_list + published.test_list)) == cifar100.MD5
    assert published.base_folder == cifar100.FOLDER


def test_the_fingerprint_follows_the_download(cifar: Path) -> None:
    before = fingerprint("cifar100")
    assert before == fingerprint("cifar100") != fingerprint("sample")
    os.utime(cifar / "test", ns=(1, 1))
    assert fingerprint("cifar100") != before


def test_the_real_household_folder_is_the_household_v1_split(home: Path) -> None:
    data_dir = settings().data_dir
    if data_dir is None or data_dir.name != "household":
        pytest.skip("UDACISENSE_DATA_DIR does not name the 6,000 real images")
    train, test = load_dataset("train"), load_dataset("test")
    assert (test.ref.dataset_id, test.ref.images, test.ref.scheme) == ("2393f9afecd6c4b1", 1000, "household-v1")
    assert (train.ref.dataset_id, train.ref.images, train.ref.scheme) == ("473605f9c9f4877f", 5000, "household-v1")
    parts = sources.split_pool(sources.read_pool("folder"), "household-v1")[1]
    assert [p.md5[:16] for p in parts["test"]] == list(test.hashes)
