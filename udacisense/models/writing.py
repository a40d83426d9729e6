"""Checkpoints onto the disk: the weights whole or not at all, their card, and the list of training images."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from udacisense.errors import StoreError
from udacisense.foreign import in_brief
from udacisense.models.card import card_path, read_card
from udacisense.models.card_parts import Summary
from udacisense.models.checkpoint import checkpoint_id, described_as, list_path, record_without_card, trained_hashes
from udacisense.models.summary import describe
from udacisense.records import store
from udacisense.torchscript.load import quiet_jit
from udacisense.types import HOUSEHOLD, Checkpoint, ModelSpec
from udacisense.writable import make_room, why_not


def save_checkpoint(
    network: nn.Module,
    out: Path,
    *,
    technique: str,
    parent_id: str | None,
    trained_hashes: Sequence[str],
    training: Mapping[str, object],
    spec: ModelSpec = HOUSEHOLD,
    title: str = "",
    licence: str | None = None,
) -> Checkpoint:
    """Write the weights at `out` with card and list of training images beside them; returns the record.

    A ScriptModule is written whole, as TorchScript; of every other network its state_dict is.

    Args:
        trained_hashes: the id of every image it was trained on, its parents' too; empty = not known.
        training: how it was trained (recipe, learning curves), plain JSON values.
        spec, title, licence: what it is, in the terms of `add`; by default a household network.

    Raises:
        StoreError: the disk refuses.
    """
    path = Path(out).absolute()
    write_weights(network, path)
    summary = describe(network, path.stat().st_size, spec.preprocessing.input_size)
    listed = _write_list(path, trained_hashes)
    plain = described_as(record_without_card(path, technique), spec, title, licence)
    record = dataclasses.replace(
        plain,
        parent_id=parent_id,
        parameters=summary.parameters,
        trained_on=listed,
        trained_on_images=list_path(path).name if listed else None,
        created=store.now(),
    )
    _write_card(record, training, dataclasses.asdict(summary))
    return record


def copy_checkpoint(source: Checkpoint, out: Path, technique: str) -> Checkpoint:
    """The same weights at another place, under another name, with their card and list of training images.

    Raises:
        StoreError: the disk refuses.
    """
    path = Path(out).absolute()
    with store.replace_file(path) as part:
        shutil.copyfile(source.path, part)
    _write_list(path, tuple(trained_hashes(source) or ()))
    record = dataclasses.replace(
        source,
        id=checkpoint_id(source.architecture, technique, source.sha256),
        path=path,
        technique=technique,
        trained_on_images=list_path(path).name if source.trained_on_images else None,
    )
    card = read_card(source)
    _write_card(record, card.get("training", {}), card.get("summary", {}))
    return record


def write_card(checkpoint: Checkpoint, summary: Summary) -> Checkpoint:
    """The record, with its parameters, once it is written as the card of its file.

    Raises:
        StoreError: the disk refuses.
    """
    record = dataclasses.replace(checkpoint, parameters=summary.parameters)
    _write_card(record, {}, dataclasses.asdict(summary))
    return record


def _write_list(path: Path, hashes: Sequence[str]) -> str | None:
    if not hashes:
        list_path(path).unlink(missing_ok=True)
        return None
    text = "".join(f"{h}\n" for h in sorted(set(hashes)))
    store.write_text(list_path(path), text)
    return hashlib.sha256(text.encode()).hexdigest()


def _write_card(record: Checkpoint, training: Mapping[str, object], summary: Mapping[str, object]) -> None:
    card = json.loads(store.dump(record, "checkpoint")) | {"summary": summary, "training": training}
    store.write_text(card_path(record.path), json.dumps(card, indent=1, allow_nan=False) + "\n")


def write_weights(network: nn.Module, path: Path) -> None:
    """A network's state_dict, or a ScriptModule whole, at `path`; what was there before stays until the new file is whole.

    Raises:
        StoreError: the disk refuses.
    """
    with store.replace_file(path) as part:
        try:
            with part.open("wb") as file:  # given a path, torch writes its name into the file: other bytes for the same weights
                if isinstance(network, torch.jit.ScriptModule):
                    with quiet_jit():
                        torch.jit.save(network, file)
                else:
                    torch.save(network.state_dict(), file)
        except RuntimeError as exc:  # torch tells of a full disk or a closed folder this way
            raise StoreError(
                f"{path} could not be written: {in_brief(exc)}. {why_not(path.parent) or make_room(path.parent)}"
            ) from exc
