from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tools import draw_sample_pack
from udacisense.data.sources import SAMPLE, load_dataset, read_pool
from udacisense.labels import CLASSES

MANIFEST = json.loads((SAMPLE / "manifest.json").read_text(encoding="utf-8"))


def test_twelve_pictures_of_each_class_ten_to_train_and_two_to_test(sample_home: Path) -> None:
    for scheme in (None, "household-v1", "official"):
        assert load_dataset("train", "sample", scheme).counts() == dict.fromkeys(CLASSES, 10)
        test = load_dataset("test", "sample", scheme)
        assert test.counts() == dict.fromkeys(CLASSES, 2)
        assert test.ref.dataset_id == MANIFEST["dataset_id"]["test"]
        assert {p.shape for p in test.pictures} == {(*MANIFEST["size_px"], 3)}


def test_the_manifest_tells_every_file_and_no_other(sample_home: Path) -> None:
    pool = read_pool("sample")
    found = {(Path(p.place).relative_to(SAMPLE).as_posix(), CLASSES[p.label], p.md5) for p in pool.pictures}
    assert found == {(p["file"], p["class"], p["md5"]) for p in MANIFEST["pictures"]}
    assert pool.skipped == ()
    assert len({p.md5 for p in pool.pictures}) == 120


def test_drawing_gives_the_same_picture_again(sample_home: Path) -> None:
    """Another Pillow may round an edge differently; another picture would differ far more."""
    shipped = read_pool("sample").pictures
    for label in (0, 7):
        drawn = draw_sample_pack._picture(label, 4).pixels
        nearest = min(np.abs(drawn.astype(int) - p.pixels).mean() for p in shipped if p.label == label)
        assert nearest < 1.0


def test_a_pack_is_written_in_the_form_that_is_read(tmp_path: Path) -> None:
    pictures = [draw_sample_pack._picture(label, 0) for label in (0, 5)]
    draw_sample_pack.write_pack(tmp_path, pictures)
    written = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png"))
    assert written == sorted(f"test/{CLASSES[p.label]}/{p.md5[:16]}.png" for p in pictures)
