from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udacisense.data.pool import LabelledImage, Pool
from udacisense.data.splits import dataset_id, household_v1, household_v1_test, official, split_pool
from udacisense.errors import DataError
from udacisense.types import SplitName

BLANK = np.zeros((1, 1, 3), np.uint8)


def image(md5: str, label: int = 0, split: SplitName | None = None, place: str = "") -> LabelledImage:
    return LabelledImage(BLANK, label, md5, split, place or md5)


def numbered(count: int, label: int = 0) -> list[LabelledImage]:
    return [image(f"{i:032x}", label) for i in range(count)]


@pytest.mark.parametrize(
    ("images", "test_images"), [(1, 1), (2, 1), (6, 1), (11, 1), (12, 2), (120, 20), (199, 33), (200, 100), (600, 100)]
)
def test_how_many_of_a_class_are_test(images: int, test_images: int) -> None:
    parts = household_v1(numbered(images))
    assert (len(parts["test"]), len(parts["train"])) == (test_images, images - test_images)


def test_the_smallest_md5s_of_each_class_are_test_whatever_the_order() -> None:
    images = numbered(12, label=3) + numbered(240, label=1)
    random.Random(0).shuffle(images)
    test = household_v1(images)["test"]
    assert [(p.label, int(p.md5, 16)) for p in test] == [(1, i) for i in range(100)] + [(3, 0), (3, 1)]


def test_copies_count_once_and_stay_together() -> None:
    copies = [image("0" * 32, place=f"copy {i}") for i in range(5)]
    parts = household_v1([*copies, *numbered(12)[1:]])
    assert [p.place for p in parts["test"][:5]] == [f"copy {i}" for i in range(5)]
    assert len(parts["test"]) == 6  # two distinct images of twelve


@given(st.lists(st.tuples(st.integers(0, 9), st.text("0123456789abcdef", min_size=3, max_size=3)), max_size=300))
def test_no_image_is_on_both_sides_and_none_is_lost(pairs: list[tuple[int, str]]) -> None:
    parts = household_v1(image(md5, label, place=str(i)) for i, (label, md5) in enumerate(pairs))
    sides = {split: {(p.label, p.md5) for p in members} for split, members in parts.items()}
    assert not sides["train"] & sides["test"]
    assert len(parts["train"]) + len(parts["test"]) == len(pairs)
    assert {label for label, _ in sides["test"]} == {label for label, _ in pairs}  # every class is tested


def test_cut_md5s_give_the_same_split() -> None:
    rng = random.Random(1)
    full = [(i % 10, f"{rng.getrandbits(128):032x}") for i in range(500)]
    assert {(label, md5[:16]) for label, md5 in household_v1_test(full)} == household_v1_test((la, m[:16]) for la, m in full)


def test_dataset_id_tells_images_and_labels_but_not_their_order() -> None:
    images = numbered(5)
    told = "\n".join(f"{'0' * 31}{i} 0" for i in range(5))
    assert dataset_id(images) == dataset_id(reversed(images)) == hashlib.sha256(told.encode()).hexdigest()[:16]
    assert dataset_id(images) != dataset_id(images[:4])
    assert dataset_id(images) != dataset_id([*images[:4], image(images[4].md5, label=1)])


def test_official_is_the_sources_own() -> None:
    pool = Pool((image("b", split="test"), image("a", split="train"), image("0", split="train")))
    parts = official(pool)
    assert [p.md5 for p in parts["train"]] == ["0", "a"]
    assert [p.md5 for p in parts["test"]] == ["b"]


def test_official_needs_a_split_of_its_own() -> None:
    with pytest.raises(DataError, match="household-v1"):
        official(Pool((image("a"),)))


def test_an_own_split_is_kept_and_named_truly() -> None:
    own = Pool((image("a", split="train"), image("b", split="test")))
    assert split_pool(own, None)[0] == "official"
    assert [p.md5 for p in split_pool(own, None)[1]["test"]] == ["b"]
    assert [p.md5 for p in split_pool(own, "household-v1")[1]["test"]] == ["a"]
    same = Pool((image("a", split="test"), image("b", split="train")))
    assert split_pool(same, None)[0] == "household-v1"
    assert split_pool(Pool(own.images[:0]), None) == ("household-v1", {"train": [], "test": []})


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(DataError, match=r"'hash'.*household-v1, official"):
        split_pool(Pool(()), "hash")
