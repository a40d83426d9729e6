"""Answers of verbs as plain JSON values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from udacisense.records.store import relative, to_json
from udacisense.types import Artifact, Checkpoint


def plain(answer: Any) -> Any:
    """The answer as JSON values: records by their fields, paths inside the project relative, sequences as lists."""
    if isinstance(answer, dict):
        return {str(key): plain(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [plain(value) for value in answer]
    if isinstance(answer, Path):
        return relative(answer)
    if isinstance(answer, Checkpoint | Artifact) or not hasattr(answer, "__dataclass_fields__"):
        return to_json(answer)
    return {name: plain(getattr(answer, name)) for name in answer.__dataclass_fields__}
