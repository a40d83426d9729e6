"""The teacher's answers come from heads that never saw the picture, and the student follows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.test_fit import stage, three_colours, tiny_net
from udacisense.errors import RecipeError, StoreError
from udacisense.training import teacher
from udacisense.training.fit import accuracy, fit_stage
from udacisense.training.recipe import RECIPES_DIR, load_recipe


@pytest.fixture
def colour_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seam: mean colours in place of the big network's features."""
    monkeypatch.setattr(teacher, "_features", lambda pixels: pixels.float().mean(dim=(2, 3)) / 255)


@pytest.mark.usefixtures("colour_features")
def test_answers_are_out_of_fold(tmp_path: Path) -> None:
    """A picture with a wrong label is not learnt by heart: the head that answers for it was fitted without it."""
    data = three_colours()
    labels = data.labels.clone()
    labels[7] = (labels[7] + 1) % 3
    answers = teacher.teacher_logits(data.pixels, labels, 3, tmp_path / "t.npy").argmax(1)
    assert answers[7] == data.labels[7] != labels[7]
    assert (answers == data.labels).float().mean() > 0.95


@pytest.mark.usefixtures("colour_features")
def test_answers_are_kept_for_a_resumed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, cache = three_colours(), tmp_path / "t.npy"
    first = teacher.teacher_logits(data.pixels, data.labels, 3, cache)
    monkeypatch.setattr(teacher, "_features", lambda pixels: pytest.fail("computed again"))
    assert torch.equal(first, teacher.teacher_logits(data.pixels, data.labels, 3, cache))


@pytest.mark.parametrize("damage", [b"not an array", b""])
def test_damaged_answers_are_told(tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "t.npy"
    cache.write_bytes(damage)
    data = three_colours()
    with pytest.raises(StoreError, match="Delete the file"):
        teacher.teacher_logits(data.pixels, data.labels, 3, cache)


def test_answers_of_other_pictures_are_refused(tmp_path: Path) -> None:
    cache = tmp_path / "t.npy"
    np.save(cache, np.zeros((5, 3), np.float32))
    data = three_colours()
    with pytest.raises(StoreError, match="Delete the file"):
        teacher.teacher_logits(data.pixels, data.labels, 3, cache)


def test_a_student_follows_its_teacher_where_labels_are_silent() -> None:
    """With the whole loss on the teacher, a student learns what the teacher says and not the labels."""
    data = three_colours()
    turned = (data.labels + 1) % 3
    taught = replace(data, teacher=torch.nn.functional.one_hot(turned, 3).float() * 8)
    net = tiny_net()
    fit_stage(net, stage(8).model_copy(update={"distil": 1.0}), taught, None, seed=1)
    assert accuracy(net, replace(data, labels=turned), 32) > 0.95


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "PACKAGES", ("no_such_teacher",))
    with pytest.raises(RecipeError, match="pip install no-such-teacher"):
        teacher._network()


@pytest.mark.slow
def test_the_real_teacher_tells_pictures_apart_that_its_head_never_saw() -> None:
    data = three_colours(60)
    features = teacher._features(data.pixels)
    assert features.shape == (60, 1280)
    head = teacher.fit_head(features[:30], data.labels[:30], 3)
    assert (head(features[30:]).argmax(1) == data.labels[30:]).float().mean() > 0.8


TEACHER = ('technique = "baseline"\n', 'technique = "baseline"\nteacher = "efficientnet-lite0"\n')
TAUGHT = ('name = "household 128 px"\n', 'name = "household 128 px"\ndistil = 0.5\n')
WRONGLY_TAUGHT = ('name = "pretrain"\n', 'name = "pretrain"\ndistil = 0.5\n')


def recipe_with(folder: Path, *changes: tuple[str, str]) -> str:
    text = (RECIPES_DIR / "baseline.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "r.toml"
    path.write_text(text)
    return str(path)


def test_a_stage_needs_a_teacher_of_its_classes(tmp_path: Path) -> None:
    assert load_recipe(recipe_with(tmp_path, TEACHER, TAUGHT)).stage[2].distil == 0.5
    with pytest.raises(RecipeError, match="names no teacher"):
        load_recipe(recipe_with(tmp_path, TAUGHT))
    with pytest.raises(RecipeError, match="household classes only"):
        load_recipe(recipe_with(tmp_path, TEACHER, WRONGLY_TAUGHT))
