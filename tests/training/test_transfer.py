"""Transfer: small and sharp images in one batch, a teacher that sees the same views, and weights that keep what they knew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from udacisense.errors import RecipeError, StoreError
from udacisense.labels import CLASSES
from udacisense.models.architectures import network_of
from udacisense.models.card import card_path
from udacisense.models.checkpoint import read_checkpoint
from udacisense.models.loading import load_network
from udacisense.training import transfer_train
from udacisense.training.augment import random_view
from udacisense.training.batch_targets import TrainingImages
from udacisense.training.initial import NAMES, head_by_name
from udacisense.training.recipe import load_recipe
from udacisense.training.transfer import NO_LABEL, Parts, Pools, _batch, fit_transfer, tinted, top1
from udacisense.training.transfer_recipe import TransferRecipe, TransferStage
from udacisense.types import ModelSpec, Preprocessing
from udacisense.verbs import train

CPU = torch.device("cpu")
STAGE = TransferStage(name="t", input_px=32, epochs=4, household=12, rendered=6, lr=0.02, head_lr=0.05, ema_decay=0.5)


class Tiny(nn.Module):
    """A network with the parts of a MobileNetV3_Household, two blocks long."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Any = nn.Module()
        self.model.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU()),
            nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU()),
        )
        self.model.avgpool = nn.AdaptiveAvgPool2d(1)
        self.model.classifier = nn.Linear(8, 3)


def tiny() -> Parts:
    torch.manual_seed(0)
    return Parts.of(Tiny(), Preprocessing((32, 32)))


def three_colours(px: int, count: int = 36) -> TrainingImages:
    labels = np.arange(count) % 3
    images = np.random.default_rng(0).integers(0, 40, (count, px, px, 3)).astype(np.uint8)
    images[np.arange(count), :, :, labels] += 180
    return TrainingImages.of(images, labels.astype(np.int64), CPU)


def pools() -> Pools:
    other = three_colours(32, 12)
    return Pools(three_colours(32), three_colours(48, 18), replace(other, labels=torch.full_like(other.labels, NO_LABEL)))


def test_both_kinds_of_images_are_learnt_and_the_curve_tells_it() -> None:
    network, images = tiny(), pools()
    curves = fit_transfer(network, STAGE, images, lambda: top1(network, images.rendered, 32), seed=1)
    assert [c.epoch for c in curves] == [1, 2, 3, 4]
    assert curves[-1].validation_top1 == top1(network, images.rendered, 32) > 0.9
    assert top1(network, images.household, 32) > 0.9


def test_a_killed_run_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, images = tiny(), pools()
    fit_transfer(whole, STAGE, images, lambda: 0.0, seed=3)
    asked = 0

    def dies() -> float:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KeyboardInterrupt
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        fit_transfer(tiny(), STAGE, images, dies, seed=3, state_path=tmp_path / "s.pt")
    resumed = tiny()
    fit_transfer(resumed, STAGE, images, lambda: 0.0, seed=3, state_path=tmp_path / "s.pt")
    for key, value in whole.whole.state_dict().items():
        assert torch.equal(value, resumed.whole.state_dict()[key]), key


def test_frozen_blocks_and_batch_norm_stay_as_they_are() -> None:
    network = tiny()
    before = {k: v.clone() for k, v in network.whole.state_dict().items()}
    stage = STAGE.model_copy(update={"frozen_blocks": 1, "epochs": 1})
    fit_transfer(network, stage, pools(), lambda: 0.0, seed=1)
    changed = {k for k, v in network.whole.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {
        "model.features.1.0.weight",
        "model.features.1.0.bias",
        "model.classifier.weight",
        "model.classifier.bias",
    }


def test_a_share_of_the_initial_weights_is_kept() -> None:
    trained, blended = tiny(), tiny()
    before = {k: v.clone() for k, v in trained.whole.state_dict().items()}
    fit_transfer(trained, STAGE, pools(), lambda: 0.0, seed=1)
    fit_transfer(blended, STAGE.model_copy(update={"keep_initial": 0.25}), pools(), lambda: 0.0, seed=1)
    key = "model.classifier.weight"
    expected = 0.75 * trained.whole.state_dict()[key] + 0.25 * before[key]
    assert torch.allclose(blended.whole.state_dict()[key], expected, atol=1e-6)


class Reddish(nn.Module):
    """A teacher that says the first class of whatever it sees."""

    def forward(self, features: Tensor) -> Tensor:
        return torch.tensor([9.0, 0.0, 0.0]).expand(len(features), 3)


def test_the_student_follows_its_teacher_where_the_stage_asks_for_it() -> None:
    network, images = tiny(), pools()
    teacher = replace(tiny(), head=Reddish())
    stage = STAGE.model_copy(update={"distil": 1.0, "other": 6, "blend": 0.5, "epochs": 6, "feature_distil": 0.5})
    fit_transfer(network, stage, images, lambda: 0.0, seed=1, teacher=teacher, guide=nn.Linear(8, 8))
    network.whole.eval()
    with torch.inference_mode():
        told = network.head(network.features(images.household.pixels.float() / 255)).argmax(1)
    assert (told == 0).all()


def test_a_batch_holds_what_was_asked_for_and_blends_have_no_label() -> None:
    stage = STAGE.model_copy(update={"other": 4, "blend": 0.5})
    images, labels = _batch(pools(), stage, torch.Generator().manual_seed(0))
    again, _ = _batch(pools(), stage, torch.Generator().manual_seed(0))
    assert images.shape == (22, 3, 32, 32)
    assert torch.equal(images, again)
    assert float(images.min()) >= 0
    assert float(images.max()) <= 1
    plain = _batch(pools(), STAGE.model_copy(update={"other": 4}), torch.Generator().manual_seed(0))[1]
    assert (plain == NO_LABEL).sum() == 4
    assert (labels == NO_LABEL).sum() > 4
    assert torch.equal(labels[labels != NO_LABEL], plain[labels != NO_LABEL])


def test_rendered_classes_are_drawn_evenly() -> None:
    many = three_colours(48, 300)
    keep = (many.labels == 0) | (torch.arange(300) < 12)  # 100 of the first class, 4 of each other
    images = Pools(three_colours(32), TrainingImages(many.pixels[keep], many.labels[keep]))
    stage = STAGE.model_copy(update={"rendered": 300, "household": 2})
    labels = _batch(images, stage, torch.Generator().manual_seed(0))[1][2:]
    assert labels.bincount().min() > 70


def test_tint_changes_colours_and_stretch_the_ratio() -> None:
    grey = torch.full((4, 3, 8, 8), 0.5)
    assert tinted(grey, 0.2, torch.Generator().manual_seed(0)).std(dim=1).max() > 0.01
    assert torch.equal(tinted(grey, 0.0, torch.Generator().manual_seed(0)), grey)
    pixels = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    plain, stretched = (
        random_view(pixels, 16, min_crop=0.5, jitter=0, generator=torch.Generator().manual_seed(0), stretch=s)
        for s in (0.0, 0.4)
    )
    assert not torch.allclose(plain, stretched)


def test_every_household_class_has_names_in_imagenet() -> None:
    assert tuple(sorted(NAMES)) == tuple(sorted(CLASSES))
    weight, bias = head_by_name(torch.arange(1000.0)[:, None].repeat(1, 3), torch.arange(1000.0))
    assert weight.shape == (10, 3)
    assert bias.shape == (10,)
    assert bias[CLASSES.index("keyboard")] == 508
    assert bias[CLASSES.index("wardrobe")] == (894 + 493) / 2


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v3_small"])
def test_the_shipped_recipes_are_transfers(name: str) -> None:
    recipe = load_recipe(name)
    assert isinstance(recipe, TransferRecipe)
    assert recipe.name == name


def test_a_mistake_in_a_transfer_is_told_as_in_any_recipe(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('kind = "transfer"\nname = "x"\ntechnique = "x"\narchitecture = "efficientnet_lite:0"\nspeed = 3\n')
    with pytest.raises(RecipeError, match="speed"):
        load_recipe(str(path))


def no_room(*_: object, **__: object) -> None:
    raise StoreError("no room")


def test_train_writes_a_checkpoint_that_says_what_it_is(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real EfficientNet-Lite0 by the verb, one short epoch on the sample pack; random weights stand in for ImageNet's."""

    def standing_in(member: str) -> tuple[dict[str, Tensor], str]:
        spec = ModelSpec(f"efficientnet_lite:{member}", tuple(map(str, range(1000))))
        return dict(network_of("stand-in", spec, {})[0].state_dict()), "weights that stand in"

    monkeypatch.setattr(transfer_train, "imagenet_lite", standing_in)
    stage = '[[stage]]\nname = "s"\ninput_px = 32\nepochs = 1\nhousehold = 60\nrendered = 4\nlr = 0.001\nhead_lr = 0.001\n'
    path = tmp_path / "r.toml"
    path.write_text(
        'kind = "transfer"\nname = "strong"\ntechnique = "transfer"\narchitecture = "efficientnet_lite:0"\n'
        "validation_per_class = 2\n" + stage
    )
    kept = home / ".udacisense" / "training"
    with monkeypatch.context() as full:
        full.setattr(transfer_train, "save_checkpoint", no_room)
        with pytest.raises(StoreError):
            train(str(path))
    assert [path.suffix for path in kept.iterdir()] == [".pt"], "what was trained is kept"
    with monkeypatch.context() as done:
        done.setattr("udacisense.training.transfer._epoch", no_room)
        made = train(str(path))  # no epoch is run again
    assert not list(kept.iterdir())
    assert made == read_checkpoint(made.path)
    assert (made.architecture, made.input_px, made.classes) == ("efficientnet_lite:0", (32, 32), CLASSES)
    assert made.std == (128 / 255,) * 3
    told = json.loads(card_path(made.path).read_text())["training"]
    assert told["initial_weights"] == "weights that stand in"
    assert told["validation"].keys() == {"household", "rendered", "mean"}
    with torch.no_grad():
        assert load_network(made)(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
