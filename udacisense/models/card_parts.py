"""Parts of a card beside its record: the network's training and its layers. Checked once, when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from udacisense.types.base import Amount, Count, Fraction, Many, Seconds


@dataclass(frozen=True, slots=True)
class Layer:
    """One module without children."""

    name: str  # "model.features.0.0"
    kind: str  # "Conv2d"
    output_shape: Many[Count] | None  # without the batch; None = a TorchScript module does not tell
    parameters: Count
    macs: Count | None  # multiply-accumulates for one image; None = not counted for this kind
    sparsity: Fraction | None  # share of zeros among its weights, 0..1; None = it has none


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole network, for one image of the checkpoint's input size."""

    layers: Many[Layer]
    parameters: Count | None  # None = folded into the graph of a frozen TorchScript file
    macs: Count | None  # of convolutions and linear layers, where all the work is
    size_bytes: Count
    is_quantized: bool
    sparsity: Fraction | None  # share of zeros among the weights of convolutions and linear layers, 0..1


class _Part(BaseModel):
    """Known keys are held to their types; further ones are only ever shown as they are."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class _Point(_Part):
    """One epoch of a learning curve."""

    stage: str | None = None
    epoch: Count | None = None
    train_loss: float | None = None
    validation_top1: Fraction | None = None
    lr: Amount | None = None
    seconds: Seconds | None = None


class _Stage(_Part):
    name: str | None = None
    data: str | None = None
    input_px: Count | None = None
    epochs: Count | None = None
    batch: Count | None = None
    lr: Amount | None = None
    distil: Amount | None = None
    feature_distil: Amount | None = None


class _Recipe(_Part):
    name: str | None = None
    technique: str | None = None
    remark: str | None = None
    teacher: str | None = None
    initial: str | None = None
    seed: int | None = None
    stage: Many[_Stage] | None = None


class _Training(_Part):
    """How a network was trained or compressed."""

    recipe: _Recipe | None = None
    pipeline: str | None = None
    step: Mapping[str, object] | None = None
    seed: int | None = None
    teacher_id: str | None = None
    dataset_id: str | None = None
    images: Count | None = None
    validation_images: Count | None = None
    device: str | None = None
    initial_weights: str | None = None
    curves: Many[_Point] | None = None
    notes: Mapping[str, object] | None = None


def fitting_training(plain: Any) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The keys of a card's "training" that are what they should be, and a few words on each other."""
    if plain is None:
        return {}, ()
    if not isinstance(plain, Mapping):
        return {}, ("training: it should be an object",)
    wrong = _faults(TypeAdapter(_Training), plain, "training")
    return {key: value for key, value in plain.items() if key not in wrong}, tuple(wrong.values())


def fitting_summary(plain: Any) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """A card's "summary" if it is one as a whole, and a few words where it is not."""
    if plain in (None, {}):
        return {}, ()
    wrong = _faults(TypeAdapter(Summary), plain, "summary")
    return ({}, tuple(wrong.values())[:1]) if wrong else (plain, ())


def _faults(adapter: TypeAdapter[Any], plain: Any, name: str) -> dict[str, str]:
    """What is wrong, by the first key that it lies under; one fault for each."""
    try:
        adapter.validate_json(json.dumps(plain, allow_nan=False))
    except ValidationError as exc:
        found: dict[str, str] = {}
        for error in exc.errors(include_url=False, include_input=False):
            where = tuple(map(str, error["loc"]))
            found.setdefault(where[0] if where else "", f"{'.'.join((name, *where))}: {error['msg'].rstrip('.')}")
        return found
    return {}
