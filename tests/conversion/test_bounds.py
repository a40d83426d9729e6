"""The bounds of the process that converts: what it may write, and when the running process is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.fakes import fake_checkpoint
from udacisense.artifacts import mobile_dir
from udacisense.conversion.bounds import FILE_BYTES, bounds_for
from udacisense.processes.limits import Bounds
from udacisense.types import Checkpoint


@pytest.fixture
def plain(home: Path) -> Checkpoint:
    return fake_checkpoint(home / "models" / "plain.pth")


@pytest.fixture
def script(home: Path) -> Checkpoint:
    """A checkpoint whose file carries code."""
    made = fake_checkpoint(home / "models" / "script.pth")
    torch.jit.save(torch.jit.script(torch.nn.Identity()), str(made.path))  # type: ignore[no-untyped-call]
    return made


def test_plain_weights_keep_the_running_process_whatever_they_write(plain: Checkpoint) -> None:
    first = bounds_for(plain, mobile_dir() / "one" / "m.fake", None)
    assert first.read is None, "it needs what its libraries need"
    assert first.memory_bytes
    assert bounds_for(plain, mobile_dir() / "two" / "m.fake", first) is first
    mobile_dir().mkdir(parents=True)
    wider = bounds_for(plain, mobile_dir() / "two" / "m.fake", first)
    assert str(mobile_dir()) in wider.write, "a folder that has come to be may be written, too"
    assert bounds_for(plain, None, wider) is wider


def test_a_file_with_code_writes_its_own_folder_alone(script: Checkpoint, plain: Checkpoint) -> None:
    out = mobile_dir() / "an-id" / "part" / "m.fake"
    bounds = bounds_for(script, out, None)
    assert bounds.write == (str(mobile_dir() / "an-id"),)
    assert bounds.read is not None
    assert bounds.read[0] == str(script.path)
    assert str(plain.path) not in bounds.read
    assert bounds.file_bytes == FILE_BYTES + 4 * script.path.stat().st_size
    assert bounds_for(script, None, None).write == ()


def test_the_process_of_one_file_with_code_serves_no_other_file(script: Checkpoint, plain: Checkpoint, home: Path) -> None:
    running = bounds_for(script, mobile_dir() / "an-id" / "m.fake", None)
    assert bounds_for(script, None, running) is running, "a step that writes nothing goes on in it"
    assert bounds_for(script, mobile_dir() / "other" / "m.fake", running).write == (str(mobile_dir() / "other"),)
    assert bounds_for(plain, None, running).read is None
    other = replace(script, path=home / "models" / "other.pth")
    other.path.write_bytes(script.path.read_bytes())
    found = bounds_for(other, None, running)
    assert found.read is not None
    assert str(script.path) not in found.read
    assert bounds_for(script, None, Bounds(memory_bytes=1)).read is not None, "nor does one that may read everything"
