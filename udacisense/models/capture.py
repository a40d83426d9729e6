"""The one torch.export of a checkpoint that every converter of today's formats starts from."""

from __future__ import annotations

import warnings
from functools import lru_cache

import torch
from torch.export import ExportedProgram

from udacisense.errors import ExportError
from udacisense.foreign import in_brief
from udacisense.models.loading import load_network
from udacisense.torchscript.load import quiet_jit
from udacisense.types import Checkpoint


def exported_program(checkpoint: Checkpoint) -> ExportedProgram:
    """The network as torch.export sees it, for one image (1, 3, H, W); made once per process and file, so leave it unchanged.

    `exported_program(...).module()` gives a graph module that may be changed; its weights are shared.

    Raises:
        ExportError: torch.export cannot follow the network, or its TorchScript has constructs that it does not know.
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
        return _from_script(checkpoint, network)
    try:
        return torch.export.export(network, (example_input(checkpoint),))
    except Exception as exc:  # torch.export has an error class for each construct that it cannot follow
        raise ExportError(
            f"torch.export cannot follow the network of {checkpoint.path.name}: {in_brief(exc)}. "
            "Convert it to torchscript instead."
        ) from exc


def _from_script(checkpoint: Checkpoint, network: torch.jit.ScriptModule) -> ExportedProgram:
    """The program that TorchScript's own operators make, held to the answers of the file."""
    from torch._export.converter import TS2EPConverter

    image = example_input(checkpoint)
    try:
        with warnings.catch_warnings(), quiet_jit():
            warnings.simplefilter("ignore")  # of the converter's own workings, one for each batch norm
            program: ExportedProgram = TS2EPConverter(network, (image,)).convert()
            same = torch.allclose(program.module()(image), network(image), rtol=1e-3, atol=1e-4)
    except Exception as exc:  # the converter has an error of its own for each construct that it does not know
        raise ExportError(
            f"{checkpoint.path.name} is TorchScript that today's converters cannot read ({in_brief(exc)}). Convert it to "
            "torchscript, or bring its weights as a state_dict with the name of its architecture."
        ) from exc
    if not same:
        raise ExportError(
            f"{checkpoint.path.name} is TorchScript that answers otherwise once it is read for today's converters. Convert it "
            "to torchscript, or bring its weights as a state_dict with the name of its architecture."
        )
    return program
