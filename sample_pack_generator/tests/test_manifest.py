"""The manifest: what is planned, what is written, and what it finds wrong with a pack."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from household import manifest
from household.develop import webp
from household.subjects import SUBJECTS


def test_plans_are_forty_a_class_twenty_four_of_them_for_training():
    plans = manifest.plans()
    assert len(plans) == len({p.file for p in plans}) == len({p.seed for p in plans}) == 400
    assert all(sum(p.class_name == name and p.split == "train" for p in plans) == 24 for name in SUBJECTS)


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """A pack of two single-coloured images, whole."""
    plans = manifest.plans("clock")[:2]
    monkeypatch.setattr(manifest, "plans", lambda only=None: plans)
    entries = {}
    for k, plan in enumerate(plans):
        data = webp(np.full((8, 8, 3), 90 * k, dtype=np.uint8))
        path = tmp_path / plan.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        sha = hashlib.sha256(data).hexdigest()
        entries[plan.file] = manifest.Entry(
            plan.file, "clock", plan.split, plan.seed, sha, manifest.LOOKS["clock"], "test", {"x": 1.5}
        )
    manifest.write(tmp_path, entries)
    return tmp_path


def test_manifest_comes_back_as_it_was_written(pack: Path):
    entries = manifest.read(pack)
    assert [e.seed for e in entries.values()] == [0, 1]
    assert all(manifest.agrees(pack, e, "test") for e in entries.values())
    assert manifest.problems(pack) == []


def test_an_image_of_another_generator_or_renderer_is_made_anew(pack: Path):
    entry = next(iter(manifest.read(pack).values()))
    assert not manifest.agrees(pack, entry, "another renderer")
    assert not manifest.agrees(pack, replace(entry, generator="0.0.1"), "test")
    assert not manifest.agrees(pack, None, "test")


def test_missing_changed_doubled_and_stray_files_are_told(pack: Path):
    first, second = sorted(pack.rglob("*.webp"))
    stray = first.with_name("stray.webp")
    stray.write_bytes(b"")
    assert "stray.webp is not listed" in " ".join(manifest.problems(pack))
    stray.unlink()
    second.write_bytes(first.read_bytes())
    assert "is not the file that the manifest tells of" in " ".join(manifest.problems(pack))
    second.unlink()
    assert "is missing" in " ".join(manifest.problems(pack))
    entries = manifest.read(pack)
    one, other = entries.values()
    manifest.write(pack, {one.file: one, other.file: replace(other, sha256=one.sha256)})
    assert "more than once" in " ".join(manifest.problems(pack))
