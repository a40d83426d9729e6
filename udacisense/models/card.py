"""The card beside a weight file: its record, how it was trained ("training") and what it is made of ("summary")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from udacisense import store
from udacisense.errors import StoreError
from udacisense.foreign import in_brief
from udacisense.types import Checkpoint


def card_path(path: Path) -> Path:
    """Where the card of a weight file lies: `model.pth` has `model.card.json`."""
    return path.with_name(f"{path.stem}.card.json")


def card_text(path: Path) -> str:
    """The text of a weight file's card.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    try:
        return card_path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise StoreError(
            f"{card_path(path)} cannot be read: {in_brief(exc)}. Remove it, or restore it from version control."
        ) from exc


def read_card(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Everything on a checkpoint's card ("record", "summary", "training"); empty without a card of these very bytes."""
    try:
        text = card_text(checkpoint.path)
        record = store.parse(text, "checkpoint", Checkpoint, str(card_path(checkpoint.path)))
    except StoreError:
        return {}
    found: Mapping[str, Any] = json.loads(text) if record.sha256 == checkpoint.sha256 else {}
    return found
