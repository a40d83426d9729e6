"""A technique that adds its share to one bias: what the tests of the runner put in the place of every real one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.networks import saved
from udacisense.compression import pipeline
from udacisense.compression.pipeline_file import Pipeline
from udacisense.compression.work import Outcome, Work

BASELINE = Path("models", "baseline_mobilenet", "checkpoints", "model.pth")


def step(name: str, share: float = 0.1, **more: object) -> dict[str, object]:
    return {"name": name, "technique": "prune-weights", "sparsity": share, **more}


def a_pipeline(*steps: dict[str, object], **more: object) -> Pipeline:
    plain = {"name": "fake", "validation_per_class": 1, "step": list(steps), **more}
    return Pipeline.model_validate(plain)


def chain(*steps: dict[str, object]) -> Pipeline:
    return a_pipeline(*steps, final="fake/final.pth")


class Fake:
    """A technique that adds its share to one bias, and does what the test wishes on the way."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.works: list[Work] = []
        self.on: dict[str, Callable[[Work], object]] = {}

    def __call__(self, step: object, network: nn.Module, work: Work) -> Outcome:
        name = step.name  # type: ignore[attr-defined]
        self.works.append(work)
        if name in self.on:
            self.on[name](work)
        made = copy.deepcopy(network)
        with torch.no_grad():
            made.model.classifier[3].bias.add_(step.sparsity)  # type: ignore[attr-defined]
        self.done.append(name)
        return Outcome(made, notes={"asked": name, "curves": [{"stage": name, "epoch": 1, "train_loss": 1.0}]})


@pytest.fixture
def fake(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(pipeline, "apply", made)
    monkeypatch.setattr(pipeline, "accuracy", lambda *_: 0.5)  # measuring is tested elsewhere
    saved(sample_home / BASELINE)
    return made
