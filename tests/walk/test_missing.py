"""A package that is not installed is named with the way to get it; what does not need it works. The short form of the walk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.driving import app, quick_answers  # noqa: F401 - a fixture
from tests.story import Story
from tests.walk.hiding import hidden
from udacisense.settings import PROJECT


def without(folder: Path, home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """A verb in a process that finds no torch."""
    surroundings = {**os.environ, **hidden(folder, "torch", "torchvision"), "UDACISENSE_HOME": str(home)}
    command = [sys.executable, "-m", "udacisense", *argv]
    return subprocess.run(command, cwd=PROJECT, env=surroundings, capture_output=True, text=True, check=False)


def test_the_devices_are_told_without_torch(home: Path, tmp_path: Path) -> None:
    told = without(tmp_path / "hiding", home, "env")
    assert told.returncode == 0, told.stderr
    assert "cpu" in told.stdout


def test_a_verb_that_needs_torch_says_how_to_get_it(seeded_home: Story, tmp_path: Path) -> None:
    told = without(tmp_path / "hiding", seeded_home.home, "evaluate", seeded_home.faithful.id)
    assert told.returncode == 3
    assert "needs the package torch, which is not installed here. Install it: pip install -r requirements.txt" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_benchmark_page_offers_what_runs_here(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = seeded_home.checkpoint.id
    monkeypatch.setattr("ui.benchmark.view.cannot_run", lambda subject: "No torch." if subject.id == refused else None)
    at = app("pages/benchmark.py")
    assert not at.exception
