"""Any JSON in any place of any card, record and job: every list, verb and page still opens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as draw

from tests import odd_files, odd_work
from tests.driving import quick_answers
from udacisense.records import store
from udacisense.types import KINDS, Format

__all__ = ["quick_answers"]

# --- any JSON anywhere ------------------------------------------------------------------------------------------------

SCALARS = draw.one_of(
    draw.none(),
    draw.booleans(),
    draw.integers(),
    draw.sampled_from([0, -1, 10**6, 2**53, 2**63, 10**400]),
    draw.floats(),
    draw.text(draw.characters(exclude_categories=[]), max_size=20),
    draw.sampled_from(["", "nan", "../../x", "2026-01-02T03:04:05", "0001-01-01", "<b>x</b>", "\ud800"]),
)
ANY_JSON = draw.recursive(
    SCALARS, lambda inner: draw.lists(inner, max_size=4) | draw.dictionaries(draw.text(max_size=8), inner, max_size=4)
)


def _spoil_some(home: Path, data: draw.DataObject) -> None:
    """Other values at a few places of a few files: of the same kind as before, so that some pass the door, or of any."""
    found = odd_files.json_files(home)
    for path in data.draw(draw.lists(draw.sampled_from(found), min_size=1, max_size=12, unique=True)):
        plain = json.loads(path.read_text())
        way = data.draw(draw.sampled_from(list(odd_files.places(plain))))
        odd_files.write(path, odd_files.put(plain, way, data.draw(_like(plain, way))))


def _like(plain: Any, way: tuple[Any, ...]) -> draw.SearchStrategy[Any]:
    for step in way:
        plain = plain[step]
    same: dict[type, draw.SearchStrategy[Any]] = {
        int: draw.integers(-2, 10**7), float: draw.floats(-1, 1e4), str: draw.text(max_size=40), list: draw.just([])
    }  # fmt: skip
    return same.get(type(plain), ANY_JSON) | ANY_JSON


def _begin_again(home: Path, kept: Path) -> None:
    for name in ("models", "results", ".udacisense"):
        shutil.rmtree(home / name)
        shutil.copytree(kept / name, home / name)
    st.cache_data.clear()
    st.cache_resource.clear()


def _assert_any_json_is_survived(home: Path, kept: Path, data: draw.DataObject, pages: bool) -> None:
    _begin_again(home, kept)
    _spoil_some(home, data)
    assert odd_files.traces_of_verbs() == []
    for cls in KINDS.values():
        assert len(store.records(cls).problems) == len(set(store.records(cls).problems))
    if pages:
        assert odd_files.traces_of_pages() == []


HOUSE = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.fixture
def kept(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the furnished home."""
    return Path(shutil.copytree(furnished, tmp_path_factory.mktemp("kept"), dirs_exist_ok=True))


@pytest.mark.slow
@hypothesis_settings(max_examples=12, derandomize=True, **HOUSE)
@given(data=draw.data())
def test_verbs_survive_any_json_in_any_place(furnished: Path, kept: Path, data: draw.DataObject) -> None:
    _assert_any_json_is_survived(furnished, kept, data, pages=False)


@pytest.mark.slow
@hypothesis_settings(max_examples=2, derandomize=True, **HOUSE)
@given(data=draw.data())
def test_pages_survive_any_json_in_any_place(furnished: Path, kept: Path, data: draw.DataObject) -> None:
    _assert_any_json_is_survived(furnished, kept, data, pages=True)


def test_every_verb_of_the_command_line_is_asked() -> None:
    from udacisense.cli.app import app

    told = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert odd_work.asked_verbs() == told


@pytest.fixture
def at_work(furnished: Path, fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The home with all that work needs, its heavy parts replaced; the ids of its files."""
    odd_work.furnish(furnished)
    odd_work.quick(monkeypatch, furnished)
    return odd_work.names(furnished)


def test_in_a_sound_home_all_is_done_but_what_a_fake_file_cannot_give(at_work: dict[str, str]) -> None:
    # no reader of real formats opens a fake file; one training and one pipeline are asked to fail, and weights need no add
    assert odd_work.refused(at_work) == {"add", "inspect", "package", "train", "compress"}


@pytest.mark.slow
@hypothesis_settings(max_examples=2, derandomize=True, **HOUSE)
@given(data=draw.data())
def test_work_survives_any_json_in_any_place(
    furnished: Path, at_work: dict[str, str], kept: Path, data: draw.DataObject
) -> None:
    _begin_again(furnished, kept)
    _spoil_some(furnished, data)
    assert odd_work.traces_of_work(at_work) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@hypothesis_settings(max_examples=20, **HOUSE)
@given(data=draw.data())
def test_pages_and_verbs_survive_much_json_in_any_place(furnished: Path, kept: Path, data: draw.DataObject) -> None:
    _assert_any_json_is_survived(furnished, kept, data, pages=True)
