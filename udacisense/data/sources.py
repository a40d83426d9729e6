"""Sources of images; every one gives the same Dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from udacisense.data.cifar100 import cifar100_folder, is_downloaded, read_cifar100
from udacisense.data.dataset import Dataset
from udacisense.data.folder import beside, folder_classes, is_source, list_folder, read_folder, read_named_by_hash
from udacisense.data.named import Kept, kept_file, kept_sources
from udacisense.data.pool import Pool, relabelled
from udacisense.data.same_names import confirmed, not_confirmed
from udacisense.data.sample_pack import SAMPLE, manifest_state, read_sample
from udacisense.data.splits import SCHEMES, SchemeName, dataset_id, in_order, split_pool
from udacisense.errors import DataError, StoreError
from udacisense.records.store import relative
from udacisense.settings import settings
from udacisense.types import HOUSEHOLD, SOURCES, DatasetRef, ModelSpec, SourceName, SplitName

_OWN = "Your own images. Figures hold for images like these."


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
    ref = DatasetRef(dataset_id(pool.images), name, used, split, len(pool.images), pool.same)
    return _dataset(ref, pool, spec)


def default_source() -> SourceName:
    """The folder named by UDACISENSE_DATA_DIR, else the one that a person chose for this, else CIFAR-100 if it is already
    downloaded, else the sample.
    """
    if settings().data_dir is not None:
        return "folder"
    return _named().default or ("cifar100" if is_downloaded() else "sample")


def available_sources() -> tuple[SourceName, ...]:
    """The sources that can be read now, without setting or downloading anything; `sample` always can."""
    data_dir = settings().data_dir
    named = (name for name, source in _named().sources.items() if name not in SOURCES and is_source(Path(source.path)))
    ready = {"cifar100": is_downloaded(), "folder": data_dir is not None and is_source(data_dir), "sample": True}
    return (*named, *(s for s in SOURCES if ready[s]))


def source_places() -> tuple[Path, ...]:
    """What has to be read to load the images of the source that is used where none is named."""
    name = default_source()
    if name == "cifar100":
        return (kept_file(), cifar100_folder())
    return (kept_file(), folder_of(name), *beside(folder_of(name)))


def _named() -> Kept:
    """What people named; a damaged file has no names, and says so where one is asked for."""
    try:
        return kept_sources()
    except StoreError:
        return Kept()


def describe(source: SourceName) -> SourceInfo:
    """Title, place and meaning of a source, for people.

    Raises:
        DataError: no such source.
    """
    check_source(source)
    real = (
        "Run `python -m udacisense data --download` for CIFAR-100, or name a folder of your own images: "
        "`python -m udacisense data --folder FOLDER --default`."
    )
    if source == "cifar100":
        meaning = "600 real photographs a class at 32 x 32 pixels. Figures on them are real."
        return SourceInfo(source, "CIFAR-100, household classes", relative(cifar100_folder()), meaning, None)
    if source == "folder":
        place = str(settings().data_dir or "UDACISENSE_DATA_DIR is not set")
        return SourceInfo(source, "Your folder", place, _OWN, None)
    if source != "sample":
        return SourceInfo(source, f"Your folder {source}", str(folder_of(source)), _OWN, None)
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
    check_source(source)
    if not is_own(source):
        return HOUSEHOLD
    return replace(HOUSEHOLD, classes=folder_classes(folder_of(source), same_of(source)))


def fingerprint(source: SourceName | None = None, spec: ModelSpec = HOUSEHOLD) -> str:
    """A digest that changes when the source's files change, for cache keys; opens no image: 16 hex digits.

    Raises:
        DataError: unknown or missing source.
    """
    name = default_source() if source is None else source
    check_source(name)
    if name == "cifar100":
        files = [cifar100_folder() / s for s in get_args(SplitName)]
        state = repr([(str(f), f.stat().st_mtime_ns) for f in files if f.is_file()])
    else:
        listing = list_folder(folder_of(name), spec.classes, same_of(name))
        state = repr((listing, manifest_state() if name == "sample" else None))
    return hashlib.sha256(f"{name} {state}".encode()).hexdigest()[:16]


def read_pool(source: SourceName, spec: ModelSpec = HOUSEHOLD) -> Pool:
    """All images of a source, both parts, labelled by a model's classes; read once per process and state of the files.

    Raises:
        DataError: unknown, missing or damaged source.
    """
    check_source(source)
    if not is_own(source):
        return relabelled(read_sample() if source == "sample" else read_cifar100(), spec.classes)
    return read_folder(folder_of(source), spec, same_of(source))


def scheme_for(source: SourceName, scheme: str | None) -> str | None:
    """The scheme asked for. None stays None for a folder, whose train/ and test/ a person may have made on purpose; the sample
    has a split of its own.
    """
    if scheme is not None or is_own(source):
        return scheme
    return "official" if source == "sample" else "household-v1"


def folder_of(source: SourceName) -> Path:
    """The folder behind `folder`, `sample` or a source that a person named.

    Raises:
        DataError: no such source, or UDACISENSE_DATA_DIR is not set.
    """
    check_source(source)
    if source == "sample":
        return SAMPLE
    if source not in SOURCES:
        return Path(kept_sources().sources[source].path)
    data_dir = settings().data_dir
    if data_dir is None:
        raise DataError(
            "The source `folder` needs UDACISENSE_DATA_DIR, which is not set. Set it to a folder of images, or name one: "
            "python -m udacisense data --folder FOLDER."
        )
    return data_dir


def same_of(source: SourceName) -> Mapping[str, str]:
    """The names in a source that a person said to mean a class.

    Raises:
        StoreError: the file of named sources is damaged.
    """
    if not is_own(source):
        return {}
    kept = kept_sources().sources.get(source)
    return kept.same if kept is not None and Path(kept.path) == folder_of(source).absolute() else {}


def is_own(source: SourceName) -> bool:
    """Whether a source is a folder of a person's own."""
    return source not in ("cifar100", "sample")


def check_source(source: str) -> None:
    """See to it that a source is one of the house's, or one that a person named.

    Raises:
        DataError: it is not. StoreError: the file of named sources is damaged.
    """
    if source not in SOURCES:
        _one_of("source", source, (*SOURCES, *(name for name in kept_sources().sources if name not in SOURCES)))


def _part(source: SourceName, split: SplitName, scheme: str | None, spec: ModelSpec) -> tuple[SchemeName, Pool]:
    _one_of("split scheme", scheme or SCHEMES[0], SCHEMES)
    wanted = scheme_for(source, scheme)
    if source == "sample" and wanted == "official":
        return "official", relabelled(read_sample(split), spec.classes)
    if is_own(source) and scheme != "official":
        pool = read_named_by_hash(folder_of(source), split, spec, same_of(source))
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
