"""Verbs that only look: what this machine has, which images, which models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import udacisense
from udacisense import jobs
from udacisense.errors import DataError
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
    sources: tuple[SourceName, ...]  # what may be named instead


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
    from udacisense.data.sources import available_sources, default_source, describe, load_dataset, own_spec

    name = source or default_source()
    health = check_health(name, scheme)
    filled = [split for split, counts in health.counts.items() if any(counts.values())]
    refs = tuple(load_dataset(split, name, scheme, own_spec(name)).ref for split in filled)
    return DataInfo(describe(name), refs, health, available_sources())


def name_source(
    folder: Path | None = None,
    name: str | None = None,
    same: Sequence[str] = (),
    default: bool = False,
) -> DataInfo:
    """Keep a folder of images (or a zip of one) as a source with a name, or confirm class names in one; then describe it.

    >>> verbs.name_source(Path("~/kitchen"), same=["sofa=couch"]).health.same

    Args:
        folder: None = that of the source `name`.
        name: None = made of the folder's.
        same: "sofa=couch" has images of sofa read as couch; "sofa=" takes that back.
        default: use it from now on where no source is named.

    Raises:
        DataError: no such folder or source, none of the classes in it, or a name that cannot be. StoreError: the disk refuses.
    """
    from udacisense.data.named import keep_source
    from udacisense.data.sources import default_source, folder_of, is_own

    wanted = name or default_source()
    if folder is None and not is_own(wanted):
        raise DataError(f"The classes of {wanted} are as they are. Name a source of your own, or a folder.")
    pairs = [pair.rpartition("=") for pair in same]
    if not all(found and equals for found, equals, _ in pairs):
        raise DataError("What means a class is written as sofa=couch: first the name in the folder, then the class.")
    confirmed = {found.strip(): meant.strip() for found, _, meant in pairs}
    kept = keep_source(folder or folder_of(wanted), name if folder else wanted, confirmed, default)
    return data_info(kept)


def forget_source(name: str) -> DataInfo:
    """Forget a named source, then describe the one that is used where none is named; the folder stays as it is.

    >>> verbs.forget_source("kitchen").source.name

    Raises:
        DataError: there is no such name. StoreError: the disk refuses.
    """
    from udacisense.data.named import forget_source as forget

    forget(name)
    return data_info()


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
    """A sentence for each record, file of tags or of named sources, and job that cannot be read.

    >>> list(verbs.unreadable())
    """
    from udacisense.data.named import unreadable_sources
    from udacisense.history.runs import unreadable_tags

    return (*queries.unreadable(*KINDS.values()), *unreadable_tags(), *unreadable_sources(), *jobs.unreadable())
