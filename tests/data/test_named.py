"""Folders by a name of one's own: known to every verb and page from the next question on, without restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.data.conftest import noise
from udacisense.data.named import forget_source, keep_source, kept_file, kept_sources
from udacisense.data.sources import available_sources, default_source, describe, load_dataset, source_places
from udacisense.errors import DataError, StoreError
from udacisense.verbs import unreadable


@pytest.fixture
def kitchen(sample_home: Path) -> Path:
    root = sample_home / "My Kitchen"
    for name in ("bed", "chair"):
        (root / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(noise(len(name) * 10 + i)).save(root / name / f"{i}.png")
    return root


def test_a_folder_is_kept_by_its_name_and_known_at_once(kitchen: Path) -> None:
    assert keep_source(kitchen) == "my-kitchen"
    assert available_sources() == ("my-kitchen", "sample")
    assert (describe("my-kitchen").title, describe("my-kitchen").location) == ("Your folder my-kitchen", str(kitchen))
    data = load_dataset("test", "my-kitchen")
    assert (data.ref.source, data.ref.scheme, len(data)) == ("my-kitchen", "household-v1", 2)
    assert default_source() == "sample", "naming a folder changes no other answer"


def test_a_folder_is_the_default_only_when_a_person_says_so(kitchen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.settings import settings

    keep_source(kitchen, "k", default=True)
    assert default_source() == "k"
    assert kitchen in source_places(), "a converter that sees the images of the default may read them"
    keep_source(kitchen, "k", {})
    assert default_source() == "k", "kept when it is changed"
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(kitchen))
    settings.cache_clear()
    assert default_source() == "folder"


def test_a_forgotten_name_is_no_source_and_no_default(kitchen: Path) -> None:
    keep_source(kitchen, "k", default=True)
    forget_source("k")
    assert (available_sources(), default_source()) == (("sample",), "sample")
    with pytest.raises(DataError, match="no source called 'k'"):
        load_dataset("test", "k")
    with pytest.raises(DataError, match="No source is named 'k'"):
        forget_source("k")


@pytest.mark.parametrize("name", ["sample", "cifar100", "folder", "Upper", "a b", "../x", "-x", "x" * 41])
def test_a_name_that_cannot_be_says_what_can(kitchen: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"cannot name a source\. Use small letters"):
        keep_source(kitchen, name)
    assert kept_sources().sources == {}


def test_a_name_is_not_moved_to_another_folder_in_silence(kitchen: Path) -> None:
    keep_source(kitchen, "k")
    other = kitchen.with_name("other")
    kitchen.rename(other)
    with pytest.raises(DataError, match=r"k names .*My Kitchen already"):
        keep_source(other, "k")


def test_what_is_no_folder_of_images_is_not_kept(kitchen: Path) -> None:
    empty = kitchen.parent / "empty"
    empty.mkdir()
    for wrong, says in ((empty, "none of the classes"), (kitchen / "nowhere", "does not exist")):
        with pytest.raises(DataError, match=says):
            keep_source(wrong)
    with pytest.raises(DataError, match=r"has no class 'soffa'. It has: bed, chair"):
        keep_source(kitchen, "k", {"soffa": "couch"})
    assert not kept_file().exists()


def test_a_folder_that_went_away_is_not_offered_and_says_so_where_it_is_asked_for(kitchen: Path) -> None:
    keep_source(kitchen, "k")
    kitchen.rename(kitchen.with_name("moved"))
    assert available_sources() == ("sample",)
    with pytest.raises(DataError, match="does not exist"):
        load_dataset("test", "k")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"sources": {"k": 1}, "default": null}', '{"sources": {"k": {"path": 1, "same": {}}}}']
)
def test_a_damaged_file_of_names_takes_nothing_else_along(kitchen: Path, text: str) -> None:
    kept_file().parent.mkdir(exist_ok=True)
    kept_file().write_text(text)
    assert (available_sources(), default_source()) == (("sample",), "sample")
    assert len(load_dataset("test", "sample")) == 160
    with pytest.raises(StoreError):
        load_dataset("test", "k")
    (said,) = unreadable()
    assert str(kept_file()) in said


def test_the_file_is_plain_and_holds_what_was_confirmed(kitchen: Path) -> None:
    (kitchen / "chair").rename(kitchen / "Stühle")
    keep_source(kitchen, "k", {"Stühle": "chair"})
    assert json.loads(kept_file().read_text("utf-8")) == {
        "default": None,
        "sources": {"k": {"path": str(kitchen), "same": {"Stühle": "chair"}}},
    }
