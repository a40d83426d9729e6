"""Recipes are files; a mistake in one is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from udacisense.errors import RecipeError
from udacisense.training.recipe import RECIPES_DIR, load_recipe

STAGE = '[[stage]]\nname = "a"\ndata = "household"\ninput_px = 64\nepochs = 1\nbatch = 8\nlr = 0.001\n'


@pytest.mark.parametrize("path", sorted(RECIPES_DIR.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_recipe_loads_under_its_own_name(path: Path) -> None:
    assert load_recipe(path.stem).name == path.stem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(f'name = "x"\ntechnique = "x"\nlearning_rat = 1\n{STAGE}', "learning_rat", id="unknown key"),
        pytest.param(f'name = "x"\n{STAGE}', "technique", id="missing key"),
        pytest.param(
            f'name = "x"\ntechnique = "x"\n{STAGE.replace("epochs = 1", "epochs = 0")}', "stage 'a' / epochs", id="bad value"
        ),
        pytest.param('name = "x"\ntechnique = "x"\nstage = []', "stage", id="no stage"),
        pytest.param("name = ", "not a TOML file", id="not toml"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=told):
        load_recipe(str(path))


def test_a_mistake_within_a_stage_is_told_once_and_by_the_name_of_the_stage(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(f'name = "x"\ntechnique = "x"\n{STAGE}epoch = 2\n')

    with pytest.raises(RecipeError, match=r"is not a recipe: stage 'a' / epoch: there is no such key\. See"):
        load_recipe(str(path))


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"Recipes here: .*baseline"):
        load_recipe("no_such_recipe")
