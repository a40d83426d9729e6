"""`train` with a transfer recipe: the pools of images, the networks, and the checkpoint with its card."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from udacisense.data.folder import read_folder
from udacisense.data.pool import LabelledImage
from udacisense.data.preprocess import resize
from udacisense.data.pretraining import other_classes
from udacisense.data.sources import load_dataset, read_pool
from udacisense.determinism import set_deterministic_mode
from udacisense.errors import RecipeError
from udacisense.labels import CLASSES
from udacisense.models.architectures import network_of, parted
from udacisense.models.checkpoint import find_checkpoint
from udacisense.models.loading import load_network
from udacisense.models.writing import save_checkpoint
from udacisense.progress import part, report
from udacisense.settings import settings
from udacisense.training.batch_targets import TrainingImages
from udacisense.training.initial import head_by_name
from udacisense.training.teacher import FEATURES, imagenet_lite
from udacisense.training.train import pick_device, plain_curve, validation_mask
from udacisense.training.transfer import NO_LABEL, Parts, Pools, fit_transfer, top1
from udacisense.training.transfer_recipe import TransferRecipe
from udacisense.types import HOUSEHOLD, Checkpoint, ModelSpec, Preprocessing

SHARP_PX = 176
"""Pixels a side that rendered images are kept at."""
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3
"""What EfficientNet-Lite's ImageNet weights were trained with."""


def train_transfer(recipe: TransferRecipe, out: Path) -> Checkpoint:
    """Run every stage of the recipe and save the averaged weights at `out` with card and curves.

    Neither the household test images nor the sample pack's are in any stage. A run that was killed goes on from its last saved
    step when it is started again with the same recipe and images.

    Raises:
        RecipeError: the recipe's packages or images are not here. DataError, CheckpointError, NotFoundError: nor are its images
            or checkpoints. StoreError: the disk refuses.
    """
    set_deterministic_mode(recipe.seed)
    device = pick_device()
    images = _Images(recipe, device)
    spec = _spec(recipe)
    network, initial = _network(recipe, spec)
    parts = Parts.of(network.to(device), spec.preprocessing)
    teacher = _teacher(recipe, device)
    guide = _guide(recipe, parts, device)
    curves, before = [], images.figures(parts, recipe.stage[0].input_px)
    for index, stage in enumerate(recipe.stage):
        with part(index / len(recipe.stage), (index + 1) / len(recipe.stage)):
            curves += fit_transfer(
                parts,
                stage,
                images.pools,
                partial(images.mean_top1, parts, stage.input_px),
                seed=recipe.seed + index,
                teacher=teacher,
                guide=guide if stage.feature_distil else None,
                state_path=_state_path(recipe, images, index),
            )
    report(1.0, "saving the checkpoint")
    made = save_checkpoint(
        network.cpu().eval(),
        out,
        technique=recipe.technique,
        parent_id=None,
        trained_hashes=images.hashes,
        training={
            "recipe": recipe.model_dump(mode="json"),
            "dataset_id": images.household.ref.dataset_id,
            "images": len(images.pools.household),
            "rendered_images": len(images.pools.rendered),
            "other_images": len(images.pools.other or ()),
            "validation_images": len(images.held.household) + len(images.held.rendered),
            "validation_before": before,
            "validation": images.figures(Parts.of(network.to(device).eval(), spec.preprocessing), recipe.stage[-1].input_px),
            "device": str(device),
            "initial_weights": initial,
            "curves": [plain_curve(c) for c in curves],
        },
        spec=spec,
        title=recipe.title,
        licence=recipe.licence,
    )
    for index in range(len(recipe.stage)):
        _state_path(recipe, images, index).unlink(missing_ok=True)
    return made


def _state_path(recipe: TransferRecipe, images: _Images, index: int) -> Path:
    """Where a stage that was killed goes on from: of this very recipe, up to the stage, and these images."""
    until = recipe.model_copy(update={"stage": recipe.stage[: index + 1]})
    digest = hashlib.sha256(f"{until.model_dump_json()} {sorted(images.hashes)}".encode()).hexdigest()[:12]
    return settings().home / ".udacisense" / "training" / f"{digest}.pt"


def _spec(recipe: TransferRecipe) -> ModelSpec:
    px = recipe.stage[-1].input_px
    if parted(recipe.architecture)[0] == "efficientnet_lite":
        return ModelSpec(recipe.architecture, CLASSES, Preprocessing((px, px), LITE_MEAN, LITE_STD))
    return ModelSpec(recipe.architecture, CLASSES, Preprocessing((px, px)))


def _network(recipe: TransferRecipe, spec: ModelSpec) -> tuple[nn.Module, str]:
    """The network with the weights that it begins with, and what those are, in words."""
    if recipe.initial != "imagenet":
        checkpoint = find_checkpoint(recipe.initial)
        return load_network(checkpoint), checkpoint.id
    family, member = parted(recipe.architecture)
    if family != "efficientnet_lite":
        raise RecipeError(f"{recipe.architecture} has no ImageNet weights here. Name a checkpoint to begin with.")
    weights, words = imagenet_lite(member)
    network: Any = network_of(recipe.name, spec, {})[0]
    head = head_by_name(weights.pop("_fc.weight"), weights.pop("_fc.bias"))
    network.load_state_dict({**weights, "_fc.weight": head[0], "_fc.bias": head[1]})
    network._dropout.p = recipe.dropout
    return network, words


def _teacher(recipe: TransferRecipe, device: torch.device) -> Parts | None:
    if recipe.teacher is None:
        return None
    checkpoint = find_checkpoint(recipe.teacher)
    network = load_network(checkpoint).to(device)
    return Parts.of(network.eval(), checkpoint.preprocessing)


def _guide(recipe: TransferRecipe, parts: Parts, device: torch.device) -> nn.Linear | None:
    if not any(stage.feature_distil for stage in recipe.stage):
        return None
    parts.whole.eval()
    px = recipe.stage[0].input_px
    with torch.inference_mode():
        width = parts.features(torch.zeros(1, 3, px, px, device=device)).shape[1]
    return nn.Linear(width, FEATURES).to(device)


class _Images:
    """The recipe's images: what is trained on, and what is held out of it to choose by."""

    def __init__(self, recipe: TransferRecipe, device: torch.device) -> None:
        self.household = load_dataset("train")
        rendered = _rendered(recipe)
        held = validation_mask(self.household.hashes, self.household.labels, recipe.validation_per_class)
        sharp_hashes, labels = [each.md5[:16] for each in rendered], np.array([each.label for each in rendered])
        held_rendered = validation_mask(sharp_hashes, labels, max(1, len(rendered) // 100))
        sharp = np.stack([resize(each.pixels, (SHARP_PX, SHARP_PX)) for each in rendered])
        other = other_classes()[0] if any(stage.other for stage in recipe.stage) else None
        small = np.stack([resize(image, (32, 32)) for image in self.household.images])
        self.pools = Pools(
            TrainingImages.of(small[~held], self.household.labels[~held], device),
            TrainingImages.of(sharp[~held_rendered], labels[~held_rendered], device),
            None if other is None else TrainingImages.of(other, np.full(len(other), NO_LABEL), device),
        )
        self.held = Pools(
            TrainingImages.of(small[held], self.household.labels[held], device),
            TrainingImages.of(sharp[held_rendered], labels[held_rendered], device),
        )
        kept = [h for h, out in zip(self.household.hashes, held, strict=True) if not out]
        self.hashes = [*kept, *(h for h, out in zip(sharp_hashes, held_rendered, strict=True) if not out)]

    def figures(self, parts: Parts, input_px: int) -> dict[str, float]:
        """Top-1 on the images that are held out: small household ones, rendered ones, and the mean of both."""
        small, sharp = top1(parts, self.held.household, input_px), top1(parts, self.held.rendered, input_px)
        return {"household": small, "rendered": sharp, "mean": (small + sharp) / 2}

    def mean_top1(self, parts: Parts, input_px: int) -> float:
        """The mean of both, which every epoch is watched by."""
        return self.figures(parts, input_px)["mean"]


def _rendered(recipe: TransferRecipe) -> list[LabelledImage]:
    """The sample pack's training images, and those of the recipe's folder: an image twice would count twice."""
    pools = [read_pool("sample")] + (
        [] if recipe.rendered == "sample" else [read_folder(settings().home / recipe.rendered, HOUSEHOLD)]
    )
    found = {each.md5: each for pool in pools for each in pool.images if each.split == "train" and each.label >= 0}
    return [found[md5] for md5 in sorted(found)]
