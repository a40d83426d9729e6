"""The training loop: one stage of a recipe, resumable at every step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from udacisense.errors import RecipeError
from udacisense.progress import report
from udacisense.training.augment import normalise, random_view, resize
from udacisense.training.batch_targets import TrainingBatch, TrainingImages, loss_of
from udacisense.training.memory import keep_freed_memory
from udacisense.training.mixing import mix
from udacisense.training.recipe import TrainingStage
from udacisense.training.state import AveragedWeights, Curve, Run, restore, save

__all__ = ["AveragedWeights", "Curve", "TrainingImages", "accuracy", "fit_stage", "one_cycle"]

SAVE_EVERY_S = 60.0
"""How much work a kill costs at most."""

AfterStep = Callable[[float], None]


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
    stage: TrainingStage,
    train: TrainingImages,
    validation: TrainingImages | None,
    *,
    seed: int,
    state_path: Path | None = None,
    guide: nn.Linear | None = None,
    on_epoch: Callable[[Curve], None] = lambda _: None,
    after_step: AfterStep = lambda _: None,
) -> list[Curve]:
    """Train `net` in place for one stage and load its averaged weights; returns the learning curve.

    Args:
        net: the inner network, called with (N, 3, input_px, input_px); no resize happens on the way.
        state_path: where the state is kept every minute and after every epoch; a run that was killed goes on from there, with
            the result of one that was not.
        guide: reads the teacher's features out of the network's pooled ones (`feature_distil`), and is trained too.
        after_step: called after each step of the optimiser with the share of the stage that is done, above 0 and up to 1.

    Raises:
        RecipeError: not even two images fit into the device's memory. StoreError: the saved state cannot be read.
    """
    keep_freed_memory()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = Run.begin(net, guide, stage)
    if state_path is not None and state_path.exists():
        restore(state_path, run)
    while len(run.curves) < stage.epochs:
        _epoch(run, stage, train, seed, state_path, after_step)
        top1 = None if validation is None else _averaged_accuracy(run, validation, stage.input_px)
        run.end_epoch(stage.name, top1)
        on_epoch(run.curves[-1])
        if state_path is not None:
            save(state_path, run)
    net.load_state_dict(run.average.state)
    return run.curves


def _averaged_accuracy(run: Run, validation: TrainingImages, input_px: int) -> float:
    live = {k: v.clone() for k, v in run.net.state_dict().items()}
    run.net.load_state_dict(run.average.state)
    top1 = accuracy(run.net, validation, input_px)
    run.net.load_state_dict(live)
    return top1


def _epoch(
    run: Run, stage: TrainingStage, train: TrainingImages, seed: int, state_path: Path | None, after_step: AfterStep
) -> None:
    """The rest of the epoch the run is in. All draws depend on (seed, epoch, step) alone, so a resumed run repeats them."""
    epoch = len(run.curves)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    chunks = [c for c in torch.split(order, stage.batch) if len(c) > 1]  # batch norm needs two images
    run.net.train()
    saved = time.monotonic()
    while run.step < len(chunks):
        began = time.perf_counter()
        done = epoch * len(chunks) + run.step
        generator = torch.Generator().manual_seed(seed * 1_000_003 + done)
        torch.manual_seed(seed * 1_000_003 + done)  # dropout
        run.lr = one_cycle(done, stage.epochs * len(chunks), stage.lr, stage.warmup_share)
        _step(run, _lesson(train, chunks[run.step], stage, generator), stage)
        after_step((done + 1) / (stage.epochs * len(chunks)))
        run.average.update(run.net)
        run.step, run.seconds = run.step + 1, run.seconds + time.perf_counter() - began
        report(
            (done + 1) / (stage.epochs * len(chunks)), _stage_words(run, stage, epoch, stage.epochs * len(chunks) - done - 1)
        )
        if state_path is not None and time.monotonic() - saved > SAVE_EVERY_S:
            save(state_path, run)
            saved = time.monotonic()


def _stage_words(run: Run, stage: TrainingStage, epoch: int, steps_left: int) -> str:
    left = run.seconds / run.step * steps_left  # by the speed of this epoch
    time_left = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
    pieces = f", each batch in {run.pieces} parts for want of memory" if run.pieces > 1 else ""
    told = f"epoch {epoch + 1} of {stage.epochs}, loss {run.total / run.seen:.3f}"
    return f"{stage.name}: {told}, {time_left} left of this stage{pieces}"


def _lesson(train: TrainingImages, chunk: Tensor, stage: TrainingStage, generator: torch.Generator) -> TrainingBatch:
    index = chunk.to(train.pixels.device)
    view = random_view(train.pixels[index], stage.input_px, min_crop=stage.min_crop, jitter=stage.jitter, generator=generator)
    images, share = mix(normalise(view), mixup=stage.mixup, cutmix=stage.cutmix, generator=generator)
    return TrainingBatch.of(images.contiguous(memory_format=torch.channels_last), train, index, share, stage)


def _step(run: Run, targets: TrainingBatch, stage: TrainingStage) -> None:
    """One step of the optimiser; where the memory is too small for it, the batch goes through in smaller and smaller parts."""
    for group in run.optimiser.param_groups:
        group["lr"] = run.lr
    while True:
        run.optimiser.zero_grad(set_to_none=True)
        try:
            loss = _backward(run, targets, stage)
            break
        except torch.OutOfMemoryError as exc:
            _take_smaller_parts(run, targets, exc)
    run.optimiser.step()
    run.total, run.seen = run.total + loss * len(targets), run.seen + len(targets)


def _backward(run: Run, targets: TrainingBatch, stage: TrainingStage) -> float:
    total = 0.0
    device = targets.images.device.type
    for piece in targets.pieces(run.pieces):
        with torch.autocast(device, torch.bfloat16, enabled=bf16_helps(device)):
            loss = loss_of(run.net, run.guide, piece, stage) * (len(piece) / len(targets))
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    return total


def bf16_helps(device: str) -> bool:
    """On CUDA where the hardware has it; on the CPU this network is slower in it (docs/performance.md)."""
    return device == "cuda" and torch.cuda.is_bf16_supported()


def _take_smaller_parts(run: Run, targets: TrainingBatch, exc: Exception) -> None:
    if len(targets) // (2 * run.pieces) < 2:  # batch norm needs two images
        raise RecipeError(
            f"The {run.device} ran out of memory with {len(targets) // run.pieces} images at a time. Take a smaller "
            "input_px or batch, close other programs, or hide the device (CUDA_VISIBLE_DEVICES= trains on the CPU)."
        ) from exc
    run.pieces *= 2
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
