"""Which blocks of a network suffer from int8 activations: one block at a time is rounded, and the logits are compared.

The noise of the blocks adds up as long as it is small, so its sum over the blocks that are rounded tells what int8 costs
before any file is written. A network that reads enlarged images suffers at its beginning, where fine differences decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from udacisense.models.block_names import BLOCK
from udacisense.models.loading import load_network
from udacisense.progress import report
from udacisense.types import Checkpoint, Images, ImageSet

MOST_NOISE = 0.005
"""Noise that the blocks left in int8 may add to the logits by this reckoning, as a share of the logits' power (23 dB)."""
IMAGES = 16
"""A block's noise differs between blocks by factors of ten; so few images tell it well enough."""

_found: dict[tuple[str, tuple[str, ...]], dict[str, float]] = {}


def sensitive_blocks(checkpoint: Checkpoint, samples: ImageSet) -> tuple[str, ...]:
    """The fewest blocks to keep in float so that the others' noise stays within MOST_NOISE, and the last one, in order.

    The last one answers with the logits: the range that calibration saw would cut off those of surer answers.
    Reckoned once per process for all formats and recipes that ask with the same images.
    """
    key = checkpoint.sha256, samples.hashes
    if key not in _found:
        _found.clear()
        _found[key] = noise_of_blocks(load_network(checkpoint), samples.images)
    worst, last = worst_blocks(_found[key], MOST_NOISE), next(reversed(_found[key]))
    return worst if last in worst else (*worst, last)


def worst_blocks(noise: dict[str, float], most: float) -> tuple[str, ...]:
    """The noisiest blocks, as few as leave no more than `most` together to the others; in the order of `noise`."""
    kept, left = set(noise), 0.0
    for name in sorted(noise, key=lambda block: noise[block]):
        left += noise[name]
        if left > most:
            break
        kept.remove(name)
    return tuple(name for name in noise if name in kept)


def noise_of_blocks(network: nn.Module, images: Images) -> dict[str, float]:
    """Power of the error that each block's int8 activations alone add to the logits, as a share of the logits' power.

    Args:
        images: normalised images (N, 3, H, W).
    """
    blocks = {
        name: module
        for name, module in network.named_modules()
        if BLOCK.fullmatch(name) and next(module.parameters(), None) is not None
    }
    samples = torch.from_numpy(images)
    noise = {}
    with torch.inference_mode():
        expected = network(samples)
        power = expected.square().sum().clamp_min(1e-12)
        for done, (name, block) in enumerate(blocks.items()):
            report(done / len(blocks), f"looking which blocks int8 hurts, {name}")
            with _rounded(block):
                noise[name] = float((network(samples) - expected).square().sum() / power)
    return noise


@contextmanager
def _rounded(block: nn.Module) -> Iterator[None]:
    """The block with its input and its inner activations in int8; its output is the next block's input."""
    places = [m for m in block.modules() if not list(m.children()) and not _before_batch_norm(m)]
    hooks = [block.register_forward_pre_hook(_round_input)]
    hooks += [place.register_forward_hook(_round_output) for place in places[:-1]]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _before_batch_norm(module: nn.Module) -> bool:
    """Whether a batch norm is folded into it, so that what it answers alone is in no file."""
    return isinstance(module, nn.Conv2d) and module.bias is None


def _round_input(_module: nn.Module, given: Any) -> Any:
    return (_to_int8(given[0]),)


def _round_output(_module: nn.Module, _given: Any, answer: Tensor) -> Tensor:
    return _to_int8(answer)


def _to_int8(values: Tensor) -> Tensor:
    """The values on the 256 steps of one scale from their smallest to their largest, 0 being one of them, as int8 has them."""
    low, high = values.min().clamp_max(0), values.max().clamp_min(0)
    scale = ((high - low) / 255).clamp_min(1e-12)
    zero = (-low / scale).round()
    return ((values / scale).round() + zero).clamp(0, 255).sub(zero).mul(scale)
