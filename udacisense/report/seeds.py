"""Variation over seeds: every training by the same recipe that has a card here, its weights here or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from udacisense.errors import StoreError
from udacisense.metrics import stats
from udacisense.models.card import CARD, open_card
from udacisense.models.checkpoint import SUFFIXES, list_checkpoints, training_info
from udacisense.models.weight_files import weights_of
from udacisense.number_format import NOT_MEASURED, percent, share
from udacisense.records.queries import evaluations_of, is_real
from udacisense.report.blocks import Block, Heading, Paragraph, Table
from udacisense.settings import settings
from udacisense.training.recipe import TrainingRecipe
from udacisense.types import Checkpoint, Evaluation

OWN = {"seed", "pretraining_seed", "technique", "remark"}
"""What may differ between trainings by the same recipe."""


@dataclass(frozen=True, slots=True)
class Training:
    """One training by a recipe."""

    seed: int
    sha256: str
    validation_top1: float | None
    evaluation: Evaluation | None  # on real test images


def seed_blocks(checkpoint: Checkpoint, of_its_start: bool = False) -> list[Block]:
    """A table of all seeds of the recipe, with their spread; one seed alone says that nothing is known of others.

    Args:
        of_its_start: the card is of a network that was made from this one.
    """
    title = Heading(2, "Seeds of the network that it was made from" if of_its_start else "Seeds")
    recipe = (training_info(checkpoint) or {}).get("recipe") or {}
    if recipe.get("seed") is None:
        return [title, Paragraph("The seed is not known.")]
    found = trainings(recipe)
    if len(found) < 2:
        return [title, Paragraph(f"Trained with the seed {recipe['seed']} alone. How much another changes: {NOT_MEASURED}.")]
    own = "its start" if of_its_start else "this one"
    rows = tuple(_row(training, own if training.sha256 == checkpoint.sha256 else "") for training in found)
    return [title, Paragraph(_spread(found)), Table(("seed", "held-out images", "test images (95 %)", "record"), rows)]


def trainings(recipe: Mapping[str, Any]) -> list[Training]:
    """All trainings by the recipe of this name that differ from it in the seed only, by seed."""
    wanted = _but_for_its_seed(recipe)
    found = [training for other, training in _cards() if _but_for_its_seed(other) == wanted]
    return sorted({training.sha256: training for training in found}.values(), key=lambda t: t.seed)


def _but_for_its_seed(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a card's recipe asks for; a setting that recipes did not have when the card was written is at its default."""
    try:
        whole = TrainingRecipe.model_validate(recipe)
    except ValidationError:  # a card by another program, or of a recipe that has changed its keys
        return {key: value for key, value in recipe.items() if key not in OWN}
    return whole.model_dump(exclude=OWN)


def _cards() -> Iterator[tuple[Mapping[str, Any], Training]]:
    for sha256, told in _trainings():
        recipe, curves = told.get("recipe") or {}, told.get("curves") or []
        if recipe.get("seed") is None:
            continue
        last = next((p["validation_top1"] for p in reversed(curves) if p.get("validation_top1") is not None), None)
        evaluation = evaluations_of(sha256, split="test").where(is_real).newest()
        yield recipe, Training(recipe["seed"], sha256, last, evaluation)


def _trainings() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The sha256 of each network with what its card tells; a card without weights speaks only of a network that is not here."""
    here = list_checkpoints().records
    yield from ((c.sha256, training_info(c) or {}) for c in here)
    known = {c.sha256 for c in here}
    for path in sorted(settings().models_dir.rglob(f"*{CARD}")):
        with suppress(StoreError):  # the list of checkpoints names it
            card = None if weights_of(path, SUFFIXES) else open_card(path)
            if card is not None and card.record.sha256 not in known:
                yield card.record.sha256, card.plain["training"]


def _row(training: Training, own: str) -> tuple[str, ...]:
    e = training.evaluation
    test = share(None if e is None else stats.wilson_interval(round(e.top1 * e.images), e.images))
    name = f"{training.seed} ({own})" if own else str(training.seed)
    return name, percent(training.validation_top1), test, e.id if e else "–"


def _spread(found: list[Training]) -> str:
    known = [100 * t.evaluation.top1 for t in found if t.evaluation]
    if len(known) < 2:
        return f"Trained with {len(found)} seeds; fewer than two were tested."
    mean = sum(known) / len(known)
    deviation = (sum((v - mean) ** 2 for v in known) / (len(known) - 1)) ** 0.5
    return (
        f"Trained with {len(found)} seeds. Top-1 on the test images: {mean:.1f} % on average, standard deviation "
        f"{deviation:.1f} points over {len(known)} seeds, from {min(known):.1f} to {max(known):.1f} %."
    )
