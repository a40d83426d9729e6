"""Sources of images; every one gives the same Dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from udacisense.data.cifar100 import cifar100_folder, is_downloaded, read_cifar100
from udacisense.data.dataset import Dataset
from udacisense.data.folder import folder_classes, list_folder, read_folder, read_named_by_hash
from udacisense.data.pool import Pool, relabelled
from udacisense.data.same_names import confirmed, not_confirmed
from udacisense.data.sample_pack import SAMPLE, manifest_state, read_sample
from udacisense.data.splits import SCHEMES, SchemeName, dataset_id, in_order, split_pool
from udacisense.errors import DataError
from udacisense.records.store import relative
from udacisense.settings import settings
from udacisense.types import HOUSEHOLD, DatasetRef, ModelSpec, SourceName, SplitName

SOURCES: tuple[SourceName, ...] = get_args(SourceName)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source in words."""

    name: SourceName
    title: str
    location: str  # where its files lie, or would
    meaning: str  # what figures measured on it are worth
    how_to_get_real: str | None  # the way to real images; None = these are real


def load_dataset(
    split: SplitName, source: SourceName | None = None, scheme: str | None = None, spec: ModelSpec = HOUSEHOLD
) -> Dataset:
    """One part of a source as a model sees it, decoded, in order of label and md5.

    Args:
        split: "train" or "test".
        source: None = `default_source()`.
        spec: of the model: which classes the labels are counted by, and how large an image has to be kept.
        scheme: "household-v1" or "official"; None = household-v1 for CIFAR-100; a folder and the sample keep their own split.

    Raises:
        DataError: unknown split, source or scheme; a source that is missing, damaged or without images in this part.
    """
    _one_of("split", split, get_args(SplitName))
    name = default_source() if source is None else source
    used, pool = _part(name, split, scheme, spec)
    if not pool.images:
        raise DataError(
            f"The source {describe(name).location} has no {split} images in the split {used}. "
            "Add images (a class needs at least 2 for both parts) or choose another split."
        )
    ref = DatasetRef(dataset_id(pool.images), name, used, split, len(pool.images))
    return _dataset(ref, pool, spec)


def default_source() -> SourceName:
    """The folder named by UDACISENSE_DATA_DIR, else CIFAR-100 if it is already downloaded, else the sample."""
    if settings().data_dir is not None:
        return "folder"
    return "cifar100" if is_downloaded() else "sample"


def available_sources() -> tuple[SourceName, ...]:
    """The sources that can be read now, without setting or downloading anything; `sample` always can."""
    data_dir = settings().data_dir
    ready = {"cifar100": is_downloaded(), "folder": data_dir is not None and data_dir.is_dir(), "sample": True}
    return tuple(s for s in SOURCES if ready[s])


def describe(source: SourceName) -> SourceInfo:
    """Title, place and meaning of a source, for people.

    Raises:
        DataError: no such source.
    """
    _one_of("source", source, SOURCES)
    real = (
        "Run `python -m udacisense data --download` for CIFAR-100, or set UDACISENSE_DATA_DIR to a folder of your own images."
    )
    if source == "cifar100":
        meaning = "600 real photographs a class at 32 x 32 pixels. Figures on them are real."
        return SourceInfo(source, "CIFAR-100, household classes", relative(cifar100_folder()), meaning, None)
    if source == "folder":
        place = str(settings().data_dir or "UDACISENSE_DATA_DIR is not set")
        return SourceInfo(source, "Your folder", place, "Your own images. Figures hold for images like these.", None)
    meaning = (
        "400 rendered household scenes that come with the product, to try everything at once. Figures on them are not the "
        "figures of the real test set."
    )
    return SourceInfo(source, "Rendered sample", relative(SAMPLE), meaning, real)


def own_spec(source: SourceName) -> ModelSpec:
    """A source as it is, seen by no model: its own classes, and the household networks' input.

    Raises:
        DataError: no such source, or a folder that cannot be read.
    """
    if source != "folder":
        _one_of("source", source, SOURCES)
        return HOUSEHOLD
    return replace(HOUSEHOLD, classes=folder_classes(folder_of(source)))


def fingerprint(source: SourceName | None = None, spec: ModelSpec = HOUSEHOLD) -> str:
    """A digest that changes when the source's files change, for cache keys; opens no image: 16 hex digits.

    Raises:
        DataError: unknown or missing source.
    """
    name = default_source() if source is None else source
    _one_of("source", name, SOURCES)
    if name == "cifar100":
        files = [cifar100_folder() / s for s in get_args(SplitName)]
        state = repr([(str(f), f.stat().st_mtime_ns) for f in files if f.is_file()])
    else:
        state = repr((list_folder(folder_of(name), spec.classes), manifest_state() if name == "sample" else None))
    return hashlib.sha256(f"{name} {state}".encode()).hexdigest()[:16]


def read_pool(source: SourceName, spec: ModelSpec = HOUSEHOLD) -> Pool:
    """All images of a source, both parts, labelled by a model's classes; read once per process and state of the files.

    Raises:
        DataError: unknown, missing or damaged source.
    """
    _one_of("source", source, SOURCES)
    if source == "folder":
        return read_folder(folder_of(source), spec)
    return relabelled(read_sample() if source == "sample" else read_cifar100(), spec.classes)


def scheme_for(source: SourceName, scheme: str | None) -> str | None:
    """The scheme asked for. None stays None for a folder, whose train/ and test/ a person may have made on purpose; the sample
    has a split of its own.
    """
    if scheme is not None or source == "folder":
        return scheme
    return "official" if source == "sample" else "household-v1"


def folder_of(source: SourceName) -> Path:
    """The folder behind `folder` or `sample`.

    Raises:
        DataError: no such source, or UDACISENSE_DATA_DIR is not set.
    """
    _one_of("source", source, SOURCES)
    if source == "sample":
        return SAMPLE
    data_dir = settings().data_dir
    if data_dir is None:
        raise DataError("The source `folder` needs UDACISENSE_DATA_DIR, which is not set. Set it to a folder of images.")
    return data_dir


def _part(source: SourceName, split: SplitName, scheme: str | None, spec: ModelSpec) -> tuple[SchemeName, Pool]:
    _one_of("split scheme", scheme or SCHEMES[0], SCHEMES)
    wanted = scheme_for(source, scheme)
    if source == "sample" and wanted == "official":
        return "official", relabelled(read_sample(split), spec.classes)
    if source == "folder" and scheme != "official":
        pool = read_named_by_hash(folder_of(source), split, spec)
        if pool is not None:
            return "household-v1", pool
    pool = read_pool(source, spec)
    used, parts = split_pool(pool, wanted)
    return used, replace(pool, images=tuple(parts[split]))


def _dataset(ref: DatasetRef, pool: Pool, spec: ModelSpec) -> Dataset:
    images = in_order(pool.images)
    return Dataset(
        ref=ref,
        images=tuple(p.pixels for p in images),
        labels=np.array([p.label for p in images], np.int64),
        hashes=tuple(p.md5[:16] for p in images),
        skipped=tuple(s for s in pool.skipped if ref.scheme != "official" or s.split in (None, ref.split)),
        classes=spec.classes,
        notes=(*pool.notes, *confirmed(pool.same), *not_confirmed(pool.maybe)),
        preprocessing=spec.preprocessing,
    )


def _one_of(what: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise DataError(f"There is no {what} called {value!r}. Use one of {', '.join(allowed)}.")
