"""Input and result of a compression technique."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from udacisense.training.augment import normalise, resize
from udacisense.training.fit import Curve, TrainingImages, fit_stage
from udacisense.training.recipe import TrainingStage


@dataclass(frozen=True, slots=True)
class Work:
    """Resources of a step: everything but the network.

    Args:
        teacher: the pipeline's starting network, whose answers `distil` mixes in; None = use `train.teacher` where given.
        states: folder of this step's resumable states; a step that was killed goes on from there.
    """

    train: TrainingImages
    validation: TrainingImages | None
    teacher: nn.Module | None
    seed: int
    states: Path
    device: torch.device


@dataclass(frozen=True, slots=True)
class Outcome:
    """A compressed network, and plain JSON values on how it came about.

    `kind` says how it is saved: "state_dict" loads into MobileNetV3_Household; "torchscript" is a ScriptModule.
    """

    network: nn.Module
    kind: Literal["state_dict", "torchscript"] = "state_dict"
    notes: Mapping[str, Any] = field(default_factory=dict)


def fine_tune(
    network: nn.Module, stage: TrainingStage, work: Work, *, after_step: Callable[[float], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Train a MobileNetV3_Household, or the part of it that sees the image, in place; returns the learning curve.

    A killed run goes on from its last saved state in `work.states`.
    """
    inner: Any = getattr(network, "model", network)
    train = work.train
    if stage.distil and work.teacher is not None:
        train = replace(train, teacher=logits_of(work.teacher, train, stage.input_px))
    work.states.mkdir(parents=True, exist_ok=True)
    state_path = work.states / "finetune.pt"
    inner = inner.to(work.device)
    curves = fit_stage(inner, stage, train, work.validation, seed=work.seed, state_path=state_path, after_step=after_step)
    return [plain(curve) for curve in curves]


def logits_of(network: nn.Module, data: TrainingImages, input_px: int, batch: int = 128) -> torch.Tensor:
    """A network's answers (N, classes) to whole images at that size, the network left in evaluation mode."""
    inner: Any = getattr(network, "model", network)
    inner.to(data.pixels.device).eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            images = normalise(resize(data.pixels[start : start + batch], input_px))
            found.append(inner(images.contiguous(memory_format=torch.channels_last)))
    return torch.cat(found).clone()


def plain(curve: Curve) -> dict[str, Any]:
    """A point of a learning curve as JSON values."""
    return asdict(curve)
