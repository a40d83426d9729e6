"""Weights in the wrappings of training scripts: which set of a file is meant, under the names of the network here.

Nothing that a file carries is run: objects beside the weights (settings, numpy numbers, paths) are read as `Inert`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from udacisense.errors import CheckpointError

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "student.")
"""What DataParallel, torch.compile, Lightning and scripts put before every name, in any order."""

ANCHOR = "features.0.0.weight"
"""The name of the first layer, behind whatever prefix."""

_NO_WEIGHTS = ("optim", "lr_", "sched", "scaler", "amp", "args", "hyper", "callbacks", "loops", "rng")
"""How the keys begin that hold something else."""

_BESIDE = ("n_averaged", "criterion.", "loss.", "loss_fn.")
"""Names that training leaves beside a network's own."""

_DEPTH = 3
_TIMM = ("conv_stem.weight", "conv_head.weight")


class Inert:
    """Stands for an object beside the weights, whatever it was made of."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


INERT = [
    (Inert, name)
    for name in (
        "argparse.Namespace",
        "_codecs.encode",
        "datetime.datetime",
        "numpy.dtype",
        "numpy._core.multiarray.scalar",
        "numpy.core.multiarray.scalar",
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        "pathlib.PurePosixPath",
        "pathlib.PureWindowsPath",
    )
]
"""For `torch.serialization.safe_globals`: what stands in for each object that training scripts save."""


def weight_sets(loaded: object, where: str = "", depth: int = _DEPTH) -> dict[str, Mapping[str, Tensor]]:
    """Every set of named tensors in a file, by the keys that lead to it; "" = the file is one itself."""
    if not isinstance(loaded, Mapping) or not loaded:
        return {}
    if all(isinstance(v, Tensor) for v in loaded.values()):
        return {where: {str(k): v for k, v in loaded.items()}}
    found: dict[str, Mapping[str, Tensor]] = {}
    for key, value in loaded.items():
        if depth and not str(key).lower().startswith(_NO_WEIGHTS):
            found |= weight_sets(value, f"{where}{'.' * bool(where)}{key}", depth - 1)
    return found


def one_set(name: str, loaded: object) -> Mapping[str, Tensor]:
    """The only set of weights in a file; {} = it has none.

    Raises:
        CheckpointError: there are several, such as weights and their moving average, and nobody said which is meant.
    """
    every = weight_sets(loaded)
    sets = {where: weights for where, weights in every.items() if _is_network(weights)} or every
    if len(sets) <= 1:
        return next(iter(sets.values()), {})
    keys = "".join(f"[{part!r}]" for part in _averaged(sets).split("."))
    raise CheckpointError(
        f"{name} holds {len(sets)} sets of weights ({', '.join(sets)}), and which is meant decides the accuracy. "
        f"Where you trust the file, save one alone: torch.save(torch.load({name!r}, weights_only=False){keys}, 'model.pth')."
    )


def _is_network(weights: Mapping[str, Tensor]) -> bool:
    return sum(v.ndim > 1 for v in weights.values()) > 1


def _averaged(sets: Mapping[str, object]) -> str:
    """The set that is a moving average, by its name: most often the better one, and so the example."""
    return next((where for where in sets if "ema" in where.lower() or "averag" in where.lower()), next(iter(sets)))


def plain_names(_: str, weights: Mapping[str, Tensor], network: nn.Module) -> Mapping[str, Tensor]:
    """The weights under the names of a network of a library, without prefixes, and with masks of pruning applied."""
    weights = _network_alone(weights)
    first = next(iter(network.state_dict()), "")
    prefix = next(
        (key.removesuffix(first) for key in weights if key.endswith(first) and _is_prefix(key.removesuffix(first))), ""
    )
    return {key.removeprefix(prefix): value for key, value in weights.items()}


def _network_alone(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k: v for k, v in _masked(weights).items() if not k.startswith(_BESIDE)}


def household_names(name: str, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The weights under the names of `MobileNetV3_Household`, without prefixes, and with masks of pruning applied.

    Raises:
        CheckpointError: they have the names of timm's network, whose batch norms are others.
    """
    weights = _network_alone(weights)
    if any(key.endswith(_TIMM) for key in weights):
        raise CheckpointError(
            f"{name} has the names of timm's MobileNetV3, whose batch norms divide by a little less than torchvision's: "
            "moved over as they are, its answers would differ. Describe it as the network that it is: python -m udacisense add "
            f"{name} --architecture timm:mobilenetv3_small_100 and its classes, input, mean and std."
        )
    prefix = _prefix(weights)
    if prefix is None:
        return weights
    return {f"model.{k.removeprefix(prefix)}": v for k, v in weights.items() if k.startswith(prefix)} | {
        k: v for k, v in weights.items() if not k.startswith(prefix)
    }


def _prefix(weights: Mapping[str, Tensor]) -> str | None:
    """What stands before the first layer's name, where that is nothing but known prefixes; None = another network, or none."""
    found = next((key for key in weights if key.endswith(ANCHOR)), None)
    if found is None:
        return None
    prefix = found.removesuffix(ANCHOR)
    return prefix if _is_prefix(prefix) else None


def _is_prefix(told: str) -> bool:
    """Whether it is nothing, or known prefixes in any order."""
    return (not told or told.endswith(".")) and all(f"{part}." in PREFIXES for part in told.split(".")[:-1])


def _masked(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    """With `x_orig` and `x_mask`, as torch's pruning leaves them, multiplied to the `x` that the network computed with."""
    made = dict(weights)
    for key in [k for k in weights if k.endswith("_orig")]:
        base = key.removesuffix("_orig")
        if (mask := made.get(f"{base}_mask")) is not None and mask.shape == made[key].shape:
            made[base] = made.pop(key) * made.pop(f"{base}_mask")
    return made
