"""The card beside a weight file: its record, how it was trained ("training") and what it is made of ("summary")."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from udacisense import files
from udacisense.errors import StoreError
from udacisense.models.card_parts import fitting_summary, fitting_training
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import Checkpoint

CARD = ".card.json"
MAX_BYTES = 4 * 1024**2
MAX_VALUES = 100_000
"""A hundred times what is on the cards here. Every list reads every card, so a huge one would cost each of them seconds."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it was read. What does not fit is left out of `plain` and told in `fault`."""

    record: Checkpoint
    plain: Mapping[str, Any]  # "record", "training", "summary"
    fault: str | None


def card_path(path: Path) -> Path:
    """Path of the card of a weight file: `model.pth` has `model.card.json`."""
    return path.with_name(f"{path.stem}{CARD}")


def open_card(path: Path) -> Card | None:
    """The card at a path; None where there is none.

    Raises:
        StoreError: it cannot be read, is not a checkpoint's card, or its id is not of the file that it describes.
    """
    if not os.path.lexists(path):
        return None
    models = settings().models_dir
    files.check_place(path, models if path.is_relative_to(models) else path.parent)
    text = files.read_text(path, MAX_BYTES)
    if text.count(",") > MAX_VALUES:
        raise StoreError(f"{path} holds more than {MAX_VALUES:,} values, so it is not read. Remove it, or restore it.")
    record = store.parse(text, "checkpoint", Checkpoint, str(path))
    plain = files.parse_json(text)
    training, unfit_training = fitting_training(plain.get("training"))
    summary, unfit_summary = fitting_summary(plain.get("summary"))
    unfit = "; ".join((*unfit_training, *unfit_summary))
    fault = f"{path} is used without a part that does not fit ({unfit}). Mend it, or restore the card." if unfit else None
    return Card(record, {**plain, "training": training, "summary": summary}, fault)


def read_card(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Content of a checkpoint's card ("record", "summary", "training"); empty without a card of these very bytes."""
    try:
        card = open_card(card_path(checkpoint.path))
    except StoreError:
        return {}
    return card.plain if card is not None and card.record.sha256 == checkpoint.sha256 else {}
