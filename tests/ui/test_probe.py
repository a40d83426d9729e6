"""Questions asked in a child process are answered whatever else the child prints, and its faults are told."""

from __future__ import annotations

import sys

import pytest

from udacisense.errors import CheckpointError
from ui.shared import torch_child

CHILD = """
import os
from ui.shared import torch_child
from udacisense.errors import RunError
def loud():
    print('printed by Python'); os.write(1, b'printed by a library\\n'); return ['answer']
def refuse(what):
    raise RunError(f'{what} does not run.')
torch_child.QUESTIONS.update(loud=loud, refuse=refuse, die=lambda: os._exit(3))
torch_child.main()
"""


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_child, "COMMAND", [sys.executable, "-c", CHILD])


def test_a_network_that_prints_spoils_no_answer() -> None:
    assert torch_child.ask("loud") == ["answer"]
    assert torch_child.start("loud").result(60) == ["answer"]


def test_what_is_wrong_is_told_at_once_or_when_the_answer_is_asked_for() -> None:
    with pytest.raises(CheckpointError, match=r"^a\.pt does not run\.$"):
        torch_child.ask("refuse", "a.pt")
    with pytest.raises(CheckpointError, match="exit code 3"):
        torch_child.start("die").result(60)
