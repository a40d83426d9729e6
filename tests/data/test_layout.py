"""Folders as people bring them: names of parts, leftovers, one folder too deep, links, and nothing dropped in silence."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.data.conftest import Save, noise
from udacisense.data import tree
from udacisense.data.dataset import Kind, left_out
from udacisense.data.folder import folder_classes, list_folder, read_folder
from udacisense.data.health import check_health
from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.evaluation.evaluate import _warnings
from udacisense.labels import CLASSES
from udacisense.settings import settings


def kinds(root: Path) -> dict[Kind, int]:
    return {one.kind: one.files for one in left_out(read_folder(root).skipped)}


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Training", "TESTING"), ("TRAIN", "eval"), ("train", "val"), ("training", "dev")]
)
def test_parts_are_known_by_any_of_their_names(folder: Path, save: Save, train: str, test: str) -> None:
    save(f"{train}/bed/a.png", noise(1))
    save(f"{train}/bed/b.png", noise(2))
    save(f"{test}/bed/c.png", noise(3))
    assert (len(load_dataset("train")), len(load_dataset("test"))) == (2, 1)


@pytest.mark.parametrize("name", ["val", "Valid", "validation", "dev"])
def test_validation_images_are_the_test_images_where_there_are_no_others_and_that_is_said(save: Save, name: str) -> None:
    save("train/bed/a.png", noise(1))
    save(f"{name}/bed/b.png", noise(2))
    data = load_dataset("test")
    assert data.notes == (f"There is no part called test, so {name} is read as the test images.",)
    assert data.notes[0] in _warnings(data, 1, 0), "a figure on them tells it"
    assert data.notes[0] in [f.message for f in check_health().findings]


def test_a_third_part_is_counted_and_not_read(folder: Path, save: Save) -> None:
    save("train/bed/a.png", noise(1))
    save("test/bed/b.png", noise(2))
    save("valid/bed/c.png", noise(3))
    save("valid/zebra/d.png", noise(4))
    (folder / "README.txt").write_text("exported")
    assert kinds(folder) == {"of a third part": 2, "another file": 1}
    assert list_folder(folder).wrong_classes == ()
    assert not any("could not be used" in said for said in _warnings(load_dataset("test"), 1, 0))
    messages = [f.message for f in check_health("folder").findings if f.level == "note"]
    assert "2 files are not read: 2 of a third part. The list says which and why." in messages, "the readme is no finding"


def test_images_are_found_however_deep_they_lie_in_a_class_folder(save: Save) -> None:
    save("test/bed/kitchen/2024/a.png", noise(1))
    save("test/bed/b.png", noise(2))
    save("test/clock/round/c.png", noise(3))
    assert load_dataset("test").counts() | {"bed": 2, "clock": 1} == load_dataset("test").counts()


def test_what_macos_and_windows_leave_behind_is_passed_over_in_silence(folder: Path, save: Save) -> None:
    for name in CLASSES:
        save(f"train/{name}/a.png", noise(CLASSES.index(name)))
        save(f"test/{name}/b.png", noise(CLASSES.index(name) + 100))
    for leftover in (".DS_Store", "train/.DS_Store", "train/bed/._a.png", "train/bed/Thumbs.db", "test/lamp/desktop.ini"):
        (folder / leftover).write_bytes(b"\0\5\26\7")
    twin = folder / "__MACOSX/train/bed/._a.png"
    twin.parent.mkdir(parents=True)
    twin.write_bytes(b"\0\5\26\7")
    health = check_health()
    assert (health.skipped, health.wrong_classes, health.findings) == ((), (), ())
    assert health.counts["train"]["bed"] == 1


def test_a_folder_that_was_unpacked_once_too_often_is_followed(folder: Path, save: Save) -> None:
    save("data/data/train/bed/a.png", noise(1))
    save("data/data/test/bed/b.png", noise(2))
    assert len(load_dataset("test")) == 1
    assert check_health().inside == "data/data"


def test_parts_with_one_folder_more_are_followed(folder: Path, save: Save) -> None:
    save("train/images/bed/a.png", noise(1))
    save("train/images/lamp/b.png", noise(2))
    save("test/images/bed/c.png", noise(3))
    assert load_dataset("train").counts()["lamp"] == 1
    assert len(load_dataset("test")) == 1


def test_one_class_alone_is_no_folder_around_the_classes(folder: Path, save: Save) -> None:
    save("bed/old/a.png", noise(1))
    save("bed/old/b.png", noise(2))
    assert load_dataset("test").counts()["bed"] == 1
    assert list_folder(folder).inside == ""


def test_where_two_folders_could_be_meant_the_error_says_where_the_classes_are(folder: Path, save: Save) -> None:
    save("household/bed/a.png", noise(1))
    save("notes/figures/b.png", noise(2))
    with pytest.raises(DataError, match=r"none of the classes.*They are in household: name that folder"):
        load_dataset("test")


def test_a_class_called_train_is_no_part(folder: Path, save: Save) -> None:
    for name in ("car", "train", "plane"):
        save(f"{name}/a.png", noise(len(name)))
    assert folder_classes(folder) == ("car", "plane", "train")


def test_images_beside_the_class_folders_are_counted(folder: Path, save: Save) -> None:
    save("train/bed/a.png", noise(1))
    save("test/b.png", noise(2))
    save("loose.png", noise(3))
    save("chair/c.png", noise(4))
    assert kinds(folder) == {"of no class": 3}
    reasons = {s.path: s.reason for s in read_folder(folder).skipped}
    assert "not known to which it belongs" in reasons["chair/c.png"]
    assert "lies in no folder of a class" in reasons["loose.png"]


def test_everything_that_is_not_read_is_counted_by_its_reason(folder: Path, save: Save) -> None:
    whole = save("test/bed/a.png", noise(1))
    (folder / "test/bed/cut.png").write_bytes(whole.read_bytes()[:-40])
    (folder / "test/bed/text.png").write_text("words")
    (folder / "test/bed/notes.txt").write_text("words")
    (folder / "test/bed/inner.zip").write_bytes(b"PK\3\4")
    (folder / "test/bed/.hidden.png").write_bytes(whole.read_bytes())
    (folder / "test/bed/gone.png").symlink_to(folder / "nowhere.png")
    (folder / "test/lamp").mkdir()
    save("test/zebra/z.png", noise(2))
    assert kinds(folder) == {
        "damaged": 1,
        "not an image": 1,
        "a link": 1,
        "of no class": 1,
        "an empty folder": 1,
        "another file": 2,
        "hidden": 1,
    }


def test_only_the_first_are_named_and_the_others_counted(folder: Path, save: Save) -> None:
    save("bed/a.png", noise(1))
    for i in range(8):
        (folder / f"bed/{i}.txt").touch()
    (found,) = left_out(read_folder(folder).skipped)
    assert (found.files, found.first) == (8, tuple(f"bed/{i}.txt" for i in range(5)))


def test_files_that_were_lost_are_counted_for_the_part_that_is_evaluated(folder: Path, save: Save) -> None:
    save("train/bed/a.png", noise(1))
    save("test/bed/b.png", noise(2))
    (folder / "train/bed/bad.png").write_text("words")
    assert [len(load_dataset(part).skipped) for part in ("train", "test")] == [1, 0]
    assert any("1 file of the split could not be used" in said for said in _warnings(load_dataset("train"), 1, 0))


def test_a_link_out_of_the_folder_is_not_followed_and_a_loop_ends(
    folder: Path, save: Save, tmp_path_factory: pytest.TempPathFactory
) -> None:
    save("bed/a.png", noise(1))
    away = tmp_path_factory.mktemp("away")
    (away / "secret.png").write_bytes((folder / "bed/a.png").read_bytes())
    (folder / "lamp").symlink_to(away, target_is_directory=True)
    (folder / "bed/again").symlink_to(folder, target_is_directory=True)
    (folder / "clock").symlink_to(folder / "bed", target_is_directory=True)
    pool = read_folder(folder)
    assert sorted(p.place.removeprefix(f"{folder}/") for p in pool.images) == ["bed/a.png", "clock/a.png"]
    reasons = {s.path: s.reason for s in pool.skipped if s.kind == "a link"}
    assert "leads out of" in reasons["lamp"]
    assert "a folder that it lies in" in reasons["bed/again"]


@pytest.mark.parametrize("follow", ["0", "1"])
def test_a_link_to_itself_is_told_whether_links_are_followed_or_not(
    folder: Path, save: Save, monkeypatch: pytest.MonkeyPatch, follow: str
) -> None:
    save("bed/a.png", noise(1))
    (folder / "bed/self.png").symlink_to(folder / "bed/self.png")
    monkeypatch.setenv("UDACISENSE_FOLLOW_LINKS", follow)
    settings.cache_clear()
    assert kinds(folder) == {"a link": 1}


def test_where_all_classes_are_links_that_lead_away_the_error_says_so(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = tmp_path_factory.mktemp("away")
    for name in CLASSES:
        (folder / name).symlink_to(away, target_is_directory=True)
    with pytest.raises(DataError, match=r"10 links in it are not followed.*UDACISENSE_FOLLOW_LINKS=1"):
        load_dataset("test")


def test_a_disk_is_no_folder_of_images(folder: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(4):
        save(f"bed/{i}.png", noise(i))
    monkeypatch.setattr(tree, "MAX_FILES", 3)
    with pytest.raises(DataError, match="holds more than 3 files"):
        load_dataset("test")


def test_a_name_that_is_no_text_is_told_and_does_no_harm(folder: Path, save: Save) -> None:
    save("bed/a.png", noise(1))
    try:
        os.close(os.open(os.fsencode(folder / "bed") + b"/\xff.png", os.O_CREAT))
    except OSError:
        pytest.skip("this disk takes no such name")
    (found,) = read_folder(folder).skipped
    assert (found.kind, found.path) == ("unreadable", "bed/\N{REPLACEMENT CHARACTER}.png")


def test_a_folder_that_may_not_be_opened_is_told(folder: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    save("bed/a.png", noise(1))
    save("lamp/b.png", noise(2))
    scan = os.scandir

    def deny(path: Path) -> object:
        if Path(path).name == "lamp":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("udacisense.data.tree.os.scandir", deny)
    found = [s for s in read_folder(folder).skipped if s.kind == "unreadable"]
    assert [(s.path, "Permission denied" in s.reason) for s in found] == [("lamp", True)]


PARTS = ["train", "Test", "valid", "bed", "sofa", "data", "images", ".git", "__MACOSX"]
FILES = ["a.png", "b.JPG", "c.txt", "labels.csv", ".DS_Store", "._a.png", ".h.png", "in.zip", "train.csv"]


def grow(folder: Path, draw: random.Random, depth: int = 0) -> None:
    for name in draw.sample(FILES, draw.randint(0, 4)):
        (folder / name).write_text(draw.choice(["filename,label\na.png,bed\nb,sofa\n", "a;b\n1;2\n", ""]))
    for name in draw.sample(PARTS, draw.randint(0, 3)) if depth < 3 else ():
        (folder / name).mkdir()
        grow(folder / name, draw, depth + 1)


def test_whatever_the_tree_each_file_is_taken_or_told_and_none_is_both(tmp_path: Path) -> None:
    read = 0
    for seed in range(150):
        root = tmp_path / str(seed)
        root.mkdir()
        grow(root, random.Random(seed))
        try:
            found = list_folder(root, folder_classes(root))
        except DataError:  # no class in it
            continue
        read += 1
        taken, told = [f.path for f in found.files], [s.path for s in found.skipped]
        tables = {f.path for f in tree.walk(root).files if f.path.endswith(".csv")}
        assert {f.path for f in tree.walk(root).files} - tables <= {*taken, *told}, seed
        assert len(taken) == len(set(taken)), seed
        assert not set(taken) & set(told), seed
    assert read > 50
