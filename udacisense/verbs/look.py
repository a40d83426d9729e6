"""Verbs that only look: what this machine has, which pictures, which models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import udacisense
from udacisense.settings import Settings, settings
from udacisense.types import Artifact, Checkpoint, DatasetRef, Machine, SourceName

if TYPE_CHECKING:
    from udacisense.data.health import Health
    from udacisense.data.sources import SourceInfo


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings."""

    name: str  # as an environment variable
    value: str
    default: str
    help: str


@dataclass(frozen=True, slots=True)
class Environment:
    """What the figures of this machine rest on."""

    version: str
    machine: Machine
    devices: tuple[str, ...]  # "cpu", "cuda:0 (name)", "mps"
    versions: Mapping[str, str]  # library -> version
    seed: int
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class DataInfo:
    """The pictures of one source."""

    source: SourceInfo
    scheme: str
    splits: tuple[DatasetRef, ...]  # train, test
    counts: Mapping[str, Mapping[str, int]]  # split -> class -> pictures
    health: Health


@dataclass(frozen=True, slots=True)
class ModelsInfo:
    """The checkpoints and artifacts of the store, and a sentence for each file that could not be read."""

    checkpoints: tuple[Checkpoint, ...]
    artifacts: tuple[Artifact, ...]
    default_id: str | None
    notice: str | None  # why the default is not the one that was wished for
    problems: tuple[str, ...]


def env() -> Environment:
    """Devices, versions, seed and settings of this machine."""
    from udacisense import provenance

    return Environment(
        version=udacisense.__version__,
        machine=provenance.machine(),
        devices=tuple(provenance.devices()),
        versions=provenance.versions(),
        seed=settings().seed,
        settings=_settings(),
    )


def _settings() -> tuple[Setting, ...]:
    current = settings()
    return tuple(
        Setting(f"UDACISENSE_{name.upper()}", str(getattr(current, name)), str(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )


def data_info(source: str | None = None, scheme: str = "household-v1") -> DataInfo:
    """Source, splits, class balance and health of the pictures.

    Raises:
        DataError: an unknown source or scheme, or pictures that are not there.
    """
    from udacisense.data.health import check_health
    from udacisense.data.sources import default_source, describe, load_dataset

    name = cast(SourceName, source or default_source())
    about = describe(name)
    splits = {split.ref.split: split for split in (load_dataset("train", name, scheme), load_dataset("test", name, scheme))}
    return DataInfo(
        source=about,
        scheme=scheme,
        splits=tuple(split.ref for split in splits.values()),
        counts={name: split.counts() for name, split in splits.items()},
        health=check_health(name, scheme),
    )


def models_info() -> ModelsInfo:
    """Every checkpoint and artifact of the store, and which checkpoint is used when none is named."""
    from udacisense.artifacts import list_artifacts
    from udacisense.errors import NotFoundError
    from udacisense.models.checkpoint import default_checkpoint, list_checkpoints

    checkpoints, artifacts = list_checkpoints(), list_artifacts()
    default: Checkpoint | None = None
    notice: str | None = None
    try:
        default, notice = default_checkpoint()
    except NotFoundError as exc:
        notice = str(exc)
    return ModelsInfo(
        checkpoints=checkpoints.records,
        artifacts=artifacts.records,
        default_id=default.id if default else None,
        notice=notice,
        problems=checkpoints.problems + artifacts.problems,
    )
