"""A checkpoint's file as a network that can run; code that a file carries runs in bound processes only."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from udacisense import archives
from udacisense.archives import ArchiveError
from udacisense.errors import CheckpointError, NotFoundError, RunError, UnsafeFileError
from udacisense.models.architectures import BLOCK_SEPARATOR, fitting, network_of
from udacisense.models.checkpoint import WEIGHTS
from udacisense.models.described import check_described, how_to_describe
from udacisense.models.network import MobileNetV3_Household, TruncatedNetwork
from udacisense.models.torchscript_session import NetworkSession
from udacisense.models.weight_sets import INERT, one_set
from udacisense.processes import limits
from udacisense.torchscript.archive import is_torchscript
from udacisense.torchscript.load import load_script
from udacisense.types import HOUSEHOLD, Checkpoint, ModelSpec

# for the whole process, since a switch around each call would be another thread's too
torch.serialization.add_safe_globals(list(INERT))

HEAD_TENSORS = 4
"""The last layer's weight and bias, and those of an auxiliary one."""
_REFUSED = re.compile(r"was not an allowed global|is blocked|Can only (create|build)|call reduce for")
"""How torch's reader of plain weights says that it met something else."""
_QUANTISED_SIGNS = ("scale", "zero_point", "_packed_params")


def load_network(checkpoint: Checkpoint) -> nn.Module:
    """The network with its weights, in evaluation mode on the CPU.

    A TorchScript file comes back as a ScriptModule in a bound process, and elsewhere as a RemoteNetwork, which runs in one.

    Raises:
        UnsafeFileError: the file is a pickled object, whose loading would run code, or calls what a classifier may not call.
        CheckpointError: damaged, for other classes or another network, its weights are not finite numbers, or nobody
            described it: what its answers mean is not guessed.
        NotFoundError: there is no such file.
    """
    network = open_network(checkpoint)
    check_described(checkpoint)
    return network


def open_network(checkpoint: Checkpoint) -> nn.Module:
    """The network as `load_network` gives it, described or not: to list its layers, and to describe it.

    Raises:
        UnsafeFileError, CheckpointError, NotFoundError: as `load_network`, but that nobody needs to have described it.
    """
    path = checkpoint.path
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}. Restore it, or pick another checkpoint.")
    if not is_torchscript(path):
        return _load_weights(checkpoint)
    if limits.is_bound():
        return _load_script(checkpoint)
    from udacisense.models.remote_network import RemoteNetwork

    return RemoteNetwork(checkpoint).eval()


def proposals(checkpoint: Checkpoint, classes: int) -> tuple[str, ...]:
    """The architectures that the weights of a file fit, for so many classes: for a person to choose from.

    Raises:
        UnsafeFileError, CheckpointError: the file holds no weights that can be read.
    """
    path, spec = checkpoint.path, ModelSpec("", tuple(map(str, range(classes))), checkpoint.preprocessing)
    return tuple(fitting(path.name, _state_dict(path, _unpickle(path)), spec))


# --- state_dict files ----------------------------------------------------------------------------------------------------


def _load_weights(checkpoint: Checkpoint) -> nn.Module:
    """The network that the record names, or its beginning where the record names a block at which it ends."""
    path = checkpoint.path
    weights = _state_dict(path, _unpickle(path))  # first, so that a damaged file is told as one
    if checkpoint.architecture == WEIGHTS:
        raise CheckpointError(how_to_describe(checkpoint))
    network, weights = network_of(path.name, checkpoint.spec, weights)
    network = _part(network, checkpoint.architecture.partition(BLOCK_SEPARATOR)[2])
    _check_fits(checkpoint, weights, network.state_dict())
    network.load_state_dict(dict(weights))
    return network.eval()


def _part(network: nn.Module, until: str) -> nn.Module:
    return TruncatedNetwork(network, until) if until else network


def _unpickle(path: Path) -> Any:
    _check_pointer(path)
    try:
        asks_for_objects = _check_size(path)
    except ArchiveError as exc:
        raise _damaged(path, exc) from exc
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol", category=UserWarning)  # it goes on to refuse
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as exc:
        unsafe = _REFUSED.search(str(exc)) or asks_for_objects
        raise (_unsafe(path) if unsafe else _damaged(path, exc)) from exc
    except Exception as exc:  # torch has a dozen errors for a damaged file
        raise _damaged(path, exc) from exc


def _check_size(path: Path) -> bool:
    """Size the file before it is unpacked; returns whether its pickle asks for Python objects in a way torch does not parse.

    Raises:
        ArchiveError: it would unpack to more than it seems.
    """
    if not archives.is_archive(path):
        archives.check_file(path)
        return archives.imports_by_name(path.read_bytes())
    with archives.opened(path) as archive:
        pickles = [archives.read_text(archive, name) for name in archive.namelist() if name.endswith("/data.pkl")]
    for raw in pickles:
        archives.check_pickle(raw)
    return any(map(archives.imports_by_name, pickles))


def _unsafe(path: Path) -> UnsafeFileError:
    return UnsafeFileError(
        f"{path.name} is a pickled Python object (a whole module, such as an FX GraphModule), not plain weights. Loading it "
        "would run code that the file carries, so it was not opened. Where you trust it, load it yourself and save the weights "
        "alone: torch.save(model.state_dict(), 'model.pth'); or save it whole as TorchScript: "
        "torch.jit.script(model).save('model.pt')."
    )


def _damaged(path: Path, exc: Exception) -> CheckpointError:
    said = str(exc).rpartition("WeightsUnpickler error: ")[2].strip()
    reason = (said or type(exc).__name__).splitlines()[0]
    return CheckpointError(
        f"{path.name} cannot be read as weights: the file is damaged, cut off, or of another kind ({reason[:160]}). "
        "Copy it here again, or save the model again with torch.save(model.state_dict(), path)."
    )


def _check_pointer(path: Path) -> None:
    """A clone without Git LFS has a short text where the weights should be."""
    with path.open("rb") as file:
        if file.read(24) == b"version https://git-lfs.":
            raise CheckpointError(f"{path.name} is a Git LFS pointer, not the weights themselves. Fetch them: git lfs pull")


def _state_dict(path: Path, loaded: Any) -> Mapping[str, Tensor]:
    weights = one_set(path.name, loaded)
    if not weights:
        if isinstance(loaded, Mapping) and any(map(_looks_quantised, _keys(loaded))):
            raise _quantised(path)
        found = f"a {type(loaded).__name__}" if not isinstance(loaded, Mapping) else f"a dict of {sorted(map(str, loaded))[:5]}"
        raise CheckpointError(
            f"{path.name} holds {found}, not a state_dict of tensors. "
            "Save the weights with torch.save(model.state_dict(), path)."
        )
    return weights


def _keys(loaded: Mapping[Any, Any]) -> Iterator[str]:
    """Its keys, and those of the dicts in it: a wrapper hides the signs of a quantised network."""
    for key, value in loaded.items():
        yield str(key)
        if isinstance(value, Mapping):
            yield from map(str, value)


def _looks_quantised(key: str) -> bool:
    return any(sign in key.split(".") for sign in _QUANTISED_SIGNS)


def _quantised(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path.name} holds the weights of a quantised network, which fit only the quantised modules they were made in. "
        "Save that network whole as TorchScript instead: torch.jit.script(model).save('model.pt')."
    )


# --- does it fit ---------------------------------------------------------------------------------------------------------


def _check_fits(checkpoint: Checkpoint, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    path, known = checkpoint.path, checkpoint.architecture
    _check_head(checkpoint, weights, wanted)
    missing, unexpected = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    if any(_looks_quantised(key) for key in unexpected):
        raise _quantised(path)
    if missing:
        raise _other_network(path, known, f"lacks {_some(missing)}", unexpected)
    if unexpected:
        raise _other_network(path, known, f"has {_some(unexpected)} too many", ())
    _check_values(path, known, weights, wanted)


def _check_head(checkpoint: Checkpoint, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """A file that fits but for its last layer answers other classes than those that were said."""
    if weights.keys() != wanted.keys():
        return
    wrong = [k for k, v in wanted.items() if weights[k].shape != v.shape and weights[k].shape[1:] == v.shape[1:]]
    rows = {len(weights[k]) for k in wrong if weights[k].ndim and len(wanted[k]) == len(checkpoint.classes)}
    if (
        wrong == [k for k in wrong if len(wanted[k]) == len(checkpoint.classes)]
        and len(rows) == 1
        and len(wrong) <= HEAD_TENSORS
    ):
        raise CheckpointError(
            f"{checkpoint.path.name} answers {rows.pop()} classes, and it is said to tell {len(checkpoint.classes)} apart "
            f"({', '.join(checkpoint.classes[:12])}). Name its classes, all of them, or pick another file."
        )


def _check_values(path: Path, known: str, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    misfits = _misfits(weights, wanted)
    if misfits:  # of a whole network with one wrong layer, and of a slim one, the shorter list names the wrong layer
        whole = MobileNetV3_Household().state_dict() if known == HOUSEHOLD.architecture else {}
        others = _misfits(weights, {k: v for k, v in whole.items() if k in weights}) or misfits
        raise _other_network(path, known, f"has other shapes: {_some(min(misfits, others, key=len))}", ())
    broken = [k for k, v in weights.items() if v.is_floating_point() and not bool(torch.isfinite(v).all())]
    if broken:
        raise CheckpointError(
            f"{path.name} holds values that are not finite numbers in {_some(broken)}, so every answer would be meaningless. "
            "The training diverged: train again with a lower learning rate, or pick an earlier checkpoint."
        )


def _misfits(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{k} {tuple(weights[k].shape)} instead of {tuple(v.shape)}" for k, v in wanted.items() if weights[k].shape != v.shape
    ]


def _other_network(path: Path, known: str, what: str, unexpected: list[str] | tuple[()]) -> CheckpointError:
    also = f" and has {_some(unexpected)} instead" if unexpected else ""
    wanted = "MobileNetV3_Household" if known == HOUSEHOLD.architecture else known
    return CheckpointError(
        f"{path.name} is not a {wanted}: it {what}{also}. "
        "Save the state_dict of that class, or save the network whole as TorchScript: torch.jit.script(model).save('model.pt')."
    )


def _some(names: list[str], show: int = 3) -> str:
    more = f" and {len(names) - show} more" if len(names) > show else ""
    return ", ".join(names[:show]) + more


# --- TorchScript files ---------------------------------------------------------------------------------------------------


def _load_script(checkpoint: Checkpoint) -> nn.Module:
    path = checkpoint.path
    try:
        network: nn.Module = load_script(path)
    except UnsafeFileError:
        raise
    except (ArchiveError, RuntimeError, ValueError, OSError) as exc:
        raise _damaged(path, exc) from exc
    _check_answer(checkpoint, network)
    return network


def _check_answer(checkpoint: Checkpoint, network: nn.Module) -> None:
    path, (height, width) = checkpoint.path, checkpoint.input_px
    probe = torch.zeros(1, 3, height, width).numpy()
    try:
        classes = NetworkSession(network, torch.get_num_threads()).predict(probe).shape[1]
    except RunError as exc:
        raise CheckpointError(
            f"{path.name} is TorchScript, but it does not run on an image of 3 x {height} x {width}: {exc} "
            "Describe it with the input that it has, or save it with this one, on the CPU."
        ) from exc
    if checkpoint.described and classes != len(checkpoint.classes):
        raise CheckpointError(
            f"{path.name} answers {classes} classes, and it is said to tell {len(checkpoint.classes)} apart "
            f"({', '.join(checkpoint.classes[:12])}). Name its classes, all of them, or pick another file."
        )
