"""Charts and tables of the build pages, from records."""

from __future__ import annotations

import numpy as np
import pytest

from udacisense.data.preprocess import preprocess
from udacisense.labels import CLASSES
from udacisense.models.card_parts import Layer
from ui.dataset import image_grid
from ui.models import view


def test_balance_has_a_bar_for_each_class_and_split() -> None:
    train = {name: 10 + i for i, name in enumerate(CLASSES)}
    figure = image_grid.balance({"train": train, "test": dict.fromkeys(CLASSES, 2)})
    first, second = figure.data
    assert dict(zip(first.y, first.x, strict=True)) == train
    assert set(second.x) == {2}
    assert first.y[-1] == CLASSES[0], "the first class on top"


def test_channel_table_tells_what_the_network_is_fed() -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[..., 0] = 255
    fed = preprocess([pixels])[0]
    rows = {row["Channel"]: row for row in image_grid.channel_table(pixels)}
    assert rows["red"]["Mean 0–255"] == 255.0
    assert rows["blue"]["Input mean"] == pytest.approx(float(fed[2].mean()), abs=0.006)
    assert rows["green"]["Min"] == rows["green"]["Max"]


def test_sparsity_is_in_the_networks_order_and_in_percent() -> None:
    layers = [Layer("one", "Conv2d", (8, 2, 2), 10, 40, 0.25), Layer("two", "Linear", (10,), 10, 10, 0.5)]
    bars = view.sparsity_figure(layers).data[0]
    assert list(zip(bars.y, bars.x, strict=True)) == [("two", 50.0), ("one", 25.0)]


def test_learning_curves_keep_gaps_and_mark_the_stages() -> None:
    points = [
        {"stage": "pretrain", "epoch": 1, "train_loss": 2.0, "validation_top1": None},
        {"stage": "household", "epoch": 1, "train_loss": 1.0, "validation_top1": 0.5},
        {"stage": "household", "epoch": 2, "train_loss": 0.5, "validation_top1": 0.75},
    ]
    figure = view.curves_figure(points)
    loss, top1 = figure.data
    assert list(loss.y) == [2.0, 1.0, 0.5]
    assert list(top1.y) == [None, 50.0, 75.0], "not measured is a gap, not a zero"
    assert {shape.x0 for shape in figure.layout.shapes} == {1.5}
