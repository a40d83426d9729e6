"""The pack inside the package is whole and known; a pack that is not what its manifest says is refused in words."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from glob import glob
from pathlib import Path

import pytest
from PIL import Image

from tests.data.conftest import noise
from udacisense.data.health import check_health
from udacisense.data.sample_pack import MANIFEST, SAMPLE, manifest_state, read_sample
from udacisense.data.sources import fingerprint, load_dataset
from udacisense.errors import DataError
from udacisense.labels import CLASSES, INPUT_PX

IDS = {"train": "792a61b160fd6364", "test": "8e2bf2c2a46ee6ea"}
"""Records name these: another pack, or another way to count, must not go by the same name."""


def test_forty_images_of_each_class_twenty_four_to_train_and_sixteen_to_test(sample_home: Path) -> None:
    for split, each in (("train", 24), ("test", 16)):
        data = load_dataset(split, "sample")
        assert data.counts() == dict.fromkeys(CLASSES, each)
        assert (data.ref.scheme, data.ref.dataset_id) == ("official", IDS[split])
        assert {p.shape for p in data.images} == {(*INPUT_PX, 3)}
        assert load_dataset(split, "sample", "official").ref == data.ref


def test_the_whole_pack_is_sound_and_no_image_is_there_twice(sample_home: Path) -> None:
    health = check_health("sample")
    assert (health.findings, health.duplicates, health.skipped, health.imbalance) == ((), (), (), 1.0)
    pool = read_sample()
    assert len({p.md5 for p in pool.images}) == len(pool.images) == 400


def test_the_pack_says_its_licence_and_how_each_image_was_made() -> None:
    content = json.loads((SAMPLE / MANIFEST).read_text(encoding="utf-8"))
    assert content["licence"] == "CC0-1.0"
    assert (SAMPLE / "LICENSE").read_text(encoding="utf-8").startswith("Creative Commons Legal Code\n\nCC0 1.0 Universal")
    assert all(row["generator"] and row["renderer"] and row["parameters"] for row in content["images"])
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= 12 * 2**20


def test_each_name_tells_the_class_and_the_seed_of_its_image() -> None:
    content = json.loads((SAMPLE / MANIFEST).read_text(encoding="utf-8"))
    assert tuple(content["classes"]) == CLASSES, "the seeds count from the classifier's order"
    for row in content["images"]:
        number = row["seed"] - 1000 * CLASSES.index(row["class"])
        assert row["split"] == ("train" if 0 <= number < 24 else "test")
        assert row["file"] == f"{row['split']}/{row['class']}/{row['class']}_{row['seed']:05d}.webp"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of one test and two train images, whole."""
    rows = []
    for number, name in enumerate(("train/bed/a.webp", "train/lamp/b.webp", "test/bed/c.webp")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(number)).save(path, lossless=True)
        split, class_name, _ = name.split("/")
        rows.append(
            {"file": name, "class": class_name, "split": split, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        )
    write_manifest(tmp_path, images=rows)
    return tmp_path


def write_manifest(root: Path, **content: object) -> None:
    (root / MANIFEST).write_text(json.dumps({"schema": 1, **content}), encoding="utf-8")


def rows_of(root: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((root / MANIFEST).read_text(encoding="utf-8"))["images"]
    return found


def test_a_whole_pack_is_read_by_its_manifest(pack: Path) -> None:
    pool = read_sample(root=pack)
    assert [(p.split, CLASSES[p.label], Path(p.place).name) for p in pool.images] == [
        ("train", "bed", "a.webp"),
        ("train", "lamp", "b.webp"),
        ("test", "bed", "c.webp"),
    ]
    assert (pool.images[1].pixels == noise(1)).all()
    assert read_sample("test", pack).images[0].md5 == pool.images[2].md5
    assert read_sample("test", pack) is read_sample("test", pack), "decoded once"


def change_a_byte(pack: Path) -> None:
    path = pack / "train/lamp/b.webp"
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def put_another_image(pack: Path) -> None:
    Image.fromarray(noise(9)).save(pack / "train/lamp/b.webp", lossless=True)


def list_a_text(pack: Path) -> None:
    text = b"no image"
    (pack / "train/lamp/b.webp").write_bytes(text)
    rows = [{**r, "sha256": hashlib.sha256(text).hexdigest()} if "lamp" in r["file"] else r for r in rows_of(pack)]
    write_manifest(pack, images=rows)


def move_to_test(pack: Path) -> None:
    write_manifest(pack, images=[{**r, "split": "test"} for r in rows_of(pack)])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (change_a_byte, r"train/lamp/b\.webp is not the file that the manifest tells of"),
        (put_another_image, r"train/lamp/b\.webp is not the file that the manifest tells of"),
        (list_a_text, r"damaged: train/lamp/b\.webp is text"),
        (lambda p: (p / "train/bed/a.webp").unlink(), r"lacks train/bed/a\.webp\."),
        (lambda p: (p / "test/bed/more.webp").write_bytes(b""), r"does not list: test/bed/more\.webp\."),
        (lambda p: (p / "test/zebra").mkdir(), "does not list: test/zebra"),
        (lambda p: (p / MANIFEST).unlink(), "has no readable manifest"),
        (lambda p: (p / MANIFEST).write_text("{"), "manifest .* cannot be used: Expecting"),
        (lambda p: (p / MANIFEST).write_text('{"schema": 2}'), "its schema is 2, this version reads 1"),
        (lambda p: write_manifest(p), "it lacks 'images'"),
        (lambda p: write_manifest(p, images=[{"file": "train/bed/a.webp"}]), "it lacks 'split'"),
        (lambda p: write_manifest(p, images=["train/bed/a.webp"]), "cannot be used"),
        (move_to_test, r"train/bed/a\.webp does not lie in the folder of its split and class"),
    ],
)
def test_a_pack_that_is_not_what_its_manifest_says_is_refused(pack: Path, spoil: Callable[[Path], object], says: str) -> None:
    spoil(pack)
    with pytest.raises(DataError, match=says) as raised:
        read_sample(root=pack)
    assert "Install the package again, or set UDACISENSE_DATA_DIR" in str(raised.value)


def test_a_change_is_seen_without_a_restart(pack: Path) -> None:
    before = manifest_state(pack)
    assert len(read_sample("train", pack).images) == 2
    change_a_byte(pack)
    with pytest.raises(DataError, match="not the file"):
        read_sample("train", pack)
    rows = [{**r, "sha256": hashlib.sha256((pack / r["file"]).read_bytes()).hexdigest()} for r in rows_of(pack)]
    write_manifest(pack, images=rows, note="written again")
    assert manifest_state(pack) != before
    assert len(read_sample("train", pack).images) == 2


def test_the_fingerprint_follows_the_manifest(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint("sample")
    assert fingerprint("sample") == before
    monkeypatch.setattr("udacisense.data.sources.manifest_state", lambda: (1, 2))
    assert fingerprint("sample") != before


def test_the_wheel_takes_the_whole_pack() -> None:
    project = SAMPLE.parents[2]
    patterns = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["udacisense.data"]
    packed = {name for pattern in patterns for name in glob(pattern, root_dir=SAMPLE.parent, recursive=True)}
    there = {path.relative_to(SAMPLE.parent).as_posix() for path in SAMPLE.rglob("*") if path.is_file()}
    assert len(there) == 402
    assert there <= packed
