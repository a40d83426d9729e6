"""The real network on a handful of images, small and for a moment: what the tests of every technique work with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter

from tests.networks import network
from udacisense.compression.step import Step
from udacisense.compression.work import Work
from udacisense.training.fit import TrainingImages

CPU = torch.device("cpu")
FINETUNE = {"input_px": 32, "epochs": 2, "batch": 8, "lr": 0.0005, "ema_decay": 0.5}


def samples(count: int = 32, seed: int = 0) -> TrainingImages:
    """Noise of one colour a class: something that can be learnt."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = rng.integers(0, 60, (count, 32, 32, 3), dtype=np.uint8)
    images += (labels[:, None, None, None] * np.array([19, 7, 13])).astype(np.uint8)
    return TrainingImages.of(images, labels.astype(np.int64), CPU)


def work(states: Path, **changes: Any) -> Work:
    """What a step is given; the teacher is the network that everything starts from."""
    given: dict[str, Any] = {"train": samples(), "validation": None, "teacher": network(), "seed": 1, "device": CPU}
    return Work(states=states, **{**given, **changes})


def step(technique: str, **settings: Any) -> Step:
    """A step as a pipeline file would have it; `finetune=True` is two epochs at 32 pixels."""
    if settings.get("finetune") is True:
        settings["finetune"] = FINETUNE
    adapter: TypeAdapter[Step] = TypeAdapter(Step)
    return adapter.validate_python({"technique": technique, "name": technique, **settings})
