"""Verbs that only look: what this machine has, which images, which models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import udacisense
from udacisense import jobs
from udacisense.processes.limits import confinement
from udacisense.records import queries
from udacisense.settings import Settings, settings
from udacisense.types import KINDS, Artifact, Checkpoint, DatasetRef, FailedConversion, Machine, SourceName, Status
from udacisense.verbs.judge import sample_limits

if TYPE_CHECKING:
    from udacisense.data.health import Health
    from udacisense.data.sources import SourceInfo
    from udacisense.provenance import Device


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings."""

    name: str  # as an environment variable
    value: str
    default: str
    help: str


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment behind the figures of this machine."""

    version: str
    machine: Machine
    devices: tuple[Device, ...]
    versions: Mapping[str, str]  # library -> version
    seed: int
    settings: tuple[Setting, ...]
    confinement: str  # what binds a process that opens a model file here


@dataclass(frozen=True, slots=True)
class DataInfo:
    """The images of one source."""

    source: SourceInfo
    splits: tuple[DatasetRef, ...]  # train, test; a part without images is left out
    health: Health


@dataclass(frozen=True, slots=True)
class ModelsInfo:
    """The checkpoints and artifacts of the store, and a sentence for each file that could not be read."""

    checkpoints: tuple[Checkpoint, ...]
    artifacts: tuple[Artifact, ...]
    verdicts: Mapping[str, Status]  # artifact id -> what it was judged last
    limits: Mapping[str, str]  # artifact id -> how it did on the rendered sample, where real images have the say
    failed: tuple[FailedConversion, ...]  # the last attempts that gave no file
    default_id: str | None
    notice: str | None  # why the default is not the one that was wished for
    problems: tuple[str, ...]


def env() -> Environment:
    """Devices, versions, seed and settings of this machine.

    >>> verbs.env().devices
    """
    from udacisense import provenance

    return Environment(
        version=udacisense.__version__,
        machine=provenance.machine(),
        devices=provenance.devices(),
        versions=provenance.versions(),
        seed=settings().seed,
        settings=_settings(),
        confinement=confinement(),
    )


def _settings() -> tuple[Setting, ...]:
    current = settings()
    return tuple(
        Setting(f"UDACISENSE_{name.upper()}", str(getattr(current, name)), str(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )


def data_info(source: str | None = None, scheme: str | None = None) -> DataInfo:
    """Source, splits, class balance and health of the images.

    >>> verbs.data_info("sample").splits

    Raises:
        DataError: an unknown source or scheme, or images that are not there.
    """
    from udacisense.data.health import check_health
    from udacisense.data.sources import default_source, describe, load_dataset, own_spec

    name = cast(SourceName, source or default_source())
    health = check_health(name, scheme)
    filled = [split for split, counts in health.counts.items() if any(counts.values())]
    return DataInfo(describe(name), tuple(load_dataset(split, name, scheme, own_spec(name)).ref for split in filled), health)


def download_data() -> DataInfo:
    """Fetch CIFAR-100 into data/ (about 170 MB), then describe it; a copy that is whole is not fetched again.

    >>> verbs.download_data().health.findings

    Raises:
        DownloadError: no network, or a file that fails its checksum.
    """
    from udacisense.data.download import download_cifar100

    download_cifar100(confirm=True)
    return data_info("cifar100")


def models_info() -> ModelsInfo:
    """Every checkpoint, artifact and failed conversion of the store, and which checkpoint is used when none is named.

    >>> [artifact.id for artifact in verbs.models_info().artifacts]
    """
    from udacisense.artifacts import list_artifacts, standing_failures
    from udacisense.errors import NotFoundError
    from udacisense.models.checkpoint import default_checkpoint, list_checkpoints

    checkpoints, artifacts = list_checkpoints(), list_artifacts()
    default: Checkpoint | None = None
    notice: str | None = None
    try:
        default, notice = default_checkpoint()
    except NotFoundError as exc:
        notice = str(exc)
    judged = {a.id: queries.newest_readiness(a.sha256) for a in artifacts.records}
    return ModelsInfo(
        checkpoints=checkpoints.records,
        artifacts=artifacts.records,
        verdicts={artifact_id: found.status for artifact_id, found in judged.items() if found is not None},
        limits=sample_limits(artifacts.records),
        failed=standing_failures(),
        default_id=default.id if default else None,
        notice=notice,
        problems=(*checkpoints.problems, *artifacts.problems, *unreadable()),
    )


def unreadable() -> tuple[str, ...]:
    """A sentence for each record, file of tags and job that cannot be read.

    >>> list(verbs.unreadable())
    """
    from udacisense.history.runs import unreadable_tags

    return (*queries.unreadable(*KINDS.values()), *unreadable_tags(), *jobs.unreadable())
