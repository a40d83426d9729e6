"""The checkpoint itself, run by PyTorch: the reference that every other format is compared with."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path

from udacisense.errors import RunError, UnavailableError
from udacisense.types import Capability, Checkpoint, Conversion, Exported, Format, ModelFile, Session

_NO_EXPORT = (
    "The torch format is the checkpoint itself, the reference of every comparison: there is nothing to convert. "
    "Evaluate or benchmark the checkpoint by its own id."
)
_NO_TORCH = "PyTorch is not installed. Install it: pip install -r requirements.txt"


def _unavailable(capability: Capability) -> str | None:
    if capability == "export":
        return _NO_EXPORT
    return None if importlib.util.find_spec("torch") else _NO_TORCH


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    raise UnavailableError(f"{checkpoint.id} was not written to {out.name} as {asked.precision}. {_NO_EXPORT}")


def _load(file: ModelFile, threads: int) -> Session:
    if not isinstance(file, Checkpoint):
        raise RunError(
            f"{file.path.name} is no checkpoint, and PyTorch itself runs nothing else. Convert its checkpoint again."
        )
    from udacisense.models.loading import load_network
    from udacisense.models.torchscript_session import NetworkSession

    return NetworkSession(load_network(file), threads)


FORMAT = Format(
    name="torch",
    title="PyTorch (the checkpoint itself)",
    file_name="model.pth",
    precisions=("fp32",),
    runtime="torch",
    target="Servers and desktops with PyTorch",
    runtime_version=lambda: version("torch"),
    unavailable=_unavailable,
    export=_export,
    load=_load,
    notes=("The reference: a converted file is judged by how it differs from this one.",),
    color="#0072B2",  # blue
    libraries=("torch", "torchvision"),
)
