"""The ladder on the Convert page: every recipe has its row, and only what was measured has a point."""

from __future__ import annotations

import dataclasses

import pytest

from tests.driving import app, words
from tests.story import Story
from udacisense import store
from udacisense.types import Artifact, Rung
from ui import ladder

RUNGS = (
    Rung("static", "All int8.", 1_700_000, 0.9, 0.6, 0.65, 0.001, 0.002, False, "agrees on 90.0 %, 96.0 % is needed"),
    Rung("broken", "Fails.", None, None, None, None, None, None, False, "cannot lower"),
    Rung("dynamic", "Less.", 2_500_000, 0.97, 0.65, 0.65, 0.003, 0.002, True, "agrees on 97.0 % of 500 validation pictures"),
)


@pytest.fixture
def small(seeded_home: Story) -> Artifact:
    """The story's file with a ladder."""
    told = seeded_home.faithful
    made = dataclasses.replace(told, precision="int8", ladder=RUNGS, recipe={"recipe": "dynamic"})
    (told.path.parent / "artifact.json").write_text(store.dump(made, "artifact"))
    return made


def test_each_recipe_has_a_row_and_what_failed_has_gaps(small: Artifact) -> None:
    static, broken, dynamic = ladder.rows(small.ladder)
    assert (static["No."], static["Agrees"], static["Time against fp32"]) == (1, 90.0, 0.5)
    assert (broken["Agrees"], broken["MB"], broken["Time against fp32"]) == (None, None, None)
    assert dynamic["Passed"] is True


def test_the_chart_has_a_point_for_each_measured_recipe(small: Artifact) -> None:
    figure = ladder.pareto(small)
    assert [(trace.name, trace.y[0]) for trace in figure.data] == [("static", 90.0), ("dynamic", 97.0)]
    assert figure.data[0].marker.symbol == "circle-open"
    assert figure.data[1].text == ("<b>3</b>",)


def test_the_sentence_says_which_was_taken_and_why(small: Artifact) -> None:
    assert "**dynamic** is the first that passed" in ladder.reading(small)
    none = dataclasses.replace(small, ladder=RUNGS[:2], recipe={"recipe": "static"})
    assert "none passed; **static** agrees most" in ladder.reading(none)


def test_the_convert_page_shows_the_ladder(small: Artifact) -> None:
    at = app("pages/convert.py", artifact=small.id)
    assert not at.exception
    assert "Recipes tried" in words(at)
    assert len([table for table in at.dataframe if "Recipe" in table.value.columns]) == 1
