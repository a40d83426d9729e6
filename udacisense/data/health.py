"""Health of a data source: faults of the images, before a figure rests on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from udacisense.data.dataset import Dataset, Kind, LeftOut, Skipped, left_out
from udacisense.data.pool import LabelledImage, Pool
from udacisense.data.same_names import confirmed, how_to_confirm, not_confirmed, suggestions
from udacisense.data.sources import default_source, is_own, own_spec, read_pool, scheme_for
from udacisense.data.splits import SchemeName, split_pool
from udacisense.number_format import commas
from udacisense.types import HOUSEHOLD, SourceName, SplitName

QUIET: frozenset[Kind] = frozenset({"another file", "hidden"})
"""What is counted and makes no finding: nobody meant it to be an image."""
LISTED = 10  # names that are none of the classes, each with a sentence of its own
UNBALANCED = 1.5  # the largest class by the smallest, from where it is worth a sentence


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One image that is there more than once, byte for byte."""

    image: str  # first 16 hex digits of its md5
    places: tuple[str, ...]
    classes: tuple[str, ...]  # two names = the copies are labelled differently
    splits: tuple[SplitName, ...]  # two names = it is trained on and tested on


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One sentence about the images: what, why it matters, what to do."""

    level: Literal["problem", "note"]  # a problem makes figures wrong, a note makes them weaker
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one source under one split."""

    source: SourceName
    scheme: SchemeName
    counts: Mapping[SplitName, Mapping[str, int]]  # images per class of each part
    skipped: tuple[Skipped, ...]  # files that are not read
    left_out: tuple[LeftOut, ...]  # the same by kind
    wrong_classes: tuple[str, ...]  # folders that are none of the classes
    maybe: tuple[tuple[str, str], ...]  # names that may mean a class, which nobody confirmed
    same: tuple[tuple[str, str], ...]  # names that are read as a class, as a person confirmed
    inside: str  # the folder within the source that holds the classes; empty = itself
    notes: tuple[str, ...]  # how the source was read, where that is not plain
    duplicates: tuple[Duplicate, ...]
    moved: int  # images that the source's own split puts on the other side; 0 = none, or it has no split
    imbalance: float | None  # largest class by smallest; None = a class is empty
    findings: tuple[HealthFinding, ...]

    @property
    def empty_classes(self) -> tuple[str, ...]:
        """Classes without an image in either part."""
        return tuple(name for name in self.classes if not any(part[name] for part in self.counts.values()))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the images are counted by."""
        return tuple(next(iter(self.counts.values())))

    @property
    def across_splits(self) -> tuple[Duplicate, ...]:
        """Duplicates that are in train and in test."""
        return tuple(d for d in self.duplicates if len(d.splits) > 1)

    @property
    def is_healthy(self) -> bool:
        """Nothing found that makes figures wrong."""
        return not any(f.level == "problem" for f in self.findings)


def check_health(source: SourceName | None = None, scheme: str | None = None) -> Health:
    """Unreadable files, wrong class folders, duplicates within and across the parts, and class balance.

    Args:
        source: None = `default_source()`.
        scheme: as for `load_dataset`.

    Raises:
        DataError: unknown source or scheme; a source that is missing, damaged or without a readable image.
    """
    name = default_source() if source is None else source
    spec = own_spec(name)
    pool = read_pool(name, spec)
    if spec.classes != HOUSEHOLD.classes:  # a folder of other classes, unless these are ours by other names
        pool = replace(pool, maybe=tuple(suggestions(spec.classes, HOUSEHOLD.classes).items()))
    used, parts = split_pool(pool, scheme_for(name, scheme))
    counts = {split: _counts(members, spec.classes) for split, members in parts.items()}
    totals = [sum(part[c] for part in counts.values()) for c in spec.classes]
    found = Health(
        source=name,
        scheme=used,
        counts=counts,
        skipped=pool.skipped,
        left_out=left_out(pool.skipped),
        wrong_classes=pool.wrong_classes,
        maybe=pool.maybe,
        same=pool.same,
        inside=pool.inside,
        notes=pool.notes,
        duplicates=_duplicates(parts, spec.classes),
        moved=_moved(pool, parts),
        imbalance=max(totals) / min(totals) if min(totals) else None,
        findings=(),
    )
    return _with_findings(found)


def overlap(dataset: Dataset, trained_hashes: Collection[str]) -> int:
    """Number of the dataset's images that a checkpoint was trained on, by the first 16 digits of their md5."""
    trained = {h[:16] for h in trained_hashes}
    return sum(h in trained for h in dataset.hashes)


def _counts(images: list[LabelledImage], classes: Sequence[str]) -> dict[str, int]:
    labels = [p.label for p in images]
    return {name: labels.count(label) for label, name in enumerate(classes)}


def _duplicates(parts: Mapping[SplitName, list[LabelledImage]], classes: Sequence[str]) -> tuple[Duplicate, ...]:
    copies: dict[str, list[tuple[SplitName, LabelledImage]]] = defaultdict(list)
    for split, members in parts.items():
        for image in members:
            copies[image.md5].append((split, image))
    return tuple(
        Duplicate(
            image=md5[:16],
            places=tuple(sorted(p.place for _, p in found)),
            classes=tuple(dict.fromkeys(classes[label] for label in sorted(p.label for _, p in found))),
            splits=tuple(sorted({split for split, _ in found}, reverse=True)),
        )
        for md5, found in sorted(copies.items())
        if len(found) > 1
    )


def _moved(pool: Pool, parts: Mapping[SplitName, list[LabelledImage]]) -> int:
    if not any(p.split for p in pool.images):
        return 0
    return sum(p.split != split for split, members in parts.items() for p in members)


def _with_findings(found: Health) -> Health:
    return replace(found, findings=(*_problems(found), *_notes(found)))


def _problems(health: Health) -> Iterator[HealthFinding]:
    yield from _wrong(health)
    if health.across_splits:
        many = _many(len(health.across_splits), "image is", "images are")
        yield HealthFinding(
            "problem", f"{many} in train and in test, so accuracy looks better than it is. Delete one copy of each."
        )
    conflicts = sum(len(d.classes) > 1 for d in health.duplicates)
    if conflicts:
        many = _many(conflicts, "image lies", "images lie")
        yield HealthFinding("problem", f"{many} in two classes, so one label is wrong. Delete the wrong copy of each.")
    if health.empty_classes:
        which = "it" if len(health.empty_classes) == 1 else "them"
        names = ", ".join(health.empty_classes)
        yield HealthFinding("problem", f"There is no image of {names}, so nothing can be said about {which}. Add some.")
    for split, part in health.counts.items():
        lacking = [name for name in health.classes if not part[name] and name not in health.empty_classes]
        if lacking:
            names = ", ".join(lacking)
            yield HealthFinding(
                "problem", f"There is no {split} image of {names}. Add some (a class needs at least 2 for both parts)."
            )


def _wrong(health: Health) -> Iterator[HealthFinding]:
    folders: dict[str, list[str]] = defaultdict(list)
    for folder in health.wrong_classes:
        folders[folder.rpartition("/")[2]].append(folder)
    maybe = dict(health.maybe)
    for name, places in list(folders.items())[:LISTED]:
        what = f"{name} ({', '.join(places)})" if places != [name] else name
        yield HealthFinding("problem", f"The folder {what} is none of the classes. {_hint(name, maybe, health.classes)}")
    if len(folders) > LISTED:
        yield HealthFinding("problem", f"{len(folders) - LISTED} more names are none of the classes.")


def _hint(name: str, maybe: Mapping[str, str], classes: Sequence[str]) -> str:
    if name in maybe:
        return not_confirmed([(name, maybe[name])])[0]
    near = get_close_matches(name.lower(), classes, n=1)
    meant = f"Did you mean {near[0]}?" if near else f"The classes are {', '.join(classes)}."
    return f"Its images are not read. {meant}"


def _notes(health: Health) -> Iterator[HealthFinding]:
    yield from (HealthFinding("note", said) for said in (*health.notes, *confirmed(health.same)))
    if health.maybe and not health.wrong_classes:
        meant = commas([f"{name} may mean {ours}" for name, ours in health.maybe])
        yield HealthFinding("note", f"For a household model, {meant}. {how_to_confirm(dict(health.maybe))}")
    told = [f"{one.files:,} {one.kind}" for one in health.left_out if one.kind not in QUIET]
    if told:
        many = _many(sum(one.files for one in health.left_out if one.kind not in QUIET), "file or folder is", "files are")
        yield HealthFinding("note", f"{many} not read: {commas(told)}. The list says which and why.")
    if health.duplicates:
        extra = sum(len(d.places) - 1 for d in health.duplicates)
        yield HealthFinding(
            "note", f"{_many(extra, 'file is a copy', 'files are copies')} of another one and add nothing. Delete them."
        )
    if health.imbalance is not None and health.imbalance >= UNBALANCED:
        times = f"{health.imbalance:.1f} times"
        yield HealthFinding(
            "note", f"The largest class has {times} the images of the smallest. Read accuracy per class, or add images."
        )
    if health.moved and is_own(health.source):
        many = _many(health.moved, "image is", "images are")
        yield HealthFinding(
            "note",
            f"{many} on the other side in the folder's own train/ and test/, because household-v1 splits by the images "
            "themselves. Use the scheme official to keep the folder's split.",
        )


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
