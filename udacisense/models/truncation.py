"""The network taken apart: what comes out of its blocks, and beginnings of it as checkpoints that can be converted alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from udacisense.errors import RunError
from udacisense.models.architectures import BLOCK_SEPARATOR, check_can
from udacisense.models.card import card_path
from udacisense.models.checkpoint import read_checkpoint, trained_hashes
from udacisense.models.loading import load_network
from udacisense.models.network import TruncatedNetwork
from udacisense.records import store
from udacisense.torchscript.archive import is_torchscript
from udacisense.types import Checkpoint, Images

STEPS = ("Conv2dNormActivation", "SqueezeExcitation")
"""Modules whose output a converted file still has: what is inside them gets fused."""
HEAD = ("avgpool", "classifier.1", "classifier.3")
"""The places after the feature blocks: pooled features, hidden layer, logits."""

Values = Mapping[str, NDArray[np.float32]]
"""A module's name -> its output (N, ...)."""


def block_values(checkpoint: Checkpoint, images: Images) -> Values:
    """Outputs of every block, and of every step inside one, in the order of the network.

    Raises:
        RunError: the checkpoint is TorchScript. CheckpointError: its blocks are not known here. Errors of load_network.
    """
    network = _network(checkpoint)
    places = _places(network)
    seen: dict[str, NDArray[np.float32]] = {}

    def keep(name: str) -> Any:
        # copied at once: the residual sum is added in place to what the last step gave
        return lambda _module, _given, out: seen.__setitem__(name, out.detach().numpy().copy())

    with torch.inference_mode(), ExitStack() as stack:
        for name, module in places.items():
            stack.enter_context(module.register_forward_hook(keep(name)))
        network(torch.from_numpy(np.require(images, np.float32, ["C", "W"])))
    return {name: seen[name] for name in places}


def save_beginning(checkpoint: Checkpoint, block: str, folder: Path) -> Checkpoint:
    """The network up to a block as a checkpoint in `folder`, whose answer is that block's output, flattened to (N, values).

    It keeps the list of training images, so that a converter calibrates it by the same images as the whole network.
    """
    path = folder / "beginning.pth"
    with path.open("wb") as file:
        torch.save(TruncatedNetwork(_network(checkpoint), block).state_dict(), file)
    listed = trained_hashes(checkpoint)
    if listed is not None and checkpoint.trained_on_images is not None:
        text = checkpoint.path.with_name(checkpoint.trained_on_images).read_text(encoding="utf-8")
        store.write_text(folder / Path(checkpoint.trained_on_images).name, text)
    sha256 = store.sha256_of(path)
    record = dataclasses.replace(
        checkpoint,
        id=f"{checkpoint.architecture}-{block}-{sha256[:8]}",
        path=path,
        sha256=sha256,
        architecture=f"{checkpoint.architecture}{BLOCK_SEPARATOR}{block}",
        parent_id=checkpoint.id,
        parameters=None,
        size_bytes=path.stat().st_size,
    )
    store.write_text(card_path(path), store.dump(record, "checkpoint"))
    return read_checkpoint(path)


def _network(checkpoint: Checkpoint) -> nn.Module:
    if is_torchscript(checkpoint.path):
        raise RunError(
            f"{checkpoint.path.name} is a TorchScript file, whose blocks cannot be told apart. "
            "Bring its weights as a state_dict to look along the network."
        )
    network = load_network(checkpoint)
    check_can(checkpoint.architecture, "truncate", "Looking along the network")
    return network


def _names(network: nn.Module) -> tuple[str, ...]:
    features: Any = network.model.features  # type: ignore[union-attr]
    return (*(f"features.{i}" for i in range(len(features))), *HEAD)


def _places(network: nn.Module) -> dict[str, nn.Module]:
    """Blocks and the steps inside them by name, each step before its block."""
    inner: Any = network.model
    modules = dict(inner.named_modules())
    found: dict[str, nn.Module] = {}
    for block in _names(network):
        inside = [n for n, m in modules.items() if n.startswith(f"{block}.") and type(m).__name__ in STEPS]
        found |= {name: modules[name] for name in (*inside, block)}
    return found
