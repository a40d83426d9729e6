"""A small zoo for the tests of models and formats: one real network with answers that differ, and files of every kind."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from udacisense.labels import CLASSES
from udacisense.models.checkpoint import ARCHITECTURE, SCRIPT, described_as, read_checkpoint
from udacisense.models.network import MobileNetV3_Household
from udacisense.models.writing import save_checkpoint
from udacisense.torchscript.load import quiet_jit
from udacisense.types import Checkpoint, Images, ModelSpec

TRAINED = ("aa" * 8, "bb" * 8)


@lru_cache(maxsize=1)
def _network() -> MobileNetV3_Household:
    torch.manual_seed(0)
    network = MobileNetV3_Household()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # fresh statistics would hide a folded batch norm that is wrong
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        network.model.classifier[3].weight.mul_(40)  # so that the classes differ by more than rounding
    return network.eval()


def network() -> MobileNetV3_Household:
    """An untrained network of one's own, in evaluation mode."""
    return copy.deepcopy(_network())


def saved(path: Path, technique: str = "baseline") -> Checkpoint:
    """The network saved with its card."""
    return save_checkpoint(
        _network(), path, technique=technique, parent_id=None, trained_hashes=TRAINED, training={"images": 2}
    )


def traced(module: torch.nn.Module | None = None, input_px: tuple[int, int] = (224, 224)) -> torch.jit.ScriptModule:
    """A trace of the network, or of another module."""
    with quiet_jit():
        return torch.jit.trace(module or _network(), torch.zeros(1, 3, *input_px))


def save_script(module: torch.jit.ScriptModule, path: Path) -> Path:
    """Write a TorchScript file."""
    with quiet_jit():
        torch.jit.save(module, path)
    return path


def described_file(path: Path) -> Checkpoint:
    """The record of a file, as of somebody who said that it answers our classes."""
    found = read_checkpoint(path)
    return (
        found
        if found.described
        else described_as(found, ModelSpec(SCRIPT if found.architecture == SCRIPT else ARCHITECTURE, CLASSES))
    )


def images(n: int = 2, seed: int = 1) -> Images:
    """Random normalised images (n, 3, 224, 224)."""
    return np.random.default_rng(seed).standard_normal((n, 3, 224, 224), dtype=np.float32)


class Small(torch.nn.Module):
    """A network with `classes` answers, quick to build and to save."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.head = torch.nn.Linear(3, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean(dim=(2, 3)))
