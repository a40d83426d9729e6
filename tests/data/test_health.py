from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.conftest import Save, noise
from udacisense.data.health import check_health, overlap
from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.labels import CLASSES


def fill(save: Save, per_class: int = 3) -> None:
    for label, name in enumerate(CLASSES):
        for i in range(per_class):
            save(f"{name}/{i}.png", noise(label * 1000 + i))


def test_good_images_have_no_findings(save: Save) -> None:
    fill(save)
    health = check_health()
    assert health.findings == ()
    assert health.is_healthy
    assert health.imbalance == 1.0
    assert health.counts["test"]["clock"] == 1
    assert health.counts["train"]["clock"] == 2


def test_the_sample_is_healthy(sample_home: Path) -> None:
    assert check_health("sample").findings == ()


def test_unreadable_files_are_listed(folder: Path, save: Save) -> None:
    fill(save)
    (folder / "bed/words.png").write_text("words")
    health = check_health()
    assert [Path(s.path).name for s in health.skipped] == ["words.png"]
    assert [f.message for f in health.findings] == [
        "1 file or folder is not read: 1 not an image. The list says which and why."
    ]
    assert health.is_healthy  # weaker, not wrong


def test_wrong_class_folders_are_named_with_a_guess(folder: Path, save: Save) -> None:
    fill(save)
    save("Clocks/a.png", noise(99_999))
    save("clokc/a.png", noise(99_998))
    (folder / "zebra").mkdir()
    health = check_health()
    assert health.wrong_classes == ("Clocks", "clokc", "zebra")
    assert "Clocks may mean clock" in health.findings[0].message
    assert "--same Clocks=clock" in health.findings[0].message
    assert "Did you mean clock?" in health.findings[1].message
    assert "The classes are clock, keyboard" in health.findings[2].message
    assert not health.is_healthy


def test_a_copy_within_a_part_is_a_note(save: Save) -> None:
    fill(save)
    save("bed/copy.png", noise(5000))
    health = check_health()
    (copy,) = health.duplicates
    assert [Path(p).name for p in copy.places] == ["0.png", "copy.png"]
    assert copy.classes == ("bed",)
    assert health.across_splits == ()
    assert [f.level for f in health.findings] == ["note"]
    assert health.findings[0].message.startswith("1 file is a copy of another one")


def test_a_copy_on_both_sides_of_an_own_split_is_a_problem(save: Save) -> None:
    for name in CLASSES:
        save(f"train/{name}/a.png", noise(seed_of(name)))
        save(f"test/{name}/b.png", noise(seed_of(name) + 1))
    save("test/bed/leak.png", noise(seed_of("bed")))
    health = check_health()
    assert health.scheme == "official"
    assert [d.splits for d in health.across_splits] == [("train", "test")]
    assert "accuracy looks better than it is" in health.findings[0].message
    assert check_health(scheme="household-v1").across_splits == ()  # copies stay together


def seed_of(name: str) -> int:
    return CLASSES.index(name) * 10


def test_one_image_in_two_classes_is_a_problem(save: Save) -> None:
    fill(save)
    save("table/strange.png", noise(0))
    health = check_health()
    assert health.duplicates[0].classes == ("clock", "table")
    assert any("lies in two classes" in f.message for f in health.findings)
    assert not health.is_healthy


def test_empty_classes_and_empty_parts_are_problems(save: Save) -> None:
    save("clock/a.png", noise(1))
    save("lamp/a.png", noise(2))
    save("lamp/b.png", noise(3))
    health = check_health()
    assert health.imbalance is None
    assert health.empty_classes == tuple(c for c in CLASSES if c not in ("clock", "lamp"))
    assert any(f.message.startswith("There is no train image of clock.") for f in health.findings)


def test_imbalance_is_a_note(save: Save) -> None:
    fill(save, 2)
    for i in range(4):
        save(f"couch/more{i}.png", noise(80_000 + i))
    health = check_health()
    assert health.imbalance == 3.0
    assert "3.0 times the images of the smallest" in health.findings[0].message


def test_images_that_household_v1_moves_are_told(save: Save) -> None:
    for label, name in enumerate(CLASSES):
        for i in range(4):
            save(f"{'test' if i < 2 else 'train'}/{name}/{i}.png", noise(label * 1000 + i))
    assert check_health().moved == 0
    moved = check_health(scheme="household-v1")
    assert moved.moved >= 10  # two of four were test, one is
    assert "scheme official" in moved.findings[-1].message


def test_overlap_counts_test_images_that_were_trained_on(sample_home: Path) -> None:
    data = load_dataset("test", "sample")
    train = load_dataset("train", "sample")
    assert overlap(data, train.hashes) == 0
    assert overlap(data, [*train.hashes, *data.hashes[:3]]) == 3
    assert overlap(data, [data.hashes[0] + "f" * 16]) == 1  # a full md5
    assert overlap(data, []) == 0


def test_mistakes_are_errors(folder: Path) -> None:
    with pytest.raises(DataError, match="none of the classes"):
        check_health()
    with pytest.raises(DataError, match="no split called 'x'"):
        check_health("sample", "x")
