"""The one torch.export of a checkpoint that every converter of today's formats starts from."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.export import ExportedProgram

from udacisense.errors import ExportError
from udacisense.foreign import in_brief
from udacisense.models.loading import load_network
from udacisense.types import Checkpoint


def exported_program(checkpoint: Checkpoint) -> ExportedProgram:
    """The network as torch.export sees it, for one image (1, 3, H, W); made once per process and file, so leave it unchanged.

    `exported_program(...).module()` gives a graph module that may be changed; its weights are shared.

    Raises:
        ExportError: the checkpoint is TorchScript, or torch.export cannot follow the network.
        CheckpointError: as load_network.
    """
    return _exported(checkpoint)


def example_input(checkpoint: Checkpoint) -> torch.Tensor:
    """A seeded random image (1, 3, H, W), contiguous."""
    return torch.randn(1, 3, *checkpoint.input_px, generator=torch.Generator().manual_seed(0))


@lru_cache(maxsize=2)
def _exported(checkpoint: Checkpoint) -> ExportedProgram:
    network = load_network(checkpoint)
    if isinstance(network, torch.jit.ScriptModule):
        raise ExportError(
            f"{checkpoint.path.name} is a TorchScript file, which today's converters cannot read. "
            "Convert it to torchscript, or bring its weights as a state_dict."
        )
    try:
        return torch.export.export(network, (example_input(checkpoint),))
    except Exception as exc:  # torch.export has an error class for each construct that it cannot follow
        raise ExportError(
            f"torch.export cannot follow the network of {checkpoint.path.name}: {in_brief(exc)}. "
            "Convert it to torchscript instead."
        ) from exc
