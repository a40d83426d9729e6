"""The teacher's answers come from heads that never saw the image, and the student follows them."""

from __future__ import annotations

from collections.abc import Callable
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
    monkeypatch.setattr(teacher, "_features", lambda pixels: (pixels.float().mean(dim=(2, 3)) / 255).half().numpy())


@pytest.mark.usefixtures("colour_features")
def test_answers_are_out_of_fold(tmp_path: Path) -> None:
    """An image with a wrong label is not learnt by heart: the head that answers for it was fitted without it."""
    data = three_colours()
    labels = data.labels.clone()
    labels[7] = (labels[7] + 1) % 3
    answers = teacher.teacher_logits(teacher.teacher_features(data.pixels, tmp_path), labels, 3).argmax(1)
    assert answers[7] == data.labels[7] != labels[7]
    assert (answers == data.labels).float().mean() > 0.95


@pytest.mark.usefixtures("colour_features")
def test_features_are_standardised_and_kept_by_the_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, more = three_colours(), three_colours(30)
    first = teacher.teacher_features(data.pixels, tmp_path)
    assert first.shape == (60, 3)
    assert first.float().mean(0).abs().max() < 0.01
    assert torch.allclose(first.float().std(0), torch.ones(3), atol=0.01)
    assert len(teacher.teacher_features(more.pixels, tmp_path)) == 30
    monkeypatch.setattr(teacher, "_features", lambda pixels: pytest.fail("computed again"))
    assert torch.equal(first, teacher.teacher_features(data.pixels, tmp_path))


def write_text(path: Path) -> None:
    path.write_bytes(b"not an array")


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_others(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros((5, 3), np.float16))


@pytest.mark.usefixtures("colour_features")
@pytest.mark.parametrize("damage", [write_text, write_nothing, write_others])
def test_damaged_features_are_told(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    data = three_colours()
    teacher.teacher_features(data.pixels, tmp_path)
    damage(next(tmp_path.glob("*.npy")))
    with pytest.raises(StoreError, match="Delete the file"):
        teacher.teacher_features(data.pixels, tmp_path)


class Seeing(torch.nn.Module):
    """A network with the parts that a MobileNet has: features, pooling, classifier."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
        self.avgpool = torch.nn.AdaptiveAvgPool2d(1)
        self.classifier = torch.nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def test_a_student_learns_to_see_as_its_teacher_does(tmp_path: Path) -> None:
    """The guide reads the teacher's features out of the student's; a resumed run keeps it."""
    colours = three_colours()
    wanted = torch.nn.functional.one_hot(colours.labels, 3).half() - 1 / 3
    taught, asked = replace(colours, features=wanted), stage(6).model_copy(update={"feature_distil": 2.0})
    torch.manual_seed(3)
    net, guide = Seeing(), torch.nn.Linear(8, 3)
    begin = guide.state_dict()["weight"].clone()
    curves = fit_stage(net, asked, taught, None, seed=1, guide=guide, state_path=tmp_path / "s.pt")
    assert not torch.equal(begin, guide.weight)
    assert curves[-1].train_loss < curves[0].train_loss - 1.0
    fresh = torch.nn.Linear(8, 3)
    fit_stage(Seeing(), asked, taught, None, seed=1, guide=fresh, state_path=tmp_path / "s.pt")
    assert torch.equal(fresh.weight, guide.weight)


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
    with pytest.raises(RecipeError, match=r"needs no-such-teacher.*extra train"):
        teacher._network()


@pytest.mark.slow
def test_the_real_teacher_tells_images_apart_that_its_head_never_saw(tmp_path: Path) -> None:
    data = three_colours(60)
    features = teacher.teacher_features(data.pixels, tmp_path).float()
    assert features.shape == (60, 1280)
    head = teacher.fit_head(features[:30], data.labels[:30], 3)
    assert (head(features[30:]).argmax(1) == data.labels[30:]).float().mean() > 0.8


NO_TEACHER = ('teacher = "efficientnet-lite0"\n', "")
PRETRAINING_TAUGHT = ('name = "pretrain 96 px"\n', 'name = "pretrain 96 px"\ndistil = 0.5\n')


def recipe_with(folder: Path, *changes: tuple[str, str]) -> str:
    text = (RECIPES_DIR / "imagenet.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "r.toml"
    path.write_text(text)
    return str(path)


def test_a_stage_needs_a_teacher_of_its_classes(tmp_path: Path) -> None:
    assert load_recipe("imagenet").stage[2].distil == 0.3
    with pytest.raises(RecipeError, match="names no teacher"):
        load_recipe(recipe_with(tmp_path, NO_TEACHER))
    with pytest.raises(RecipeError, match="household classes only"):
        load_recipe(recipe_with(tmp_path, PRETRAINING_TAUGHT))
