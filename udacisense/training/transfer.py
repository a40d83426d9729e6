"""Transfer: a network with ImageNet weights, or one taught by it, learns small and sharp images together.

A camera sends sharp images, and the training images that we may use are 32 pixels wide, so each batch mixes three pools: small
household images, rendered household images seen at a random resolution, and images of other things, of which only a teacher can
say anything. Every draw depends on the seed and the number of the step alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from udacisense.progress import report
from udacisense.training.augment import random_view, resize
from udacisense.training.batch_targets import TrainingImages
from udacisense.training.fit import SAVE_EVERY_S, bf16_helps, one_cycle
from udacisense.training.memory import keep_freed_memory
from udacisense.training.state import AveragedWeights, Curve, Run, restore, save
from udacisense.training.transfer_recipe import TransferStage
from udacisense.types import Preprocessing

SMALLEST = 32
"""Pixels a side of the coarsest view of a rendered image."""
NO_LABEL = -1


@dataclass(frozen=True, slots=True)
class Pools:
    """What a stage learns from: small household images, rendered ones, and images of other things, labelled NO_LABEL."""

    household: TrainingImages
    rendered: TrainingImages
    other: TrainingImages | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """A network as training needs it: its pooled features (N, F) of normalised images, its head, its blocks, the stem first."""

    whole: nn.Module
    pooled: Callable[[Tensor], Tensor]
    head: nn.Module
    blocks: tuple[nn.Module, ...]
    preprocessing: Preprocessing

    @classmethod
    def of(cls, network: Any, preprocessing: Preprocessing) -> Parts:
        """Of a MobileNetV3_Household or an EfficientNet of efficientnet-lite-pytorch."""
        if hasattr(network, "extract_features"):
            blocks = (nn.ModuleList((network._conv_stem, network._bn0)), *network._blocks)
            head = nn.Sequential(network._dropout, network._fc)
            return cls(network, lambda x: network.extract_features(x).mean(dim=(2, 3)), head, blocks, preprocessing)
        inner = network.model
        return cls(
            network,
            lambda x: torch.flatten(inner.avgpool(inner.features(x)), 1),
            inner.classifier,
            tuple(inner.features),
            preprocessing,
        )

    def features(self, images: Tensor) -> Tensor:
        """Features (N, F) of images (N, 3, h, w) with values 0..1."""
        p = self.preprocessing
        mean, std = (images.new_tensor(each).view(1, 3, 1, 1) for each in (p.mean, p.std))
        return self.pooled(((images - mean) / std).contiguous(memory_format=torch.channels_last))


def fit_transfer(
    network: Parts,
    stage: TransferStage,
    pools: Pools,
    validate: Callable[[], float],
    *,
    seed: int,
    teacher: Parts | None = None,
    guide: nn.Linear | None = None,
    state_path: Path | None = None,
) -> list[Curve]:
    """Train the network in place and load its averaged weights; returns the learning curve.

    Args:
        validate: top-1 of the network on images that are held out, asked after each epoch with the averaged weights in place.
        teacher: answers for each view that the network sees, where the stage distils.
        guide: reads the teacher's features out of the network's own (`feature_distil`), and is trained too.
        state_path: where the state is kept; a run that was killed goes on from there.

    Raises:
        StoreError: the saved state cannot be read.
    """
    keep_freed_memory()
    network.whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = _begin(network, guide, stage)
    before = {k: v.clone() for k, v in network.whole.state_dict().items()}
    if state_path is not None and state_path.exists():
        restore(state_path, run)
    per_epoch = max(1, len(pools.household) // stage.household)
    while len(run.curves) < stage.epochs:
        _epoch(run, network, stage, pools, teacher, seed, per_epoch, state_path)
        with averaged(run):
            run.end_epoch(stage.name, validate())
        if state_path is not None:
            save(state_path, run)
    network.whole.load_state_dict(_blended(before, run.average.state, stage.keep_initial))
    return run.curves


def _begin(network: Parts, guide: nn.Linear | None, stage: TransferStage) -> Run:
    for block in network.blocks[: stage.frozen_blocks]:
        block.requires_grad_(False)
    head = {id(p) for p in network.head.parameters()}
    groups = []
    for share, chosen in ((1.0, False), (stage.head_lr / stage.lr, True)):
        learning = [p for p in network.whole.parameters() if p.requires_grad and (id(p) in head) == chosen]
        learning += list(guide.parameters()) if guide is not None and chosen else []
        for decayed in (True, False):
            members = [p for p in learning if (p.ndim > 1) == decayed]
            groups.append({"params": members, "weight_decay": stage.weight_decay * decayed, "share": share})
    optimiser = torch.optim.AdamW([group for group in groups if group["params"]], lr=stage.lr)
    return Run(network.whole, guide, optimiser, AveragedWeights(network.whole, stage.ema_decay))


def _epoch(
    run: Run,
    network: Parts,
    stage: TransferStage,
    pools: Pools,
    teacher: Parts | None,
    seed: int,
    per_epoch: int,
    state_path: Path | None,
) -> None:
    """The rest of the epoch that the run is in."""
    epoch, saved = len(run.curves), time.monotonic()
    steps = stage.epochs * per_epoch
    _train_mode(network, stage)
    while run.step < per_epoch:
        began, done = time.perf_counter(), epoch * per_epoch + run.step
        run.lr = one_cycle(done, steps, stage.lr, stage.warmup_share)
        for group in run.optimiser.param_groups:
            group["lr"] = run.lr * group["share"]
        torch.manual_seed(seed * 1_000_003 + done)  # dropout
        images, labels = _batch(pools, stage, torch.Generator().manual_seed(seed * 1_000_003 + done))
        run.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16_helps(images.device.type)):
            loss = _loss(network, teacher, run.guide, images, labels, stage)
        loss.backward()  # type: ignore[no-untyped-call]
        run.optimiser.step()
        run.average.update(run.net)
        run.step, run.seconds = run.step + 1, run.seconds + time.perf_counter() - began
        if run.step % 20 == 0 or run.step == per_epoch:
            run.total, run.seen = run.total + float(loss.detach()), run.seen + 1  # a sample of the losses: each costs a wait
            report((done + 1) / steps, f"{stage.name}: epoch {epoch + 1} of {stage.epochs}, loss {run.total / run.seen:.3f}")
        if state_path is not None and time.monotonic() - saved > SAVE_EVERY_S:
            save(state_path, run)
            saved = time.monotonic()


def _train_mode(network: Parts, stage: TransferStage) -> None:
    """Batch norm of a network that begins well keeps its statistics: those of a mixed batch would be neither pool's."""
    network.whole.train()
    for module in network.whole.modules():
        if isinstance(module, nn.BatchNorm2d) and stage.freeze_norm:
            module.eval()
    for block in network.blocks[: stage.frozen_blocks]:
        block.eval()


def _batch(pools: Pools, stage: TransferStage, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Views (B, 3, px, px) of all pools, values 0..1, and their labels."""
    taken = [_drawn(pools.household, stage.household, stage, generator), _rendered(pools.rendered, stage, generator)]
    if pools.other is not None and stage.other:
        taken.append(_drawn(pools.other, stage.other, stage, generator))
    images, labels = torch.cat([images for images, _ in taken]), torch.cat([labels for _, labels in taken])
    return _blends(images, labels, stage.blend, generator) if stage.blend else (images, labels)


def _blends(images: Tensor, labels: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A share of the images as blends of two of the batch: more to ask a teacher about than there are images."""
    draw = torch.rand(2, len(labels), generator=generator).to(images.device)
    others = torch.randperm(len(labels), generator=generator).to(images.device)
    chosen = draw[0] < share
    weight = torch.where(chosen, draw[1], 1.0)[:, None, None, None]
    return torch.lerp(images[others], images, weight), labels.masked_fill(chosen, NO_LABEL)


def _drawn(pool: TrainingImages, count: int, stage: TransferStage, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    index = torch.randint(len(pool), (count,), generator=generator).to(pool.labels.device)
    return _view(pool.pixels[index], stage, generator), pool.labels[index]


def _rendered(pool: TrainingImages, stage: TransferStage, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Half of the rendered images as sharp as they are, half of them coarser, down to SMALLEST pixels."""
    labels = pool.labels.cpu()
    evenly = 1 / torch.bincount(labels)[labels].float()  # a class of which more was rendered is drawn no more often
    index = torch.multinomial(evenly, stage.rendered, replacement=True, generator=generator).to(pool.labels.device)
    sharp, coarse = torch.tensor_split(pool.pixels[index], 2)
    side = int(torch.randint(SMALLEST, pool.pixels.shape[-1], (1,), generator=generator))
    small = functional.interpolate(coarse.float(), size=(side, side), mode="bicubic", antialias=True).clamp(0, 255)
    return torch.cat([_view(sharp, stage, generator), _view(small, stage, generator)]), pool.labels[index]


def _view(pixels: Tensor, stage: TransferStage, generator: torch.Generator) -> Tensor:
    view = random_view(
        pixels, stage.input_px, min_crop=stage.min_crop, jitter=stage.jitter, generator=generator, stretch=stage.stretch
    )
    return tinted(view, stage.tint, generator)


def tinted(view: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Values 0..1 with another white balance and saturation in each image: the light of another room, another camera."""
    draw = 2 * torch.rand(len(view), 4, generator=generator).to(view.device) - 1
    gain = (1 + most * draw[:, :3])[:, :, None, None]
    saturation = (1 + 2 * most * draw[:, 3]).view(-1, 1, 1, 1)
    grey = view.mean(1, keepdim=True)
    return torch.lerp(grey, view, saturation).mul_(gain).clamp_(0, 1)


def _loss(
    network: Parts, teacher: Parts | None, guide: nn.Linear | None, images: Tensor, labels: Tensor, stage: TransferStage
) -> Tensor:
    """Cross-entropy with the labels, and what the teacher says of the very same views.

    Source: Beyer et al., "Knowledge distillation: a good teacher is patient and consistent", CVPR 2022.
    """
    features = network.features(images)
    logits = network.head(features).float()
    known = labels != NO_LABEL
    loss = functional.cross_entropy(logits[known], labels[known], label_smoothing=stage.label_smoothing)
    if teacher is None:
        return loss
    with torch.no_grad():
        size = teacher.preprocessing.input_size
        same = images.shape[-2:] == size
        seen = teacher.features(images if same else functional.interpolate(images, size=size, mode="bilinear", antialias=True))
        wanted = functional.softmax(teacher.head(seen).float() / stage.temperature, dim=1)
    told = functional.log_softmax(logits / stage.temperature, dim=1)
    divergence = functional.kl_div(told, wanted, reduction="batchmean") * stage.temperature**2
    loss = (1 - stage.distil) * loss + stage.distil * divergence
    if guide is not None:
        distance = 1 - functional.cosine_similarity(guide(features).float(), seen.float(), dim=1).mean()
        loss = loss + stage.feature_distil * distance
    return loss


def _blended(before: dict[str, Tensor], after: dict[str, Tensor], keep: float) -> dict[str, Tensor]:
    """The weights after training with a share of those before: what was learnt anew costs less of what was known.

    Source: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    return {k: torch.lerp(v, before[k], keep) if v.is_floating_point() else v for k, v in after.items()}


@contextmanager
def averaged(run: Run) -> Iterator[None]:
    """The averaged weights in the place of the live ones while the block runs."""
    live = {k: v.clone() for k, v in run.net.state_dict().items()}
    run.net.load_state_dict(run.average.state)
    yield
    run.net.load_state_dict(live)


def top1(network: Parts, pool: TrainingImages, input_px: int, batch: int = 128) -> float:
    """Share of a pool's images that the network is right on; it is left in evaluation mode."""
    network.whole.eval()
    hits = 0
    with torch.inference_mode():
        for start in range(0, len(pool), batch):
            images = resize(pool.pixels[start : start + batch], input_px)
            guess = network.head(network.features(images)).argmax(1)
            hits += int((guess == pool.labels[start : start + batch]).sum())
    return hits / len(pool)
