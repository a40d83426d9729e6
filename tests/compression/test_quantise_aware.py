"""Training under int8's rounding: what is learnt fits the float network, and the rounding is that of the converted file."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from tests.compression.tiny import FINETUNE, samples, step, work
from tests.networks import network
from udacisense.compression.apply import apply
from udacisense.compression.quantise_aware import FakeQuantised, _Freezer, calibrate, fake_quantised
from udacisense.formats.fmt_executorch.format import quiet
from udacisense.training.augment import normalise, resize

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def beginning() -> nn.Module:
    """The first blocks, with all that the others are made of: squeeze-and-excitation, residual sum, both activations."""
    model = network().model
    head = nn.Linear(40, 10)
    return nn.Sequential(*(model.features[i] for i in (0, 1, 2, 3, 4)), model.avgpool, nn.Flatten(), nn.Dropout(), head).eval()


@pytest.fixture(scope="module")
def rounded(beginning: nn.Module) -> FakeQuantised:
    """The beginning with int8's rounding at 64 pixels, its ranges found; shared, so nothing may change it."""
    found = fake_quantised(beginning, 64)
    calibrate(found, samples(), asked(input_px=64))
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, dict[str, Any]]:
    outcome = apply(asked(), network(), work(tmp_path_factory.mktemp("states"), validation=samples(9, seed=4)))
    return outcome.network, dict(outcome.notes)


def copied(rounded: FakeQuantised) -> FakeQuantised:
    with quiet():  # torch warns of its own way to copy a graph
        return copy.deepcopy(rounded)


def asked(**finetune: Any) -> Any:
    return step("quantise-aware", calibration_images=8, fix_ranges_after=0.7, finetune={**FINETUNE, **finetune})


def images(px: int, count: int = 16) -> torch.Tensor:
    return normalise(resize(samples(count, seed=2).pixels, px))


def test_what_was_learnt_fits_the_float_network(trained: tuple[nn.Module, dict[str, Any]]) -> None:
    found, notes = trained
    assert found.state_dict().keys() == network().state_dict().keys()
    assert not any(torch.equal(a, b) for a, b in zip(found.parameters(), network().parameters(), strict=True))
    assert all(bool(torch.isfinite(v).all()) for v in found.state_dict().values())
    assert [c["epoch"] for c in notes["curves"]] == [1, 2]
    assert notes["rounded_places"] > 100
    assert not found.training


def test_the_rounding_is_felt_and_small(rounded: FakeQuantised, beginning: nn.Module) -> None:
    with torch.no_grad():
        ours, plain = rounded.eval()(images(64)), beginning(images(64))
    noise = float((ours - plain).square().sum() / plain.square().sum())
    assert 1e-6 < noise < 0.3


def test_the_converted_program_answers_as_the_training_did(rounded: FakeQuantised) -> None:
    """The program that goes into the file stores integers where the training had rounded floats."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

    with quiet(), torch.no_grad():
        program = convert_pt2e(copied(rounded).eval().graph)
        answers, expected = program(images(64)), rounded(images(64))
    weights = [v for v in program.state_dict().values() if v.dtype == torch.int8]
    assert len(weights) == 17  # every convolution and linear layer
    noise = float((answers - expected).square().sum() / expected.square().sum())
    assert noise < 0.001


def test_modes_switch_batch_norm_and_dropout_both_ways(rounded: FakeQuantised) -> None:
    found = copied(rounded)
    for place in found.fake_quantisers():
        place.observer_enabled.fill_(0)
    with torch.no_grad():
        still = found.eval()(images(64))
        assert torch.equal(found.eval()(images(64)), still)
        assert found(images(64, 1)).shape == (1, 10)  # a last batch of one image
        mean = found.state_dict()["graph.0.1.running_mean"].clone()
        assert not torch.equal(found.train()(images(64)), still)
        assert not torch.equal(found.state_dict()["graph.0.1.running_mean"], mean)
        mean = found.state_dict()["graph.0.1.running_mean"].clone()
        found.batch_norm_fixed.fill_(True)
        found.train()(images(64))
        assert torch.equal(found.state_dict()["graph.0.1.running_mean"], mean)


def test_ranges_and_batch_norm_stand_still_when_asked(rounded: FakeQuantised) -> None:
    found = copied(rounded)
    freezer = _Freezer(found, asked())
    seen = []
    for done in (0.4, 0.6, 0.8):
        freezer(done)
        seen.append((bool(found.batch_norm_fixed), all(int(p.observer_enabled) for p in found.fake_quantisers())))
    assert seen == [(False, True), (True, True), (True, False)]
