"""Which images a conversion sees: balanced, apart, the same on each machine, and never a test image."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import fake_checkpoint, fake_dataset
from udacisense.conversion import calibration_data
from udacisense.conversion.calibration_data import draw, golden_images, training_set_id
from udacisense.data.sources import load_dataset
from udacisense.types import Checkpoint


@pytest.fixture
def checkpoint(sample_home: Path) -> Checkpoint:
    return fake_checkpoint(sample_home / "models" / "m.pth")


def test_the_two_parts_share_no_image_and_are_balanced(checkpoint: Checkpoint) -> None:
    data = fake_dataset(400)
    found = draw(checkpoint, data)
    assert len(found.validation) == 200
    assert not set(found.validation.tolist()) & set(found.calibration.tolist())
    first = found.calibrate(30)
    assert np.bincount(first.labels).tolist() == [3] * 10
    assert first.images.shape == (30, 3, 224, 224)
    assert first.hashes == found.calibrate(50).hashes[:30]
    assert sum(len(labels) for _, labels in found.validate()) == 200


def test_the_order_of_the_data_does_not_matter(checkpoint: Checkpoint) -> None:
    data = fake_dataset(200)
    turned = dataclasses.replace(data, images=data.images[::-1], labels=data.labels[::-1].copy(), hashes=data.hashes[::-1])
    assert draw(checkpoint, data).calibrate(20).hashes == draw(checkpoint, turned).calibrate(20).hashes


def test_images_that_the_checkpoint_never_saw_are_chosen_by_first(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = fake_dataset(200)
    unseen = {data.hashes[i] for i in range(0, 100)}
    monkeypatch.setattr(calibration_data, "trained_hashes", lambda _: frozenset(set(data.hashes) - unseen))
    found = draw(checkpoint, data)
    assert {data.hashes[i] for i in found.validation} == unseen
    assert found.unseen
    monkeypatch.setattr(calibration_data, "trained_hashes", lambda _: frozenset(data.hashes))
    assert not draw(checkpoint, data).unseen
    monkeypatch.setattr(calibration_data, "trained_hashes", lambda _: None)
    assert not draw(checkpoint, data).unseen


def test_golden_images_are_the_sample_packs_one_a_class(checkpoint: Checkpoint) -> None:
    found = golden_images(checkpoint)
    assert found.labels.tolist() == list(range(10))
    assert set(found.hashes) <= set(load_dataset("test", "sample").hashes)


def test_the_training_set_is_read_once_for_its_name(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = training_set_id()
    assert name == load_dataset("train").ref.dataset_id
    monkeypatch.setattr(calibration_data, "load_dataset", lambda split: pytest.fail("it was read again"))
    assert training_set_id() == name
