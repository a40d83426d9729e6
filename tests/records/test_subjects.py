"""A model file's record on its way to a child process: it arrives as it left, whatever its file is called."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fakes import fake_artifact, fake_checkpoint, write_fake
from udacisense.errors import RunError, StoreError
from udacisense.formats import FORMATS
from udacisense.models.checkpoint import read_checkpoint
from udacisense.records.subjects import from_plain, to_plain
from udacisense.types import ModelFile, WrittenFile


def there(file: ModelFile) -> ModelFile:
    """The record after a journey as text."""
    return from_plain(json.loads(json.dumps(to_plain(file))))


def test_every_kind_of_record_arrives(home: Path, tmp_path: Path) -> None:
    checkpoint = fake_checkpoint(home / "models" / "m.pth")
    artifact = fake_artifact(home / "models" / "mobile", checkpoint)
    for file in (checkpoint, artifact, WrittenFile(tmp_path / "new.onnx", "onnx")):
        assert there(file) == file
        assert there(file).path.is_absolute()


def test_a_name_that_is_no_utf8_arrives(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_fake(tmp_path / os.fsdecode(b"b\xffd.pth")))
    assert checkpoint.technique.encode("utf-8")
    assert there(checkpoint) == checkpoint


def test_a_record_against_its_own_rules_does_not_arrive(tmp_path: Path) -> None:
    plain = to_plain(read_checkpoint(write_fake(tmp_path / "m.pth")))
    plain["record"]["size_bytes"] = -1
    with pytest.raises(StoreError, match="size_bytes"):
        from_plain(plain)


def test_pytorch_itself_runs_checkpoints_only(home: Path) -> None:
    artifact = fake_artifact(home / "models" / "mobile", fake_checkpoint(home / "models" / "m.pth"), format="torch")
    with pytest.raises(RunError, match="is no checkpoint"):
        FORMATS["torch"].load(artifact, 1)
