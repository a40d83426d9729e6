"""The one torch.export of a checkpoint that every converter of today's formats starts from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch.export import ExportedProgram

from udacisense.errors import ExportError
from udacisense.foreign import in_brief
from udacisense.models.checkpoint import read_checkpoint
from udacisense.models.loading import load_network
from udacisense.types import Checkpoint


def exported_program(checkpoint: Checkpoint) -> ExportedProgram:
    """The network as torch.export sees it, for one image (1, 3, H, W); made once per process and file, so leave it unchanged.

    `exported_program(...).module()` gives a graph module that may be changed; its weights are shared.

    Raises:
        ExportError: the checkpoint is TorchScript, or torch.export cannot follow the network.
        CheckpointError: as load_network.
    """
    return _exported(str(checkpoint.path), checkpoint.sha256, *checkpoint.input_px)


def example_input(checkpoint: Checkpoint) -> torch.Tensor:
    """A seeded random image (1, 3, H, W), contiguous."""
    return _example(*checkpoint.input_px)


def _example(height: int, width: int) -> torch.Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@lru_cache(maxsize=2)
def _exported(path: str, _sha256: str, height: int, width: int) -> ExportedProgram:
    network = load_network(read_checkpoint(Path(path)))
    if isinstance(network, torch.jit.ScriptModule):
        raise ExportError(
            f"{Path(path).name} is a TorchScript file, which today's converters cannot read. "
            "Convert it to torchscript, or bring its weights as a state_dict."
        )
    try:
        return torch.export.export(network, (_example(height, width),))
    except Exception as exc:  # torch.export has an error class for each construct that it cannot follow
        raise ExportError(
            f"torch.export cannot follow the network of {Path(path).name}: {in_brief(exc)}. Convert it to torchscript instead."
        ) from exc
