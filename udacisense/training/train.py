"""`train`: a recipe in, a checkpoint with its card and learning curves out."""

from __future__ import annotations

import hashlib
import shutil
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
from udacisense.errors import DataError
from udacisense.labels import CIFAR100_FINE_LABELS
from udacisense.models.checkpoint import save_checkpoint
from udacisense.models.network import MobileNetV3_Household
from udacisense.progress import part, report
from udacisense.settings import settings
from udacisense.training.fit import Curve, TrainingImages, fit_stage
from udacisense.training.recipe import Recipe, Stage
from udacisense.training.teacher import teacher_logits
from udacisense.types import Checkpoint

PRETRAINING_CLASSES = 100


def train(recipe: Recipe, out: Path) -> Checkpoint:
    """Run every stage of the recipe and save the averaged weights at `out` with card and curves.

    The household test images are in no stage; `validation_per_class` training images are held out to watch by. A run
    that was killed goes on from its last finished epoch when it is started again with the same recipe and images.

    Raises:
        DataError: the training images are missing or are not all of one size.
    """
    set_deterministic_mode(recipe.seed)
    device = pick_device()
    household = load_dataset("train")
    held_out = validation_mask(household, recipe.validation_per_class)
    states = _state_folder(recipe, household)
    network, curves = _run_stages(recipe, household, held_out, states, device)
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
            "curves": [_plain(c) for c in curves],
        },
    )
    shutil.rmtree(states, ignore_errors=True)
    return checkpoint


def _run_stages(
    recipe: Recipe, household: Dataset, held_out: NDArray[np.bool_], states: Path, device: torch.device
) -> tuple[MobileNetV3_Household, list[Curve]]:
    train_set, validation = _images(household, ~held_out, device), _images(household, held_out, device)
    if recipe.teacher is not None:
        answers = teacher_logits(train_set.pixels, train_set.labels, len(household.classes), states / "teacher.npy")
        train_set = replace(train_set, teacher=answers.to(device))
    network = MobileNetV3_Household(num_classes=PRETRAINING_CLASSES, dropout=recipe.dropout).to(device)
    curves: list[Curve] = []
    total, done = sum(_cost(stage) for stage in recipe.stage), 0.0
    for index, stage in enumerate(recipe.stage):
        seed, state_path = recipe.seed + index, states / f"stage{index}.pt"
        with part(done / total, (done + _cost(stage)) / total):
            if stage.data == "household":
                ensure_household_head(network, device)
                curves += fit_stage(network.model, stage, train_set, validation, seed=seed, state_path=state_path)
            else:
                curves += fit_stage(network.model, stage, _all_classes(device), None, seed=seed, state_path=state_path)
        done += _cost(stage)
    ensure_household_head(network, device)
    return network, curves


def pick_device() -> torch.device:
    """The fastest device here: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def validation_mask(dataset: Dataset, per_class: int) -> NDArray[np.bool_]:
    """True for the images held out: the first `per_class` of each class in the order of their hashes."""
    mask = np.zeros(len(dataset), dtype=bool)
    hashes = np.array(dataset.hashes)
    for label in np.unique(dataset.labels):
        members = np.flatnonzero(dataset.labels == label)
        mask[members[np.argsort(hashes[members])][:per_class]] = True
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
    sizes = {p.shape for p in dataset.pictures}
    if len(sizes) != 1:
        examples = ", ".join(f"{h}x{w}" for h, w, _ in sorted(sizes)[:3])
        raise DataError(f"Training needs pictures of one size, got {len(sizes)} sizes, such as {examples}. Resize them first.")
    return TrainingImages.of(np.stack(dataset.pictures)[mask], dataset.labels[mask], device)


def _all_classes(device: torch.device) -> TrainingImages:
    images, labels = load_all_classes()
    return TrainingImages.of(images, labels, device)


def _cost(stage: Stage) -> float:
    """Relative work of a stage: images are about 12 times more in pretraining, work grows with the area."""
    return stage.epochs * stage.input_px**2 * (12.0 if stage.data == "cifar100-all" else 1.0)


def _state_folder(recipe: Recipe, household: Dataset) -> Path:
    """Where a run that was killed goes on from: the same recipe on the same images."""
    digest = hashlib.sha256(f"{recipe.model_dump_json()} {household.ref.dataset_id}".encode()).hexdigest()[:12]
    return settings().home / ".udacisense" / "training" / digest


def _plain(curve: Curve) -> dict[str, object]:
    return {
        "stage": curve.stage,
        "epoch": curve.epoch,
        "train_loss": round(curve.train_loss, 4),
        "validation_top1": curve.validation_top1,
        "lr": curve.lr,
        "seconds": round(curve.seconds, 1),
    }
