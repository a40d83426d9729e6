"""Weights onto the disk: the same bytes for the same weights, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from udacisense.errors import StoreError
from udacisense.models.writing import write_weights


def small(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Linear(3, 2)


def test_the_same_weights_are_the_same_bytes_under_any_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one.pth", tmp_path / "another name.pth"
    for path in (one, two):
        write_weights(small(), path)
    assert one.read_bytes() == two.read_bytes()
    assert torch.equal(torch.load(one, weights_only=True)["weight"], small().state_dict()["weight"])


def test_a_script_is_written_whole(tmp_path: Path, bound: None) -> None:
    path = tmp_path / "script.pt"
    write_weights(torch.jit.script(small()), path)
    given = torch.ones(1, 3)
    assert torch.equal(torch.jit.load(str(path))(given), small()(given))  # type: ignore[no-untyped-call]


def test_what_was_there_stays_where_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.pth"
    write_weights(small(), path)
    before = path.read_bytes()

    def full(state: object, file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(StoreError, match=r"model\.pth could not be written: .*inline_container"):
        write_weights(small(1), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.pth"]
