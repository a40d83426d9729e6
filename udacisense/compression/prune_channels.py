"""Structured pruning: channels are removed, so that the file, the work and the latency shrink, in float and in int8 alike.

torch-pruning follows a channel through everything that it reaches: batch norm, depthwise convolution, squeeze and excitation,
residual sums. Source: Fang et al., "DepGraph: Towards Any Structural Pruning", CVPR 2023; the importance by Taylor expansion,
Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from udacisense.compression.step import PruneChannels
from udacisense.compression.work import Outcome, Work, fine_tune
from udacisense.errors import CompressionError
from udacisense.foreign import in_brief
from udacisense.labels import INPUT_PX
from udacisense.models.pruned_widths import channel_makers, widths
from udacisense.progress import report
from udacisense.training.augment import normalise, resize

BATCH = 25
"""Images whose gradients are summed before they are squared."""


def apply(step: PruneChannels, network: nn.Module, work: Work) -> Outcome:
    """The network with the least important channels of each part removed, then fine-tuned where the step says so."""
    network = deepcopy(network).to(work.device).eval()
    before = widths(network)
    if step.importance == "taylor":
        take_gradients(network, step, work)
    for part in before:
        share: float = getattr(step, part)
        if share:
            ranked = step.across_blocks and part == "expansion"
            remove_channels(network, part, share, importance=step.importance, multiple=step.multiple, across_blocks=ranked)
    network.zero_grad(set_to_none=True)
    notes: dict[str, Any] = {"widths_before": before, "widths_after": widths(network)}
    if step.finetune is not None:
        notes["curves"] = fine_tune(network, step.finetune, work)
    return Outcome(network.cpu(), notes=notes)


def remove_channels(
    network: nn.Module, part: str, share: float, *, importance: str, multiple: int, across_blocks: bool = False
) -> None:
    """Remove a share of the channels that one part of the network makes, the least important first; in place.

    Raises:
        CompressionError: the library that does it is not installed.
    """
    try:
        import torch_pruning
    except ImportError as exc:
        raise CompressionError(
            f"Removing channels needs torch-pruning: {in_brief(exc)}. "
            "Install it: pip install -r requirements.txt (or the extra train)"
        ) from exc

    makers = channel_makers(network)
    kept = [m for name, others in makers.items() if name != part for m in others.values()]
    model: Any = network.model
    example = torch.zeros(1, 3, *INPUT_PX, device=next(model.parameters()).device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="torch_pruning")
        pruner = torch_pruning.pruner.BasePruner(
            model,
            example,
            importance=_importance(importance),
            pruning_ratio=share,
            global_pruning=across_blocks,
            ignored_layers=[*kept, model.classifier[3]],
            round_to=multiple,
        )
        pruner.step()


def _importance(name: str) -> Any:
    import torch_pruning.pruner.importance as known

    if name == "magnitude":
        return known.GroupMagnitudeImportance(p=2)
    return known.GroupTaylorImportance(normalizer=None)


def take_gradients(network: nn.Module, step: PruneChannels, work: Work) -> None:
    """Leave in each parameter's `grad` the root of its mean squared gradient over batches of training images.

    The plain sum would vanish where training has converged, whatever a weight is worth.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    squares = [torch.zeros_like(p) for p in parameters]
    chosen = torch.randperm(len(work.train), generator=torch.Generator().manual_seed(work.seed))[: step.images]
    chunks = torch.split(chosen, BATCH)
    for done, chunk in enumerate(chunks):
        report(done / len(chunks), f"{step.name}: weighing channels, image {done * BATCH} of {len(chosen)}")
        for square, gradient in zip(squares, _gradients(network, parameters, work, chunk, step.input_px), strict=True):
            square.add_(gradient.square())
    for parameter, square in zip(parameters, squares, strict=True):
        parameter.grad = (square / len(chunks)).sqrt()


def _gradients(
    network: nn.Module, parameters: Sequence[nn.Parameter], work: Work, chunk: Tensor, input_px: int
) -> tuple[Tensor, ...]:
    model: Any = network.model
    index = chunk.to(work.train.pixels.device)
    logits = model(normalise(resize(work.train.pixels[index], input_px)))
    return torch.autograd.grad(functional.cross_entropy(logits, work.train.labels[index]), parameters)
