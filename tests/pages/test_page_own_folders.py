"""Dataset: folders named by path on the page, forgotten again, and class names that a person confirms."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.data.conftest import rooms
from tests.driving import app, metrics, quick_answers, words
from tests.pages.test_page_classify import sample_story
from tests.story import Story
from udacisense.data.named import forget_source, keep_source, kept_sources
from udacisense.data.sources import default_source

__all__ = ["quick_answers", "rooms", "sample_story"]

DATASET = "pages/dataset.py"


def tab(at: AppTest, name: str) -> AppTest:
    at.session_state["dataset_tab"] = name
    return at.run()


def add(at: AppTest, path: str, name: str = "") -> AppTest:
    at.text_input(key="own_path").set_value(path)
    at.text_input(key="own_name").set_value(name)
    (button,) = [b for b in at.button if b.label == "Add folder"]
    return button.click().run()


def test_a_folder_is_added_shown_and_offered_from_then_on(rooms: Path) -> None:
    at = add(tab(app(DATASET), "Get images"), str(rooms), "flat")
    assert not at.exception
    assert at.selectbox(key="source").value == "flat"
    assert str(rooms) in words(at)
    assert metrics(at)["Test images"] == "2"
    assert "Your folder flat" in app(DATASET).selectbox(key="source").options
    assert default_source() == "sample", "the box was not ticked"


def test_a_ticked_box_makes_it_the_one_that_is_used_where_none_is_named(rooms: Path) -> None:
    at = tab(app(DATASET), "Get images")
    at.checkbox(key="own_default").check()
    add(at, str(rooms))
    assert default_source() == "rooms"


def test_what_cannot_be_added_is_told_in_words_that_are_no_markup(rooms: Path) -> None:
    at = tab(app(DATASET), "Get images")
    assert "does not exist" in add(at, str(rooms / "*nowhere*")).error[0].value
    assert "\\*nowhere\\*" in at.error[0].value
    assert "No folder was named" in add(at, " ").error[0].value
    assert "cannot name a source" in add(at, str(rooms), "sample").error[0].value
    assert kept_sources().sources == {}


def test_a_forgotten_folder_is_gone_from_the_page(rooms: Path) -> None:
    at = add(tab(app(DATASET), "Get images"), str(rooms))
    at.button(key="forget_rooms").click().run()
    assert not at.exception
    assert at.selectbox(key="source").value == "sample"
    assert str(rooms) not in words(at)


@pytest.mark.parametrize(("address", "headers"), [("0.0.0.0", {}), (None, {}), ("127.0.0.1", {"X-Forwarded-For": "10.0.0.1"})])
def test_no_path_is_taken_where_others_reach_the_app(
    rooms: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, headers: dict[str, str]
) -> None:
    import streamlit as st

    option = st.get_option
    monkeypatch.setattr("ui.shared.local.st.get_option", lambda name: address if name == "server.address" else option(name))
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.headers", headers)
    at = tab(app(DATASET), "Get images")
    assert [box.key for box in at.text_input if box.key == "own_path"] == []
    assert "data --folder /path/to/images" in words(at)


def test_a_name_is_read_as_a_class_once_a_person_ticked_it_and_not_before(rooms: Path) -> None:
    keep_source(rooms)
    at = app(DATASET)
    at.selectbox(key="source").set_value("rooms").run()
    tab(at, "Health")
    box = at.checkbox(key="same_rooms_sofa")
    assert not box.value
    box.check()
    (confirm,) = [b for b in at.button if b.label == "Confirm"]
    assert kept_sources().sources["rooms"].same == {}
    confirm.click().run()
    assert kept_sources().sources["rooms"].same == {"sofa": "couch"}
    assert "sofa is read as couch, as a person confirmed" in " ".join(w.value for w in at.warning)
    at.checkbox(key="same_rooms_sofa").uncheck()
    next(b for b in at.button if b.label == "Confirm").click().run()
    assert kept_sources().sources["rooms"].same == {}


def test_what_was_not_read_is_listed_by_kind_and_its_names_are_text(rooms: Path) -> None:
    (rooms / "bed" / "*loud*.txt").touch()
    keep_source(rooms)
    at = app(DATASET)
    at.selectbox(key="source").set_value("rooms").run()
    tab(at, "Health")
    assert metrics(at)["Files not read"] == "4"
    said = words(at)
    assert "1 another file: bed/*loud*.txt" in said
    assert "3 of no class: sofa/0.png, sofa/1.png, sofa/2.png" in said
    assert any("\\*loud\\*" in element.value for element in at.markdown)


def test_classify_offers_the_images_of_a_named_folder(rooms: Path, sample_story: Story) -> None:
    assert [group.key for group in app("pages/classify.py").button_group if group.key == "sample_source"] == []
    keep_source(rooms)
    at = app("pages/classify.py")
    at.button_group(key="sample_source").set_value("rooms").run()
    assert not at.exception
    assert {"sample_bed", "sample_chair"} <= {button.key for button in at.button}
    assert "sample_lamp" not in {button.key for button in at.button}, "of a class without an image nothing is shown"


def test_a_folder_that_another_visitor_forgot_leaves_the_page_whole(rooms: Path) -> None:
    keep_source(rooms)
    at = app(DATASET)
    at.selectbox(key="source").set_value("rooms").run()
    forget_source("rooms")
    at.run()
    assert not at.exception
    assert at.selectbox(key="source").value == "sample"
