"""Weights onto the disk: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from udacisense.errors import StoreError
from udacisense.foreign import in_brief
from udacisense.records.store import replace_file
from udacisense.torchscript.load import quiet_jit
from udacisense.writable import make_room, why_not


def write_weights(network: nn.Module, path: Path) -> None:
    """A network's state_dict, or a ScriptModule whole, at `path`; what was there before stays until the new file is whole.

    Raises:
        StoreError: the disk refuses.
    """
    with replace_file(path) as part:
        try:
            with part.open("wb") as file:  # given a path, torch writes its name into the file: other bytes for the same weights
                if isinstance(network, torch.jit.ScriptModule):
                    with quiet_jit():
                        torch.jit.save(network, file)
                else:
                    torch.save(network.state_dict(), file)
        except RuntimeError as exc:  # torch tells of a full disk or a closed folder this way
            raise StoreError(
                f"{path} could not be written: {in_brief(exc)}. {why_not(path.parent) or make_room(path.parent)}"
            ) from exc
