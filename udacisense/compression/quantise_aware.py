"""Quantisation-aware training on the graph and with the quantiser that write the int8 ExecuTorch file (PT2E for XNNPACK).

What is kept are the float weights, which have learnt to live with the rounding: they fit the same network, and are converted
like any other checkpoint, with value ranges taken anew. Source: Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", CVPR 2018, from which also the late freeze of batch norm and ranges.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from udacisense.compression.step import QuantiseAware
from udacisense.compression.work import Outcome, Work, fine_tune
from udacisense.errors import CompressionError
from udacisense.foreign import in_brief
from udacisense.formats.fmt_executorch.format import quiet
from udacisense.formats.fmt_executorch.int8 import quantiser
from udacisense.progress import report
from udacisense.training.augment import normalise, resize
from udacisense.training.fit import TrainingImages

BATCH = 25


def apply(step: QuantiseAware, network: nn.Module, work: Work) -> Outcome:
    """The network with weights trained under int8's rounding.

    Raises:
        CompressionError: ExecuTorch is not installed, or its quantiser cannot follow the network.
    """
    network = deepcopy(network).to(work.device)
    inner: Any = network.model
    rounded = fake_quantised(inner, step.finetune.input_px)
    calibrate(rounded, work.train, step)
    curves = fine_tune(rounded, step.finetune, work, after_step=_Freezer(rounded, step))
    learnt = rounded.graph.state_dict()
    inner.load_state_dict({key: learnt[key] for key in inner.state_dict()})
    return Outcome(network.cpu().eval(), notes={"curves": curves, "rounded_places": len(rounded.fake_quantisers())})


class FakeQuantised(nn.Module):
    """An exported network that rounds weights and activations as int8 does, and learns through the rounding."""

    def __init__(self, graph: Any) -> None:
        super().__init__()
        self.graph = graph
        self.register_buffer("batch_norm_fixed", torch.tensor(False))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) for normalised images (N, 3, H, W)."""
        logits: Tensor = self.graph(images)
        return logits

    def train(self, mode: bool = True) -> FakeQuantised:
        """An exported graph has no modes: the flags of its batch norms and dropouts are set one by one."""
        self.training = mode
        flags = {
            torch.ops.aten.batch_norm.default: (5, mode and not bool(self.batch_norm_fixed)),
            torch.ops.aten.dropout.default: (2, mode),
        }
        for node in self.graph.graph.nodes:
            if node.target in flags:
                node.update_arg(*flags[node.target])
        self.graph.recompile()
        return self

    def fake_quantisers(self) -> list[Any]:
        """The places where values are rounded."""
        return [m for m in self.graph.modules() if hasattr(m, "fake_quant_enabled")]


class _Freezer:
    """Called after each training step: first batch norm, then the value ranges stand still; both lie in the saved state."""

    def __init__(self, rounded: FakeQuantised, step: QuantiseAware) -> None:
        self._rounded, self._step = rounded, step

    def __call__(self, done: float) -> None:
        if done >= self._step.fix_batch_norm_after and not bool(self._rounded.batch_norm_fixed):
            self._rounded.batch_norm_fixed.fill_(True)  # type: ignore[operator]
            self._rounded.train()
        if done >= self._step.fix_ranges_after:
            _observe(self._rounded, False)


def fake_quantised(inner: nn.Module, input_px: int) -> FakeQuantised:
    """A copy of the inner network, for any number of images (N, 3, input_px, input_px), with the rounding written in.

    Raises:
        CompressionError: ExecuTorch is missing, or its quantiser cannot follow the network.
    """
    try:
        from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e

        with quiet():
            example = torch.zeros(2, 3, input_px, input_px, device=next(inner.parameters()).device)
            batch = ({0: torch.export.Dim.DYNAMIC},)
            exported = torch.export.export(deepcopy(inner).train(), (example,), dynamic_shapes=batch)
            return FakeQuantised(prepare_qat_pt2e(exported.module(check_guards=False), quantiser(training=True)))
    except ImportError as exc:
        raise CompressionError(
            f"Quantisation-aware training needs ExecuTorch: {in_brief(exc)}. "
            "Run: pip install -r requirements.txt (or the extra train)"
        ) from exc
    except (RuntimeError, ValueError, AssertionError) as exc:
        raise CompressionError(f"The quantiser cannot follow this network: {in_brief(exc)}. Leave the step out.") from exc


def calibrate(rounded: FakeQuantised, train: TrainingImages, step: QuantiseAware) -> None:
    """Set the first value ranges by whole training images, the rounding switched off."""
    rounded.eval()
    _round(rounded, False)
    chosen = torch.arange(0, len(train), max(1, len(train) // step.calibration_images))[: step.calibration_images]
    with torch.no_grad():
        for chunk in torch.split(chosen, BATCH):
            report(0.0, f"{step.name}: finding value ranges")
            index = chunk.to(train.pixels.device)
            rounded(normalise(resize(train.pixels[index], step.finetune.input_px)))
    _round(rounded, True)


def _round(rounded: FakeQuantised, on: bool) -> None:
    for place in rounded.fake_quantisers():
        place.fake_quant_enabled.fill_(on)


def _observe(rounded: FakeQuantised, on: bool) -> None:
    for place in rounded.fake_quantisers():
        place.observer_enabled.fill_(on)
