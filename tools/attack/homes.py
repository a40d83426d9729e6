"""Homes to attack, made in temporary folders, never in the checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.attack.measured import PROJECT

BASELINE = Path("models/baseline_mobilenet/checkpoints/model.pth")
ARTIFACT = "torchscript-fp32-4ce2fa81-1b65e9"


def empty(arena: Path, name: str) -> Path:
    """A home without anything."""
    home = arena / name
    (home / "models").mkdir(parents=True)
    (home / "results").mkdir()
    return home


def with_baseline(arena: Path, name: str) -> Path:
    """A home with the shipped baseline."""
    home = empty(arena, name)
    shutil.copytree(PROJECT / BASELINE.parent, home / BASELINE.parent)
    return home


def with_artifact(arena: Path, name: str) -> Path:
    """A home with the shipped compressed model and a file made from it."""
    home = with_baseline(arena, name)
    for place in ("models/pipeline_03", f"models/mobile/{ARTIFACT}"):
        shutil.copytree(PROJECT / place, home / place)
    return home


def shipped(arena: Path, name: str) -> Path:
    """A home with every model and record that is shipped."""
    home = arena / name
    for place in ("models", "results"):
        shutil.copytree(PROJECT / place, home / place)
    return home
