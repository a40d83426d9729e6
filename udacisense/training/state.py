"""State of a training stage, on disk and in memory."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from udacisense.errors import StoreError
from udacisense.foreign import in_brief
from udacisense.records.store import replace_file
from udacisense.training.recipe import TrainingStage


@dataclass(frozen=True, slots=True)
class Curve:
    """One point of a learning curve. Accuracies are fractions; None = not measured in this stage."""

    stage: str
    epoch: int
    train_loss: float
    validation_top1: float | None
    lr: float
    seconds: float


class AveragedWeights:
    """Exponential moving average of a network's weights and batch-norm statistics (Polyak averaging)."""

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.updates = 0

    def update(self, net: nn.Module) -> None:
        """Move the average towards the weights of now; the first updates count more (bias correction)."""
        self.updates += 1
        keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].lerp_(value.detach(), 1 - keep)
            else:
                self.state[key].copy_(value)


@dataclass(slots=True)
class Run:
    """A stage under way: the network, all that its next step depends on, and the epoch's sums so far."""

    net: nn.Module
    guide: nn.Linear | None
    optimiser: torch.optim.Optimizer
    average: AveragedWeights
    curves: list[Curve] = field(default_factory=list)  # one for each finished epoch
    step: int = 0  # finished in this epoch
    total: float = 0.0  # loss times images
    seen: int = 0  # images
    seconds: float = 0.0
    lr: float = 0.0
    pieces: int = 1  # a batch goes through in so many parts

    @classmethod
    def begin(cls, net: nn.Module, guide: nn.Linear | None, stage: TrainingStage) -> Run:
        """A stage at its first step."""
        learning = [*net.named_parameters(), *([] if guide is None else guide.named_parameters("guide"))]
        optimiser = torch.optim.AdamW(_groups([p for _, p in learning], stage.weight_decay), lr=stage.lr)
        return cls(net, guide, optimiser, AveragedWeights(net, stage.ema_decay))

    @property
    def device(self) -> torch.device:
        """Device that the network is trained on."""
        return next(self.net.parameters()).device

    def end_epoch(self, stage: str, validation_top1: float | None) -> None:
        """Note the epoch's point of the curve and begin the next."""
        point = Curve(stage, len(self.curves) + 1, self.total / self.seen, validation_top1, self.lr, self.seconds)
        self.curves.append(point)
        self.step, self.total, self.seen, self.seconds = 0, 0.0, 0, 0.0


def _groups(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Biases and batch-norm weights are not decayed."""
    plain = [p for p in parameters if p.ndim <= 1]
    decayed = [p for p in parameters if p.ndim > 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def save(path: Path, run: Run) -> None:
    """Write the state at `path`, whole or not at all.

    Raises:
        StoreError: the disk refuses; what was saved before stays.
    """
    state = {
        "net": run.net.state_dict(),
        "guide": None if run.guide is None else run.guide.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "average": run.average.state,
        "updates": run.average.updates,
        "curves": [asdict(c) for c in run.curves],
        "epoch": {name: getattr(run, name) for name in ("step", "total", "seen", "seconds", "lr", "pieces")},
    }
    with replace_file(path) as part:
        try:
            torch.save(state, part)
        except RuntimeError as exc:  # torch tells of a full disk this way
            raise StoreError(
                f"{path} could not be written: {in_brief(exc)}. Free some space; training goes on from what was saved."
            ) from exc


def restore(path: Path, run: Run) -> None:
    """Go on from a saved state.

    Raises:
        StoreError: it cannot be read, or is of another network.
    """
    try:
        state = torch.load(path, map_location=run.device, weights_only=True)
        run.net.load_state_dict(state["net"])
        if run.guide is not None:
            run.guide.load_state_dict(state["guide"])
        run.optimiser.load_state_dict(state["optimiser"])
        run.average.state, run.average.updates = state["average"], state["updates"]
        run.curves = [Curve(**c) for c in state["curves"]]
        for name, value in state["epoch"].items():
            setattr(run, name, value)
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, ValueError, OSError, EOFError, AttributeError) as exc:
        raise StoreError(
            f"The saved training state {path} cannot be read: {in_brief(exc)}. Delete it to start afresh."
        ) from exc
