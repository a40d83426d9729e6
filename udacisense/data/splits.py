"""Splits: images for training and images for testing.

`household-v1` looks at the images alone, so it gives the same split from any source. `official` is the split that the
source itself has: CIFAR-100's own, or the train/ and test/ of a folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

from udacisense.data.pool import LabelledImage, Pool
from udacisense.errors import DataError
from udacisense.types import SplitName

SchemeName = Literal["household-v1", "official"]
SCHEMES: tuple[SchemeName, ...] = get_args(SchemeName)

TEST_PER_CLASS = 100
FEW = 200  # a class with fewer images gives its first sixth instead


def household_v1(images: Iterable[LabelledImage]) -> dict[SplitName, list[LabelledImage]]:
    """Both parts in order of label and md5: the images of `household_v1_test` and the others."""
    ordered = in_order(images)
    test = household_v1_test((p.label, p.md5) for p in ordered)
    return {
        "train": [p for p in ordered if (p.label, p.md5) not in test],
        "test": [p for p in ordered if (p.label, p.md5) in test],
    }


def household_v1_test(images: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """The test images among (label, md5) pairs; the md5s may be cut, as long as all are cut alike.

    Within a class, ordered by md5: the first 100 are test; below 200 images the first sixth, at least 1, is test.
    Copies of one image count once and stay together, so that none is on both sides.
    """
    by_class: dict[int, set[str]] = {}
    for label, md5 in images:
        by_class.setdefault(label, set()).add(md5)
    return {
        (label, md5) for label, all_of_it in by_class.items() for md5 in sorted(all_of_it)[: held_out_count(len(all_of_it))]
    }


def held_out_count(images: int) -> int:
    """Number of a class's distinct images that `household-v1` puts into test."""
    return TEST_PER_CLASS if images >= FEW else max(1, images // 6)


def official(pool: Pool) -> dict[SplitName, list[LabelledImage]]:
    """The source's own split, in order of label and md5.

    Raises:
        DataError: the source has no split of its own.
    """
    ordered = in_order(pool.images)
    parts: dict[SplitName, list[LabelledImage]] = {
        "train": [p for p in ordered if p.split == "train"],
        "test": [p for p in ordered if p.split == "test"],
    }
    if ordered and not any(parts.values()):
        raise DataError("This source has no train and test part of its own. Use the scheme household-v1, which splits by hash.")
    return parts


def split_pool(pool: Pool, scheme: str | None) -> tuple[SchemeName, dict[SplitName, list[LabelledImage]]]:
    """The pool in two parts, and the name of the scheme that this is.

    With None, a folder's own train/ and test/ are kept as they are and the images are split by household-v1 otherwise. A
    split of its own that coincides with household-v1 is called so.

    Raises:
        DataError: no such scheme, or `official` on a source without a split of its own.
    """
    if scheme is not None and scheme not in SCHEMES:
        raise DataError(f"There is no split called {scheme!r}. Use one of {', '.join(SCHEMES)}.")
    own = any(p.split for p in pool.images)
    if scheme == "official":
        return "official", official(pool)
    by_hash = household_v1(pool.images)
    if scheme == "household-v1" or not own or by_hash == official(pool):
        return "household-v1", by_hash
    return "official", official(pool)


def dataset_id(images: Iterable[LabelledImage]) -> str:
    """Digest of the (md5, label) pairs, whatever their order: 16 hex digits."""
    pairs = sorted((p.md5, p.label) for p in images)
    return hashlib.sha256("\n".join(f"{md5} {label}" for md5, label in pairs).encode()).hexdigest()[:16]


def in_order(images: Iterable[LabelledImage]) -> list[LabelledImage]:
    """By label, then md5, then place."""
    return sorted(images, key=lambda p: (p.label, p.md5, p.place))
