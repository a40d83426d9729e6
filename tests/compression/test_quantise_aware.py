"""Training under int8's rounding: what is learnt fits the float network, and the rounding is that of the converted file."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.compression.tiny import FINETUNE, pictures, step, work
from tests.networks import network
from udacisense.compression import quantise_aware
from udacisense.compression.apply import apply
from udacisense.compression.quantise_aware import FakeQuantised, _Freezer, calibrate, fake_quantised
from udacisense.formats.fmt_executorch.format import FORMAT, quiet
from udacisense.training.augment import normalise, resize

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rounded() -> FakeQuantised:
    """The network with int8's rounding at 64 pixels, its ranges found; shared, so nothing may change it."""
    found = fake_quantised(network().model, 64)
    calibrate(found, pictures(), asked(input_px=64))
    return found


@pytest.fixture
def trained(rounded: FakeQuantised, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[nn.Module, dict[str, Any]]:
    monkeypatch.setattr(quantise_aware, "fake_quantised", lambda _inner, _px: copied(rounded))
    outcome = apply(asked(input_px=64), network(), work(tmp_path, validation=pictures(9, seed=4)))
    return outcome.network, dict(outcome.notes)


def copied(rounded: FakeQuantised) -> FakeQuantised:
    with quiet():  # torch warns of its own way to copy a graph
        return copy.deepcopy(rounded)


def asked(**finetune: Any) -> Any:
    return step("quantise-aware", calibration_images=8, fix_ranges_after=0.7, finetune={**FINETUNE, **finetune})


def images(px: int, count: int = 16) -> torch.Tensor:
    return normalise(resize(pictures(count, seed=2).pixels, px))


def test_what_was_learnt_fits_the_float_network(trained: tuple[nn.Module, dict[str, Any]]) -> None:
    found, notes = trained
    assert found.state_dict().keys() == network().state_dict().keys()
    assert not any(torch.equal(a, b) for a, b in zip(found.parameters(), network().parameters(), strict=True))
    assert all(bool(torch.isfinite(v).all()) for v in found.state_dict().values())
    assert [c["epoch"] for c in notes["curves"]] == [1, 2]
    assert notes["rounded_places"] > 100
    assert not found.training


def test_the_rounding_is_felt_and_small(rounded: FakeQuantised) -> None:
    with torch.no_grad():
        ours, plain = rounded.eval()(images(64)), network().model(images(64))
    noise = float((ours - plain).square().sum() / plain.square().sum())
    assert 1e-6 < noise < 0.3


def test_the_converted_program_answers_as_the_training_did(rounded: FakeQuantised, tmp_path: Path) -> None:
    """Lowered to XNNPACK and run by ExecuTorch: integers where the training had rounded floats."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

    with quiet(), torch.no_grad():
        graph = convert_pt2e(copied(rounded).eval().graph)
        program = torch.export.export(graph, (images(64, 1),))
        lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()]).to_executorch()
    path = tmp_path / "int8.pte"
    path.write_bytes(lowered.buffer)
    with torch.no_grad():
        expected = rounded(images(64)).numpy()
    answers = FORMAT.load(path, 1).predict(images(64).numpy())
    assert path.stat().st_size < 2_200_000
    noise = float(np.square(answers - expected).sum() / np.square(expected).sum())
    assert noise < 0.02
    sure = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 2 * np.abs(answers - expected).max()
    assert (answers.argmax(1) == expected.argmax(1))[sure].all()


def test_modes_switch_batch_norm_and_dropout_both_ways(rounded: FakeQuantised) -> None:
    found = copied(rounded)
    for place in found.fake_quantisers():
        place.observer_enabled.fill_(0)
    with torch.no_grad():
        still = found.eval()(images(64))
        assert torch.equal(found.eval()(images(64)), still)
        assert found(images(64, 1)).shape == (1, 10)  # a last batch of one picture
        mean = found.state_dict()["graph.features.0.1.running_mean"].clone()
        assert not torch.equal(found.train()(images(64)), still)
        assert not torch.equal(found.state_dict()["graph.features.0.1.running_mean"], mean)
        mean = found.state_dict()["graph.features.0.1.running_mean"].clone()
        found.batch_norm_fixed.fill_(True)
        found.train()(images(64))
        assert torch.equal(found.state_dict()["graph.features.0.1.running_mean"], mean)


def test_ranges_and_batch_norm_stand_still_when_asked(rounded: FakeQuantised) -> None:
    found = copied(rounded)
    freezer = _Freezer(found, asked())
    seen = []
    for done in (0.4, 0.6, 0.8):
        freezer(done)
        seen.append((bool(found.batch_norm_fixed), all(int(p.observer_enabled) for p in found.fake_quantisers())))
    assert seen == [(False, True), (True, True), (True, False)]
