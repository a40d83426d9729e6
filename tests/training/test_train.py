"""A whole recipe on a few images: where the weights begin, what is held out, what another recipe finds done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.data.conftest import cifar_rows
from udacisense.data.pretraining import load_all_classes
from udacisense.data.sources import load_dataset
from udacisense.errors import RecipeError
from udacisense.models.card import read_card
from udacisense.models.network import MobileNetV3_Household
from udacisense.report.model_card import model_card
from udacisense.settings import settings
from udacisense.training import initial
from udacisense.training import train as training
from udacisense.training.recipe import TrainingRecipe, TrainingStage
from udacisense.training.state import Run
from udacisense.vision import torchvision

SMALL: dict[str, object] = {"input_px": 32, "epochs": 1, "batch": 32, "lr": 0.001}
PRETRAINING = TrainingStage(name="all", data="cifar100-all", **SMALL)  # type: ignore[arg-type]
HOUSEHOLD = TrainingStage(name="ours", data="household", **SMALL)  # type: ignore[arg-type]


def recipe(*stages: TrainingStage, **values: object) -> TrainingRecipe:
    return TrainingRecipe(name="tiny", technique="baseline", validation_per_class=2, stage=stages, **values)  # type: ignore[arg-type]


@pytest.fixture
def image_set(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample pack as household images, and forty others to pretrain on."""
    x, y = cifar_rows(40, seed=5)
    np.savez(sample_home / "other.npz", x=x, y=np.array(y))
    monkeypatch.setenv("UDACISENSE_PRETRAIN_FILE", str(sample_home / "other.npz"))
    settings.cache_clear()
    return sample_home


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the stages in which epochs were really run."""
    names: list[str] = []
    real = Run.end_epoch
    monkeypatch.setattr(Run, "end_epoch", lambda run, stage, top1: (names.append(stage), real(run, stage, top1))[1])
    return names


def test_images_held_out_to_choose_by_are_in_no_stage(image_set: Path) -> None:
    household = load_dataset("train")
    mask = training.validation_mask(household.hashes, household.labels, 2)
    held = [h for h, out in zip(household.hashes, mask, strict=True) if out]
    assert len(held) == 20
    everything, without = load_all_classes()[0], load_all_classes(held)[0]
    assert len(everything) - len(without) == 20


def test_another_seed_begins_with_the_same_pretraining(image_set: Path, trained: list[str]) -> None:
    first = training.train(recipe(PRETRAINING, HOUSEHOLD), image_set / "a.pth")
    assert trained == ["all", "ours"]
    assert read_card(first)["training"]["initial_weights"] == "random"
    second = training.train(recipe(PRETRAINING, HOUSEHOLD, seed=7, pretraining_seed=42), image_set / "b.pth")
    assert trained == ["all", "ours", "ours"]
    assert second.sha256 != first.sha256
    assert [c["stage"] for c in read_card(second)["training"]["curves"]] == ["all", "ours"]
    again = training.train(recipe(PRETRAINING, HOUSEHOLD), image_set / "c.pth")
    assert again.sha256 == first.sha256


@pytest.fixture
def imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """A stand-in for torchvision's file, of the same form, where torch keeps what it downloaded."""
    torch.manual_seed(11)
    weights = torchvision().models.mobilenet_v3_small(weights=None).state_dict()
    name = torchvision().models.MobileNet_V3_Small_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    path = tmp_path / "hub" / "checkpoints" / name
    path.parent.mkdir(parents=True)
    torch.save(weights, path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return dict(weights)


def test_imagenet_weights_are_taken_whole_but_for_the_last_layer(imagenet: dict[str, torch.Tensor]) -> None:
    network = MobileNetV3_Household(num_classes=100)
    assert initial.load_imagenet(network) is None
    got = network.state_dict()
    assert all(torch.equal(got[f"model.{k}"], v) for k, v in imagenet.items() if not k.startswith("classifier.3"))


def test_with_imagenet_weights_pretraining_is_left_out(
    image_set: Path, trained: list[str], imagenet: dict[str, torch.Tensor]
) -> None:
    made = training.train(recipe(PRETRAINING, HOUSEHOLD, initial="imagenet"), image_set / "a.pth")
    assert trained == ["ours"]
    assert read_card(made)["training"]["initial_weights"] == initial.IMAGENET


@pytest.fixture
def out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("<urlopen error [Errno -3] Temporary failure in name resolution>")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "nothing"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


@pytest.mark.usefixtures("out_of_reach")
def test_where_imagenet_is_out_of_reach_it_pretrains_and_says_so(image_set: Path, trained: list[str]) -> None:
    made = training.train(recipe(PRETRAINING, HOUSEHOLD, initial="imagenet"), image_set / "a.pth")
    assert trained == ["all", "ours"]
    assert "random, then the pretraining stages" in read_card(made)["training"]["initial_weights"]
    assert "name resolution" in read_card(made)["training"]["initial_weights"]


@pytest.mark.usefixtures("out_of_reach")
def test_with_neither_imagenet_nor_pretraining_it_says_what_to_do(image_set: Path) -> None:
    with pytest.raises(RecipeError, match="no pretraining stage to take its place"):
        training.train(recipe(HOUSEHOLD, initial="imagenet"), image_set / "a.pth")
    assert not (image_set / "a.pth").exists()


def test_a_remark_goes_to_the_card_and_changes_no_work(image_set: Path, trained: list[str]) -> None:
    first = training.train(recipe(PRETRAINING, HOUSEHOLD), image_set / "a.pth")
    second = training.train(recipe(PRETRAINING, HOUSEHOLD, remark="Made twice."), image_set / "b.pth")
    assert trained == ["all", "ours", "ours"]
    assert first.sha256 == second.sha256
    assert "Made twice." in model_card(second)
    assert "Made twice." not in model_card(first)
