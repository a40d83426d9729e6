from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import Save, noise
from udacisense.data import folder as folder_module
from udacisense.data.folder import list_folder, read_folder
from udacisense.data.pool import image_md5
from udacisense.data.preprocess import preprocess
from udacisense.data.sources import fingerprint, load_dataset
from udacisense.errors import DataError
from udacisense.labels import INPUT_PX
from udacisense.settings import settings


def test_class_folders_are_split_by_hash(folder: Path, save: Save) -> None:
    images = [noise(i) for i in range(7)]
    for i, pixels in enumerate(images):
        save(f"lamp/{i}.png", pixels)
    test, train = load_dataset("test"), load_dataset("train")
    assert (len(test), len(train)) == (1, 6)
    assert test.hashes[0] == min(image_md5(p) for p in images)[:16]
    assert (test.ref.source, test.ref.scheme, test.ref.split) == ("folder", "household-v1", "test")
    assert test.labels.tolist() == [2]
    np.testing.assert_array_equal(test.images[0], min(images, key=image_md5))


def test_a_split_made_by_a_person_is_kept_unless_household_v1_is_asked_for(folder: Path, save: Save) -> None:
    ordered = sorted((noise(i) for i in range(4)), key=image_md5)
    for i, pixels in enumerate(ordered):
        save(f"{'test' if i == 3 else 'train'}/bed/{i}.png", pixels)
    kept = load_dataset("test")
    assert kept.ref.scheme == "official"
    np.testing.assert_array_equal(kept.images[0], ordered[3])
    assert load_dataset("test", scheme="official").ref == kept.ref
    by_hash = load_dataset("test", scheme="household-v1")
    assert by_hash.ref.scheme == "household-v1"
    np.testing.assert_array_equal(by_hash.images[0], ordered[0])


def test_a_folder_with_test_alone_is_all_test(folder: Path, save: Save) -> None:
    for i in range(5):
        save(f"test/clock/{i}.png", noise(i))
    assert len(load_dataset("test")) == 5
    with pytest.raises(DataError, match="no train images"):
        load_dataset("train")


def hash_named(save: Save, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A household-v1 folder named by hash; the list grows by every file that is opened."""
    ordered = sorted((noise(i) for i in range(6)), key=image_md5)
    for i, pixels in enumerate(ordered):
        save(f"{'test' if i == 0 else 'train'}/clock/{image_md5(pixels)[:16]}.png", pixels)
    opened: list[str] = []
    decode = folder_module.decode_image
    monkeypatch.setattr(folder_module, "decode_image", lambda raw, name: opened.append(name) or decode(raw, name))
    return opened


def test_a_folder_named_by_hash_opens_the_part_asked_for_alone(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = hash_named(save, monkeypatch)
    quick = load_dataset("test")
    assert len(opened) == 1
    assert quick.ref.scheme == "household-v1"
    assert quick.ref == load_dataset("test", scheme="household-v1").ref


def test_a_false_name_is_not_believed(folder: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_named(save, monkeypatch)
    test_file = next((folder / "test/clock").iterdir())
    largest = max((noise(i) for i in range(6)), key=image_md5)
    save(str(test_file.relative_to(folder)), largest)  # the name still says the smallest md5
    assert load_dataset("test").ref.scheme == "official"
    assert load_dataset("test", scheme="household-v1").hashes[0] != image_md5(largest)[:16]


def test_files_that_are_no_images_are_skipped_counted_and_named(folder: Path, save: Save) -> None:
    save("clock/a.png", noise(1))
    (folder / "clock/words.png").write_text("not an image")
    (folder / "clock/readme.txt").write_text("hello")
    (folder / "clock/empty.jpg").touch()
    (folder / "clock/.hidden").touch()
    os.mkfifo(folder / "clock/pipe.png")  # opening it would wait for ever
    (folder / "clock/nowhere.png").symlink_to(folder / "gone")
    data = load_dataset("test")
    assert len(data) == 1
    assert [Path(s.path).name for s in data.skipped] == [
        ".hidden",
        "empty.jpg",
        "nowhere.png",
        "pipe.png",
        "readme.txt",
        "words.png",
    ]
    assert [s.kind for s in data.skipped] == ["hidden", "damaged", "a link", "unreadable", "another file", "not an image"]
    reasons = " | ".join(s.reason for s in data.skipped)
    for words in ("is empty", "does not end in", "text, not an image", "is a pipe, not a file", "There is no file"):
        assert words in reasons


def test_images_behind_links_out_of_the_folder_are_used_only_when_a_setting_says_so(
    folder: Path, save: Save, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("clock/a.png", noise(1))
    save("clock/b.png", noise(2))
    away = tmp_path_factory.mktemp("away")
    (folder / "clock/b.png").rename(away / "b.png")
    (folder / "clock/b.png").symlink_to(away / "b.png")
    (folder / "clock/c.png").symlink_to(folder / "clock/a.png")
    found = read_folder(folder)
    assert [Path(p.place).name for p in found.images] == ["a.png", "c.png"], "a link that stays inside is a file like another"
    assert "leads out of" in found.skipped[0].reason
    monkeypatch.setenv("UDACISENSE_FOLLOW_LINKS", "1")
    settings.cache_clear()
    folder_module._decode.cache_clear()
    assert len(read_folder(folder).images) == 3


def test_a_file_that_cannot_be_read_is_skipped(folder: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    save("clock/a.png", noise(1))
    save("clock/b.png", noise(2))

    opened = os.open

    def deny(path: Path, flags: int) -> int:
        if path.name == "b.png":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags)

    monkeypatch.setattr("udacisense.files.os.open", deny)
    data = load_dataset("test")
    assert len(data) == 1
    assert "Permission denied" in data.skipped[0].reason


def test_an_oversized_file_is_skipped_unread(folder: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    save("clock/a.png", noise(1))
    huge = folder / "clock/b.png"
    with huge.open("wb") as file:
        file.truncate(folder_module.MAX_FILE_BYTES + 1)
    assert load_dataset("test").skipped[0].reason == "b.png is larger than 256 MB. Make it smaller."


def test_one_image_is_a_test_set_and_no_training_set(save: Save) -> None:
    save("clock/only.png", noise(1))
    assert len(load_dataset("test")) == 1
    with pytest.raises(DataError, match=r"no train images.*at least 2"):
        load_dataset("train")


def test_an_empty_class_counts_zero(folder: Path, save: Save) -> None:
    save("clock/only.png", noise(1))
    (folder / "lamp").mkdir()
    counts = load_dataset("test").counts()
    assert (counts["clock"], counts["lamp"]) == (1, 0)


def test_unusable_folders_say_what_to_do(folder: Path) -> None:
    with pytest.raises(DataError, match=r"none of the classes \(clock.*It needs <class>/"):
        load_dataset("test")
    (folder / "clock").mkdir()
    with pytest.raises(DataError, match="no readable image: the folders are empty"):
        load_dataset("test")
    (folder / "clock/a.png").write_text("words")
    with pytest.raises(DataError, match=r"no readable image: 1 files could not be used \(a.png is text"):
        load_dataset("test")


def test_a_folder_that_does_not_exist_is_named(folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(DataError, match=r"does not exist.*UDACISENSE_DATA_DIR"):
        load_dataset("test")


def test_other_folders_are_remembered_as_wrong(folder: Path, save: Save) -> None:
    for name in ("train/clock/a.png", "train/Lamp/b.png", "validation/zebra/c.png", "chair/d.png"):
        save(name, noise(len(name)))
    assert list_folder(folder).wrong_classes == ("chair", "train/Lamp", "validation/zebra")
    assert len(read_folder(folder).images) == 1


def test_a_large_photo_is_kept_at_input_size_and_preprocesses_the_same(folder: Path, save: Save) -> None:
    photo = noise(1, 600, 500)
    save("clock/photo.png", photo)
    data = load_dataset("test")
    assert data.images[0].shape == (*INPUT_PX, 3)
    assert data.hashes[0] == image_md5(photo)[:16]
    np.testing.assert_array_equal(preprocess(data.images), preprocess([photo]))


def test_images_are_decoded_once_and_cannot_be_changed(folder: Path, save: Save) -> None:
    save("clock/a.png", noise(1))
    first, again = load_dataset("test").images[0], load_dataset("test").images[0]
    assert first is again
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0, 0] = 1


def test_a_changed_file_is_seen(folder: Path, save: Save) -> None:
    path = save("clock/a.png", noise(1))
    before, digest = load_dataset("test"), fingerprint()
    assert fingerprint() == digest
    save("clock/a.png", noise(2))
    os.utime(path, ns=(1, 1))
    assert fingerprint() != digest
    assert load_dataset("test").ref.dataset_id != before.ref.dataset_id
