"""The ladder on the Convert page: every recipe has its row, and only what was measured has a point."""

from __future__ import annotations

import dataclasses

import pytest

from tests.driving import app, quick_answers, words
from tests.story import Story
from udacisense.records import store
from udacisense.types import Artifact, RecipeTrial
from ui.convert import recipe_trials

__all__ = ["quick_answers"]

RUNGS = (
    RecipeTrial("static", "All int8.", 1_700_000, 0.9, 0.6, 0.65, 0.001, 0.002, False, "agrees on 90.0 %, 96.0 % is needed"),
    RecipeTrial("broken", "Fails.", None, None, None, None, None, None, False, "cannot lower"),
    RecipeTrial(
        "dynamic", "Less.", 2_500_000, 0.97, 0.65, 0.65, 0.003, 0.002, True, "agrees on 97.0 % of 500 validation images"
    ),
)


@pytest.fixture
def small(seeded_home: Story) -> Artifact:
    """The story's file with a ladder."""
    told = seeded_home.faithful
    made = dataclasses.replace(told, precision="int8", recipe_trials=RUNGS, recipe={"recipe": "dynamic"})
    (told.path.parent / "artifact.json").write_text(store.dump(made, "artifact"))
    return made


def test_each_recipe_has_a_row_and_what_failed_has_gaps(small: Artifact) -> None:
    static, broken, dynamic = recipe_trials.rows(small.recipe_trials)
    assert (static["No."], static["Agreement"], static["Time against fp32"]) == (1, 90.0, 0.5)
    assert (broken["Agreement"], broken["MB"], broken["Time against fp32"]) == (None, None, None)
    assert dynamic["Passed"] is True


def test_the_chart_has_a_point_for_each_measured_recipe(small: Artifact) -> None:
    front, static, dynamic = recipe_trials.pareto(small).data
    assert [(trace.name, trace.y[0]) for trace in (static, dynamic)] == [("static", 90.0), ("dynamic", 97.0)]
    assert static.marker.symbol == "circle-open"
    assert dynamic.text == ("<b>3</b>",)
    assert list(front.y) == [90.0, 97.0]  # each is best in something


def test_the_other_chart_sets_time_against_accuracy(small: Artifact) -> None:
    figure = recipe_trials.pareto(small, recipe_trials.USEFUL)
    assert [(trace.x[0], trace.y[0]) for trace in figure.data[1:]] == [(0.5, 60.0), (1.5, 65.0)]
    lines = {(shape.x0, shape.y0) for shape in figure.layout.shapes}
    assert (1.0, 0) in lines  # as fast as fp32
    assert any(y == pytest.approx(64.0) for _, y in lines)  # what the checkpoint's 65 % may lose


def test_the_front_leaves_out_what_another_beats_in_both() -> None:
    assert recipe_trials.best_of_both([(2, 5), (1, 3), (3, 4), (2, 4), (4, 6)]) == [(1, 3), (2, 5), (4, 6)]
    assert recipe_trials.best_of_both([]) == []


def test_the_sentence_says_which_was_taken_and_why(small: Artifact) -> None:
    assert "**dynamic** is the first that passed" in recipe_trials.reading(small)
    none = dataclasses.replace(small, recipe_trials=RUNGS[:2], recipe={"recipe": "static"})
    assert "**static**" in recipe_trials.reading(none)
    assert "90.0 %" in recipe_trials.reading(none)


def test_the_convert_page_shows_the_ladder(small: Artifact) -> None:
    at = app("pages/convert.py", artifact=small.id)
    assert not at.exception
    assert "Recipes tried" in words(at)
    assert len([table for table in at.dataframe if "Recipe" in table.value.columns]) == 1


def test_an_older_record_speaks_of_images_too(small: Artifact) -> None:
    old = dataclasses.replace(RUNGS[2], reason="agrees on 97.0 % of 500 validation pictures")
    told = dataclasses.replace(small, recipe_trials=(old,))
    assert "500 validation images" in recipe_trials.reading(told)
    assert recipe_trials.rows(told.recipe_trials)[0]["Reason"] == "agrees on 97.0 % of 500 validation images"
