"""Which blocks int8 hurts: reckoned on a network in which one block was made hard to round."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.formats.calibrated import int8
from tests.networks import images, network, saved
from tests.real_files import calibration
from udacisense.formats import FORMATS
from udacisense.models import sensitivity
from udacisense.models.block_names import BLOCK
from udacisense.models.float_blocks import blocks_in_float
from udacisense.models.network import TruncatedNetwork
from udacisense.models.sensitivity import noise_of_blocks, sensitive_blocks, worst_blocks

NOISE = {"a": 0.1, "b": 0.001, "c": 0.002, "d": 0.2}


@pytest.mark.parametrize(
    ("most", "kept"), [(1.0, ()), (0.15, ("d",)), (0.003, ("a", "d")), (0.0, ("a", "b", "c", "d"))], ids=str
)
def test_as_few_blocks_stay_in_float_as_the_noise_allows_in_the_networks_order(most: float, kept: tuple[str, ...]) -> None:
    assert worst_blocks(NOISE, most) == kept


def spoilt() -> torch.nn.Module:
    """The network up to block 6, one channel inside block 5 a thousand times larger, undone by the next layer."""
    made = network()
    block = made.model.features[5].block  # type: ignore[index, union-attr]
    with torch.no_grad():
        for values in (block[1][1].weight, block[1][1].bias):
            values[0] *= 1000
        block[2].fc1.weight[:, 0] = 0
        block[3][0].weight[:, 0] /= 1000
    return TruncatedNetwork(made, "features.6").eval()


@pytest.mark.slow
def test_the_block_that_is_hard_to_round_is_found_and_the_network_is_left_as_it_was() -> None:
    made, seen = spoilt(), images(2)
    with torch.no_grad():
        before = made(torch.from_numpy(seen))
    noise = noise_of_blocks(made, seen)
    assert all(BLOCK.fullmatch(name) for name in noise)
    assert list(noise) == [f"model.features.{i}" for i in range(7)]
    assert max(noise, key=lambda block: noise[block]) == "model.features.5"
    assert worst_blocks(noise, 0.5 * sum(noise.values())) == ("model.features.5",)
    with torch.no_grad():
        assert torch.equal(made(torch.from_numpy(seen)), before)


def test_rounding_keeps_256_values_and_zero() -> None:
    values = torch.linspace(-1.0, 3.0, 5000)
    rounded = sensitivity._to_int8(values)
    assert len(rounded.unique()) == 256
    assert 0.0 in rounded
    assert float((rounded - values).abs().max()) <= 0.5 * 4 / 255 + 1e-6


def test_the_last_block_stays_in_float_because_its_range_would_cut_the_logits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensitivity, "_found", {})
    monkeypatch.setattr(sensitivity, "noise_of_blocks", lambda network, seen: {"first": 0.1, "middle": 0.0, "last": 0.0})
    assert sensitive_blocks(saved(tmp_path / "model.pth"), calibration(2)) == ("first", "last")


def test_it_is_reckoned_once_for_the_same_checkpoint_and_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(sensitivity, "_found", {})
    monkeypatch.setattr(sensitivity, "noise_of_blocks", lambda network, seen: calls.append(len(seen)) or NOISE)
    checkpoint = saved(tmp_path / "model.pth")
    assert sensitive_blocks(checkpoint, calibration(4)) == sensitive_blocks(checkpoint, calibration(4)) == ("a", "d")
    assert calls == [4]
    sensitive_blocks(checkpoint, calibration(3))
    assert calls == [4, 3]


@pytest.mark.parametrize("name", ["executorch", "onnx", "torchscript"])
def test_a_recipe_that_does_not_ask_for_it_keeps_nothing_in_float(name: str, tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "model.pth")
    for recipe in ("static", FORMATS[name].recipes_for("int8")[-1].name):
        assert blocks_in_float(checkpoint, int8(FORMATS[name], recipe)) == ()
