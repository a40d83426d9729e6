"""Listing, finding and opening converted files: torch-free, with fakes at the seam."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import fake_artifact, fake_checkpoint, fake_format, fixed_logits, write_fake
from udacisense import formats
from udacisense.artifacts import (
    find_artifact,
    find_subject,
    list_artifacts,
    mobile_dir,
    open_session,
    subject_format,
)
from udacisense.errors import CheckpointError, FormatError, NotFoundError, RunError, UnavailableError
from udacisense.types import Artifact, Checkpoint, Format

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 224, 224), dtype=np.float32)


@pytest.fixture
def checkpoint(home: Path) -> Checkpoint:
    return fake_checkpoint(home / "models" / "m.pth")


@pytest.fixture
def artifact(checkpoint: Checkpoint) -> Artifact:
    return fake_artifact(mobile_dir(), checkpoint, "fake", "model.fake")


def test_an_artifact_is_listed_as_it_was_written(artifact: Artifact) -> None:
    assert list_artifacts().records == (artifact,)
    assert list_artifacts().problems == ()


def test_no_folder_is_an_empty_listing(home: Path) -> None:
    assert list_artifacts().records == ()
    assert list_artifacts().problems == ()


def test_listing_is_oldest_first(checkpoint: Checkpoint) -> None:
    newer = fake_artifact(mobile_dir(), checkpoint, "a-format", "x")
    older = fake_artifact(mobile_dir(), checkpoint, "b-format", "x")
    record = older.path.with_name("artifact.json")
    record.write_text(record.read_text().replace("2026-01-02", "2025-01-02"))
    assert [a.id for a in list_artifacts().records] == [older.id, newer.id]


def test_what_cannot_be_read_is_named_and_does_not_hide_the_rest(artifact: Artifact, checkpoint: Checkpoint) -> None:
    broken = fake_artifact(mobile_dir(), checkpoint, "broken", "x")
    broken.path.with_name("artifact.json").write_text("{")
    lost = fake_artifact(mobile_dir(), checkpoint, "lost", "x")
    lost.path.unlink()
    shutil.copytree(artifact.path.parent, mobile_dir() / "another-name")
    shutil.copytree(
        artifact.path.parent, mobile_dir() / "x.abcdef-1-deadbeef.part"
    )  # being written, or left by a killed writer
    (mobile_dir() / "no-record").mkdir()
    (mobile_dir() / "optimized_model_mobile.ptl").write_text("published")
    listing = list_artifacts()
    assert listing.records == (artifact,)
    told = "\n".join(listing.problems)
    assert len(listing.problems) == 3
    assert "is not a record file" in told
    assert f"Convert {lost.checkpoint_id} again" in told
    assert f"is the record of {artifact.id}, not of another-name" in told


def test_an_artifact_follows_its_folder(artifact: Artifact, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.settings import settings

    (home / "models").rename(home / "elsewhere")
    (home / "new").mkdir()
    (home / "elsewhere").rename(home / "new" / "models")
    monkeypatch.setenv("UDACISENSE_HOME", str(home / "new"))
    settings.cache_clear()
    (found,) = list_artifacts().records
    assert found.path == home / "new" / artifact.path.relative_to(home)


def test_find_by_id_file_folder_and_published_copy(artifact: Artifact) -> None:
    published = mobile_dir() / artifact.path.name
    shutil.copyfile(artifact.path, published)
    for name in (artifact.id, artifact.path, str(artifact.path.parent), f"models/mobile/{artifact.id}", published):
        assert find_artifact(name) == artifact
        assert find_subject(name) == artifact


def test_find_subject_knows_checkpoints_too(artifact: Artifact, checkpoint: Checkpoint) -> None:
    for name in (checkpoint.id, checkpoint.path, "models/m.pth"):
        assert find_subject(name) == checkpoint


def test_what_is_not_here_is_told_with_what_comes_close(artifact: Artifact, checkpoint: Checkpoint) -> None:
    with pytest.raises(NotFoundError, match=artifact.id):
        find_artifact(artifact.id[:-1])
    with pytest.raises(NotFoundError, match=checkpoint.id):
        find_subject(checkpoint.id[:-2])
    with pytest.raises(NotFoundError, match="checkpoint or artifact"):
        find_subject("\0")


def test_a_converted_file_without_its_record_is_not_taken_for_a_checkpoint(artifact: Artifact) -> None:
    stray = write_fake(mobile_dir() / "stray.ptl", seed=9)
    with pytest.raises(NotFoundError, match="belongs to no artifact"):
        find_subject(stray)


# --- open ----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fake_formats")
def test_a_subject_is_opened_by_its_own_format(artifact: Artifact, checkpoint: Checkpoint) -> None:
    assert subject_format(artifact).name == "fake"
    assert subject_format(checkpoint).name == "torch"
    for subject in (artifact, checkpoint):
        np.testing.assert_array_equal(open_session(subject, 1).predict(IMAGES), fixed_logits(IMAGES))


@pytest.mark.usefixtures("fake_formats")
def test_a_file_that_changed_since_is_not_opened(artifact: Artifact, checkpoint: Checkpoint) -> None:
    write_fake(artifact.path, shift=1.0)
    with pytest.raises(RunError, match=r"changed since its record was made.*Convert"):
        open_session(artifact, 1)
    write_fake(checkpoint.path, shift=1.0)
    with pytest.raises(CheckpointError, match="changed since its record was made"):
        open_session(checkpoint, 1)
    artifact.path.unlink()
    with pytest.raises(NotFoundError, match="There is no file"):
        open_session(artifact, 1)


@pytest.mark.usefixtures("fake_formats")
def test_a_runtimes_own_error_becomes_a_run_error(checkpoint: Checkpoint) -> None:
    broken = fake_artifact(mobile_dir(), checkpoint, "fake", "model.fake", fault="load")
    with pytest.raises(RunError, match=r"could not be loaded by fake runtime: the fake file does not load"):
        open_session(broken, 1)


def test_a_missing_runtime_says_why(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(capability: str) -> str | None:
        return "The fake runtime runs on the moon only." if capability == "run" else None

    monkeypatch.setattr(formats, "FORMATS", {"fake": fake_format("fake", unavailable=absent)})
    with pytest.raises(UnavailableError, match="cannot run here: The fake runtime runs on the moon only"):
        open_session(artifact, 1)


def test_a_format_of_a_newer_version_is_told(artifact: Artifact, fake_formats: dict[str, Format]) -> None:
    newer = dataclasses.replace(artifact, format="hologram")
    with pytest.raises(FormatError, match=r"no format 'hologram'"):
        open_session(newer, 1)


def test_the_record_on_disk_holds_a_path_that_a_clone_can_read(artifact: Artifact) -> None:
    plain = json.loads(artifact.path.with_name("artifact.json").read_text())
    assert plain["record"]["path"] == f"models/mobile/{artifact.id}/model.fake"
