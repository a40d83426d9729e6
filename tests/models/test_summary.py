"""Parameters, multiply-accumulates, zeros and integers of a network, against torch's own counts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch.nn.utils import prune
from torch.utils.flop_counter import FlopCounterMode

from tests.networks import Small, described_file, network, save_script, saved, traced
from udacisense.models.card import card_path
from udacisense.models.checkpoint import read_checkpoint
from udacisense.models.summary import describe, is_quantized, sparsity, summarise, summary_on_card
from udacisense.torchscript.load import quiet_jit


def test_counts_agree_with_torchs_own() -> None:
    net = network()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, 224, 224))
    summary = describe(net, size_bytes=1)
    assert summary.macs == counter.get_total_flops() // 2
    assert summary.parameters == 1_528_106 == sum(layer.parameters for layer in summary.layers)
    assert summary.sparsity == 0.0
    assert not summary.is_quantized


def test_every_layer_tells_its_shape_and_work() -> None:
    layers = {layer.name: layer for layer in describe(network(), 1).layers}
    first, head = layers["model.features.0.0"], layers["model.classifier.3"]
    assert (first.kind, first.output_shape, first.parameters) == ("Conv2d", (16, 112, 112), 16 * 3 * 9)
    assert first.macs == 16 * 3 * 9 * 112 * 112
    assert (head.kind, head.output_shape, head.parameters, head.macs) == ("Linear", (10,), 10_250, 10_240)
    norm = layers["model.features.0.1"]
    assert (norm.macs, norm.sparsity) == (None, None)


def test_zeros_are_counted_overall_and_per_layer() -> None:
    net = network()
    conv = net.model.features[1].block[0][0]
    prune.l1_unstructured(conv, "weight", amount=0.5)
    prune.remove(conv, "weight")
    summary = describe(net, 1)
    layer = next(row for row in summary.layers if row.name == "model.features.1.block.0.0")
    weights = [p for p in net.parameters() if p.ndim > 1]
    assert layer.sparsity == 0.5
    assert summary.sparsity == sum(int((w == 0).sum()) for w in weights) / sum(w.numel() for w in weights)
    assert summary.sparsity == sparsity(net) > 0


def test_describing_changes_nothing() -> None:
    net = network().train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    describe(net, 1)
    assert net.training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert not any(m._forward_hooks for m in net.modules())


# torch's notice comes once in a process, so it may or may not be this test that hears it
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_quantised_modules_and_their_torchscript_are_told_apart_from_floats() -> None:
    from torch.ao.nn.quantized import Linear

    eager = torch.nn.Sequential(Linear(4, 10))
    assert is_quantized(eager)
    assert not is_quantized(Small())
    assert sparsity(torch.nn.ReLU()) is None
    with quiet_jit():
        script = torch.jit.trace(eager, torch.quantize_per_tensor(torch.zeros(1, 4), 0.1, 0, torch.quint8))
    assert is_quantized(script)
    assert not is_quantized(traced(Small()))


@pytest.mark.slow
def test_torchscript_tells_what_it_can_and_none_for_the_rest(tmp_path: Path) -> None:
    summary = summarise(read_checkpoint(save_script(traced(), tmp_path / "m.pt")))
    assert summary.parameters == 1_528_106
    assert summary.macs is None
    assert "Conv2d" in {layer.kind for layer in summary.layers}
    with quiet_jit():
        frozen = torch.jit.freeze(traced())
    folded = summarise(read_checkpoint(save_script(frozen, tmp_path / "f.pt")))
    assert (folded.parameters, folded.macs, folded.sparsity) == (None, None, None)


def test_the_card_keeps_the_summary_and_a_file_without_one_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = saved(tmp_path / "m.pth")
    on_card = summary_on_card(checkpoint)
    assert on_card == describe(network(), checkpoint.size_bytes) == summarise(checkpoint)
    card_path(checkpoint.path).unlink()
    assert summary_on_card(checkpoint) is None
    assert summarise(described_file(checkpoint.path)) == on_card


def test_the_card_of_other_bytes_gives_no_summary(tmp_path: Path) -> None:
    checkpoint = dataclasses.replace(saved(tmp_path / "m.pth"), id="net-x-00000000", sha256="0" * 64)
    assert summary_on_card(checkpoint) is None


def test_a_layer_that_holds_another_is_counted() -> None:
    """As EfficientNet-Lite pads: the convolution holds its padding, and does the work itself."""

    class Padded(torch.nn.Conv2d):
        def __init__(self) -> None:
            super().__init__(3, 4, 3, bias=False)
            self.pad = torch.nn.ZeroPad2d(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(self.pad(x))

    summary = describe(torch.nn.Sequential(Padded()), 1, (8, 8))
    assert summary.macs == 4 * 3 * 9 * 8 * 8
    assert [layer.parameters for layer in summary.layers if layer.parameters] == [4 * 3 * 9]
