"""Unstructured magnitude pruning: the smallest weights of all convolutions and linear layers become zero.

The gradual schedule is that of Zhu and Gupta, "To prune, or not to prune", 2017.
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

from torch import nn
from torch.nn.utils import prune

from udacisense.compression.step import PruneWeights
from udacisense.compression.work import Outcome, Work, fine_tune
from udacisense.models.summary import sparsity as measured


def apply(step: PruneWeights, network: nn.Module, work: Work) -> Outcome:
    """The network with a share of its weights zero; fine-tuning leaves them zero."""
    network = deepcopy(network).to(work.device)
    layers = prunable(network)
    for layer in layers.values():
        prune.identity(layer, "weight")  # type: ignore[no-untyped-call]
    notes: dict[str, Any] = {}
    if step.schedule == "one-shot":
        prune_to(layers, step.sparsity)
    if step.finetune is not None:
        pruner = _Gradual(layers, step) if step.schedule == "gradual" else _nothing
        notes["curves"] = fine_tune(network, step.finetune, work, after_step=pruner)
    for layer in layers.values():
        _make_permanent(layer)
    notes["sparsity"] = {name: 1 - _kept(layer.weight) / layer.weight.numel() for name, layer in layers.items()}
    notes["sparsity_total"] = measured(network)
    return Outcome(network.cpu(), notes=notes)


def prunable(network: nn.Module) -> dict[str, Any]:
    """The convolutions and linear layers by name."""
    return {name: m for name, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}


def prune_to(layers: dict[str, Any], sparsity: float) -> None:
    """Add zeros, smallest weights first across all layers, until that share of all weights is zero."""
    total = sum(layer.weight.numel() for layer in layers.values())
    zeros = total - sum(_kept(layer.weight_mask) for layer in layers.values())
    more = round(sparsity * total) - zeros
    if more <= 0:
        return
    for layer in layers.values():
        layer.weight_mask = layer.weight_mask.contiguous()  # training turned it to channels last, which the library cannot read
    weights = {(layer, "weight"): layer.weight_orig.detach().contiguous() * layer.weight_mask for layer in layers.values()}
    prune.global_unstructured(
        [(layer, "weight") for layer in layers.values()],
        pruning_method=prune.L1Unstructured,
        importance_scores=weights,
        amount=more,
    )


def cubic(done: float, sparsity: float, ramp_share: float, rounds: int) -> float:
    """The sparsity to have when `done` of the training is over: s (1 - (1 - t)^3), in so many rounds over the ramp."""
    t = min(1.0, math.floor(done / ramp_share * rounds) / rounds)
    return sparsity * (1 - (1 - t) ** 3)


class _Gradual:
    """Called after each training step; the masks lie in the network's state, so that a resumed run finds them."""

    def __init__(self, layers: dict[str, Any], step: PruneWeights) -> None:
        self._layers, self._step = layers, step

    def __call__(self, done: float) -> None:
        step = self._step
        prune_to(self._layers, cubic(done, step.sparsity, step.ramp_share, step.rounds))


def _nothing(_done: float) -> None:
    """A one-shot mask stays as it is."""


def _kept(values: Any) -> int:
    return int((values != 0).sum())


def _make_permanent(layer: Any) -> None:
    """The averaged mask of a weight that was pruned on the way lies between 0 and 1: only 1 was never pruned."""
    layer.weight_mask = (layer.weight_mask == 1).to(layer.weight_mask.dtype)
    layer.weight = layer.weight_orig * layer.weight_mask
    prune.remove(layer, "weight")  # type: ignore[no-untyped-call]
