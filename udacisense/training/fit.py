"""The training loop: one stage of a recipe, resumable at every epoch."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from udacisense.errors import StoreError
from udacisense.progress import report
from udacisense.store import replace_file
from udacisense.training.augment import normalise, random_view, resize
from udacisense.training.recipe import Stage


@dataclass(frozen=True, slots=True)
class Curve:
    """One point of a learning curve. Accuracies are fractions; None = not measured in this stage."""

    stage: str
    epoch: int
    train_loss: float
    validation_top1: float | None
    lr: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """uint8 pictures (N, 3, h, w) with integer labels and a teacher's logits (N, classes), on the device that trains."""

    pixels: Tensor
    labels: Tensor
    teacher: Tensor | None = None

    @classmethod
    def of(cls, images: NDArray[np.uint8], labels: NDArray[np.int64], device: torch.device) -> TrainingImages:
        """From arrays (N, h, w, 3) and (N)."""
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return cls(pixels.to(device), torch.from_numpy(labels.astype(np.int64)).to(device))

    def __len__(self) -> int:
        return len(self.labels)


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


def one_cycle(step: int, steps: int, peak: float, warmup_share: float) -> float:
    """Learning rate of a step: linear rise, then half a cosine down to zero (Smith and Topin, 2018)."""
    warmup = max(1, int(steps * warmup_share))
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def accuracy(net: nn.Module, data: TrainingImages, input_px: int, batch: int = 128) -> float:
    """Top-1 of the network on `data`, a fraction; the network is left in evaluation mode."""
    net.eval()
    hits = 0
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            images = normalise(resize(data.pixels[start : start + batch], input_px))
            guess = net(images.contiguous(memory_format=torch.channels_last)).argmax(1)
            hits += int((guess == data.labels[start : start + batch]).sum())
    return hits / len(data)


def fit_stage(
    net: nn.Module,
    stage: Stage,
    train: TrainingImages,
    validation: TrainingImages | None,
    *,
    seed: int,
    state_path: Path | None = None,
    on_epoch: Callable[[Curve], None] = lambda _: None,
    after_step: Callable[[float], None] = lambda _: None,
) -> list[Curve]:
    """Train `net` in place for one stage and load its averaged weights; returns the learning curve.

    Args:
        net: the inner network, called with (N, 3, input_px, input_px); no resize happens on the way.
        state_path: where the state of every finished epoch is kept; a run that was killed goes on from there.
        after_step: called after each step of the optimiser with the share of the stage that is done, above 0 and up to 1.
    """
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(_groups(net, stage.weight_decay), lr=stage.lr)
    average = AveragedWeights(net, stage.ema_decay)
    curves: list[Curve] = []
    if state_path is not None and state_path.exists():
        curves = _restore(state_path, net, optimiser, average)
    for epoch in range(len(curves), stage.epochs):
        began = time.perf_counter()
        loss, lr = _epoch(net, optimiser, average, stage, train, epoch, seed, after_step)
        top1 = None
        if validation is not None:
            live = {k: v.clone() for k, v in net.state_dict().items()}
            net.load_state_dict(average.state)
            top1 = accuracy(net, validation, stage.input_px)
            net.load_state_dict(live)
        curves.append(Curve(stage.name, epoch + 1, loss, top1, lr, time.perf_counter() - began))
        on_epoch(curves[-1])
        if state_path is not None:
            _save(state_path, net, optimiser, average, curves)
    net.load_state_dict(average.state)
    return curves


def _groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Biases and batch-norm weights are not decayed."""
    plain = [p for p in net.parameters() if p.ndim <= 1]
    decayed = [p for p in net.parameters() if p.ndim > 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _epoch(
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: AveragedWeights,
    stage: Stage,
    train: TrainingImages,
    epoch: int,
    seed: int,
    after_step: Callable[[float], None],
) -> tuple[float, float]:
    """One pass over the images. The draws depend on (seed, epoch) alone, so a resumed run repeats them."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    torch.manual_seed(seed * 1_000_003 + epoch)  # dropout
    order = torch.randperm(len(train), generator=generator)
    chunks = [c for c in torch.split(order, stage.batch) if len(c) > 1]  # batch norm needs two pictures
    steps = stage.epochs * len(chunks)
    net.train()
    total, lr, seen = 0.0, stage.lr, 0
    for index, chunk in enumerate(chunks):
        lr = one_cycle(epoch * len(chunks) + index, steps, stage.lr, stage.warmup_share)
        for group in optimiser.param_groups:
            group["lr"] = lr
        optimiser.zero_grad(set_to_none=True)
        loss = _loss(net(_batch(train, chunk, stage, generator)), train, chunk, stage)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        after_step((epoch * len(chunks) + index + 1) / steps)
        average.update(net)
        total, seen = total + float(loss.detach()) * len(chunk), seen + len(chunk)
        fraction = (epoch + (index + 1) / len(chunks)) / stage.epochs
        report(fraction, f"{stage.name}: epoch {epoch + 1} of {stage.epochs}, loss {total / seen:.3f}")
    return total / seen, lr


def _batch(train: TrainingImages, chunk: Tensor, stage: Stage, generator: torch.Generator) -> Tensor:
    index = chunk.to(train.pixels.device)
    view = random_view(train.pixels[index], stage.input_px, min_crop=stage.min_crop, jitter=stage.jitter, generator=generator)
    return normalise(view).contiguous(memory_format=torch.channels_last)


def _loss(logits: Tensor, train: TrainingImages, chunk: Tensor, stage: Stage) -> Tensor:
    """Cross-entropy with the labels, mixed with the divergence from the teacher's softened answers (Hinton et al., 2015)."""
    index = chunk.to(train.labels.device)
    loss = functional.cross_entropy(logits, train.labels[index], label_smoothing=stage.label_smoothing)
    if train.teacher is None or not stage.distil:
        return loss
    t = stage.temperature
    soft = functional.softmax(train.teacher[index] / t, dim=1)
    taught = functional.kl_div(functional.log_softmax(logits / t, dim=1), soft, reduction="batchmean") * t * t
    return (1 - stage.distil) * loss + stage.distil * taught


def _save(path: Path, net: nn.Module, optimiser: torch.optim.Optimizer, average: AveragedWeights, curves: list[Curve]) -> None:
    state = {
        "net": net.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.state,
        "updates": average.updates,
        "curves": [asdict(c) for c in curves],
    }
    with replace_file(path) as part:
        torch.save(state, part)


def _restore(path: Path, net: nn.Module, optimiser: torch.optim.Optimizer, average: AveragedWeights) -> list[Curve]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.updates = state["average"], state["updates"]
        return [Curve(**c) for c in state["curves"]]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, ValueError, OSError, EOFError) as exc:
        raise StoreError(f"The saved training state {path} cannot be read: {exc}. Delete it to start afresh.") from exc
