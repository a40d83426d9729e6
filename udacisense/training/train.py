"""`train`: a recipe in, a checkpoint with its card and learning curves out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from udacisense.data.dataset import Dataset
from udacisense.data.pretraining import load_all_classes
from udacisense.data.sources import load_dataset
from udacisense.determinism import set_deterministic_mode
from udacisense.errors import DataError, RecipeError
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.models.network import MobileNetV3_Household
from udacisense.models.writing import save_checkpoint
from udacisense.progress import part, report
from udacisense.settings import settings
from udacisense.training.fit import Curve, TrainingImages, fit_stage
from udacisense.training.initial import IMAGENET, load_imagenet
from udacisense.training.recipe import TrainingRecipe, TrainingStage
from udacisense.training.teacher import FEATURES, teacher_features, teacher_logits
from udacisense.types import Checkpoint

PRETRAINING_CLASSES = 100
POOLED = 576  # features of the network before its classifier


def train(recipe: TrainingRecipe, out: Path) -> Checkpoint:
    """Run every stage of the recipe and save the averaged weights at `out` with card and curves.

    The household test images are in no stage; `validation_per_class` training images are held out to watch by. A run
    that was killed goes on from its last saved step when it is started again with the same recipe and images.

    Raises:
        DataError: the training images are missing or are not all of one size.
    """
    set_deterministic_mode(recipe.seed)
    device = pick_device()
    household = load_dataset("train")
    held_out = validation_mask(household.hashes, household.labels, recipe.validation_per_class)
    network, curves, initial = _run_stages(recipe, household, held_out, device)
    report(1.0, "saving the checkpoint")
    checkpoint = save_checkpoint(
        network.cpu(),
        out,
        technique=recipe.technique,
        parent_id=None,
        trained_hashes=[h for h, held in zip(household.hashes, held_out, strict=True) if not held],
        training={
            "recipe": recipe.model_dump(mode="json"),
            "dataset_id": household.ref.dataset_id,
            "images": int((~held_out).sum()),
            "validation_images": int(held_out.sum()),
            "device": str(device),
            "initial_weights": initial,
            "curves": [plain_curve(c) for c in curves],
        },
    )
    _clear_states(recipe, household)
    return checkpoint


def _run_stages(
    recipe: TrainingRecipe, household: Dataset, held_out: NDArray[np.bool_], device: torch.device
) -> tuple[MobileNetV3_Household, list[Curve], str]:
    class_room = _StageData(recipe, household, held_out, device)
    network = MobileNetV3_Household(num_classes=PRETRAINING_CLASSES, dropout=recipe.dropout).to(device)
    guide = nn.Linear(POOLED, FEATURES).to(device) if any(s.feature_distil for s in recipe.stage) else None
    stages, initial = _begin(recipe, network)
    curves: list[Curve] = []
    total, done = sum(_cost(stage) for _, stage in stages), 0.0
    for index, stage in stages:
        with part(done / total, (done + _cost(stage)) / total):
            if stage.data == "household":
                ensure_household_head(network, device)
            curves += fit_stage(
                network.model,
                stage,
                class_room.images(stage),
                class_room.validation if stage.data == "household" else None,
                seed=recipe.seed_of(stage) + index,
                state_path=_state_path(recipe, household, index),
                guide=guide if stage.feature_distil else None,
            )
        done += _cost(stage)
    ensure_household_head(network, device)
    return network, curves, initial


def _begin(recipe: TrainingRecipe, network: MobileNetV3_Household) -> tuple[list[tuple[int, TrainingStage]], str]:
    """The stages to run with their places in the recipe, and where the weights begin, in words."""
    stages = list(enumerate(recipe.stage))
    if recipe.initial == "random":
        return stages, "random"
    reason = load_imagenet(network)
    if reason is None:
        return [(i, s) for i, s in stages if s.data == "household"] or stages, IMAGENET
    if all(s.data == "household" for s in recipe.stage):
        raise RecipeError(
            f"{reason}, and {recipe.name} has no pretraining stage to take its place. Connect to the network, "
            'or add a stage with data = "cifar100-all".'
        )
    report(0.0, f"{reason}: pretraining instead")
    return stages, f"random, then the pretraining stages: {reason}"


class _StageData:
    """The training images of each stage with what the recipe's teacher says of them, made when they are first asked for."""

    def __init__(self, recipe: TrainingRecipe, household: Dataset, held_out: NDArray[np.bool_], device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        self.household, self.validation = _images(household, ~held_out, device), _images(household, held_out, device)
        self.classes = len(household.classes)
        self.without = [h for h, held in zip(household.hashes, held_out, strict=True) if held]
        self.made: dict[str, TrainingImages] = {}

    def images(self, stage: TrainingStage) -> TrainingImages:
        """The images of a stage; pretraining images are let go once the household stages are reached."""
        if stage.data not in self.made:
            self.made = {stage.data: self._make(stage.data)}
        return self.made[stage.data]

    def _make(self, data: str) -> TrainingImages:
        images = self.household if data == "household" else _all_classes(self.without, self.device)
        stages = [s for s in self.recipe.stage if s.data == data]
        if not any(s.distil or s.feature_distil for s in stages):
            return images
        features = teacher_features(images.pixels, settings().home / ".udacisense" / "teacher")
        taught = any(s.distil for s in stages)
        return replace(
            images,
            features=features,
            teacher=teacher_logits(features, images.labels, self.classes) if taught else None,
        )


def pick_device() -> torch.device:
    """The fastest device here: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def validation_mask(hashes: Sequence[str], labels: NDArray[np.int64], per_class: int) -> NDArray[np.bool_]:
    """True for the images held out: the first `per_class` of each class in the order of their hashes."""
    mask = np.zeros(len(labels), dtype=bool)
    names = np.array(hashes)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        mask[members[np.argsort(names[members])][:per_class]] = True
    return mask


def ensure_household_head(network: MobileNetV3_Household, device: torch.device) -> None:
    """Keep the ten household rows of the pretraining head, which has met these classes; a ten-class head is left alone."""
    classifier: Any = network.model.classifier
    head = classifier[3]
    if head.out_features != PRETRAINING_CLASSES:
        return
    rows = list(CIFAR100_FINE_LABELS)
    kept = nn.Linear(head.in_features, len(rows)).to(device)
    with torch.no_grad():
        kept.weight.copy_(head.weight[rows])
        kept.bias.copy_(head.bias[rows])
    classifier[3] = kept


def _images(dataset: Dataset, mask: NDArray[np.bool_], device: torch.device) -> TrainingImages:
    sizes = {p.shape for p in dataset.images}
    if len(sizes) != 1:
        examples = ", ".join(f"{h}x{w}" for h, w, _ in sorted(sizes)[:3])
        raise DataError(f"Training needs images of one size, got {len(sizes)} sizes, such as {examples}. Resize them first.")
    return TrainingImages.of(np.stack(dataset.images)[mask], dataset.labels[mask], device)


def _all_classes(without: list[str], device: torch.device) -> TrainingImages:
    images, labels = load_all_classes(without)
    return TrainingImages.of(images, labels, device)


def _cost(stage: TrainingStage) -> float:
    """Relative work of a stage: images are about 12 times more in pretraining, work grows with the area."""
    return stage.epochs * stage.input_px**2 * (12.0 if stage.data == "cifar100-all" else 1.0)


def _state_path(recipe: TrainingRecipe, household: Dataset, index: int) -> Path:
    """Where a stage that was killed goes on from, and where another recipe with the same stages up to here finds it done."""
    same = {"name": "", "technique": "", "remark": "", "seed": recipe.seed_of(recipe.stage[index]), "pretraining_seed": None}
    until = recipe.model_copy(update={**same, "stage": recipe.stage[: index + 1]})
    digest = hashlib.sha256(f"{until.model_dump_json()} {household.ref.dataset_id}".encode()).hexdigest()[:12]
    return settings().home / ".udacisense" / "training" / f"{digest}.pt"


def _clear_states(recipe: TrainingRecipe, household: Dataset) -> None:
    """Only pretraining is kept: it takes long, and other recipes and seeds begin with it."""
    for index, stage in enumerate(recipe.stage):
        if stage.data == "household":
            _state_path(recipe, household, index).unlink(missing_ok=True)


def plain_curve(curve: Curve) -> dict[str, object]:
    """A point of a learning curve as a card holds it."""
    return {
        "stage": curve.stage,
        "epoch": curve.epoch,
        "train_loss": round(curve.train_loss, 4),
        "validation_top1": curve.validation_top1,
        "lr": curve.lr,
        "seconds": round(curve.seconds, 1),
    }
