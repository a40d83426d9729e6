"""Class names that mean another: suggested, read only once a person confirmed them, and told with every figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.conftest import Save, noise
from udacisense.data.health import check_health
from udacisense.data.named import keep_source
from udacisense.data.same_names import suggestions
from udacisense.data.sources import fingerprint, load_dataset
from udacisense.errors import DataError
from udacisense.evaluation.evaluate import _warnings
from udacisense.labels import CLASSES
from udacisense.types import HOUSEHOLD, ModelSpec


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sofa", "couch"),
        ("Sofas", "couch"),
        ("phone", "telephone"),
        ("cell_phone", "telephone"),
        ("Smartphone", "telephone"),
        ("TV", "television"),
        ("monitor", "television"),
        ("closet", "wardrobe"),
        ("desk", "table"),
        ("dining-table", "table"),
        ("Lamp", "lamp"),
        ("couches", "couch"),
    ],
)
def test_what_means_one_of_our_classes_is_suggested(name: str, meant: str) -> None:
    assert suggestions([name], CLASSES) == {name: meant}


def test_nothing_is_suggested_for_other_things_for_classes_themselves_or_where_two_would_fit() -> None:
    assert suggestions(["zebra", "couch"], CLASSES) == {}
    assert suggestions(["settee"], ("sofa", "couch")) == {}


def test_the_classes_of_any_model_are_met() -> None:
    assert suggestions(["remote control", "couch"], ("Remote_Control", "studio couch, day bed")) == {
        "remote control": "Remote_Control",
        "couch": "studio couch, day bed",
    }


@pytest.fixture
def rooms(folder: Path, save: Save) -> Path:
    for i in range(4):
        save(f"chair/{i}.png", noise(i))
        save(f"sofa/{i}.png", noise(100 + i))
    return folder


def test_a_name_is_suggested_and_never_applied_unasked(rooms: Path) -> None:
    data = load_dataset("train")
    assert data.counts()["couch"] == 0
    assert data.ref.same == ()
    assert any("sofa may mean couch" in said and "--same sofa=couch" in said for said in _warnings(data, 3, 0))
    assert check_health().maybe == (("sofa", "couch"),)


def test_a_confirmed_name_is_read_told_and_part_of_what_the_images_are(rooms: Path) -> None:
    before, digest = load_dataset("train"), fingerprint()
    keep_source(rooms, "folder", {"sofa": "couch"})
    after = load_dataset("train")
    assert (after.counts()["couch"], after.ref.same) == (3, (("sofa", "couch"),))
    assert after.ref.dataset_id != before.ref.dataset_id
    assert fingerprint() != digest
    assert "sofa is read as couch, as a person confirmed." in _warnings(after, 6, 0)
    assert check_health().maybe == ()
    keep_source(rooms, "folder", {"sofa": ""})
    assert load_dataset("train").ref == before.ref, "taken back"


def test_a_confirmation_holds_for_the_folder_that_it_was_made_for(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from udacisense.settings import settings

    keep_source(rooms, "folder", {"sofa": "couch"})
    other = tmp_path / "other"
    rooms.rename(other)
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(other))
    settings.cache_clear()
    assert load_dataset("train").counts()["couch"] == 0


def test_a_model_that_has_the_class_itself_is_shown_it_under_its_own_name(rooms: Path) -> None:
    keep_source(rooms, "folder", {"sofa": "couch"})
    spec = ModelSpec("torchscript", ("chair", "sofa", "couch"), HOUSEHOLD.preprocessing)
    data = load_dataset("train", spec=spec)
    assert (data.counts(), data.ref.same) == ({"chair": 3, "sofa": 3, "couch": 0}, ())


def test_a_folder_of_our_classes_by_other_names_alone_says_how_to_use_it(folder: Path, save: Save) -> None:
    for name in ("sofa", "tv"):
        for i in range(2):
            save(f"{name}/{i}.png", noise(len(name) * 10 + i))
    with pytest.raises(DataError, match=r"sofa may mean couch, tv may mean television.*--same sofa=couch --same tv=television"):
        load_dataset("test")
    assert "sofa may mean couch, tv may mean television" in check_health().findings[0].message
    keep_source(folder, "folder", {"sofa": "couch", "tv": "television"})
    assert check_health().classes == CLASSES
