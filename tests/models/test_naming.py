"""What people call a file by, and what they are told when it is not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from udacisense.models.naming import existing_file, not_found


def test_a_path_is_seen_from_here_and_from_the_project(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    (home / "model.pth").touch()
    assert existing_file("model.pth") == home / "model.pth"
    (here / "model.pth").touch()
    assert existing_file("model.pth") == here / "model.pth", "the working folder comes first"
    assert existing_file(home) is None, "a folder is no file"
    assert existing_file(home, Path.is_dir) == home


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "not here"])
def test_what_can_be_no_path_is_none(home: Path, name: str) -> None:
    assert existing_file(name) is None


def test_what_comes_close_is_named(home: Path) -> None:
    known = ("onnx-int8-aaaa", "litert-fp32-bbbb")
    assert "Did you mean onnx-int8-aaaa?" in str(not_found("artifact", "onnx-int8-aaab", known))
    assert "Did you mean onnx-int8-aaaa or litert-fp32-bbbb?" in str(not_found("artifact", "zzz", known))
    assert f"There is no artifact in {home / 'models'} yet." in str(not_found("artifact", "zzz", ()))
