"""The record of a model file as plain JSON values, and back: how it travels to a child process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from udacisense.records.store import from_json, to_json
from udacisense.types import Artifact, Checkpoint, ModelFile, WrittenFile

_KINDS: Mapping[str, type[ModelFile]] = {"checkpoint": Checkpoint, "artifact": Artifact, "written": WrittenFile}


def to_plain(file: ModelFile) -> dict[str, Any]:
    """The record as JSON values. Its path stands apart: a record's own text is UTF-8, and a file's name need not be."""
    kind = next(kind for kind, cls in _KINDS.items() if isinstance(file, cls))
    return {"kind": kind, "path": str(file.path), "record": to_json(file) | {"path": "model"}}


def from_plain(plain: Mapping[str, Any]) -> ModelFile:
    """The record that `to_plain` wrote.

    Raises:
        StoreError: it is no such record.
    """
    record: ModelFile = from_json(_KINDS[plain["kind"]], plain["record"])
    return replace(record, path=Path(plain["path"]))
