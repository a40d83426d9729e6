"""Architectures: how the weights of a checkpoint become a network, by the name that its record gives.

A name is a family, with a colon and a member where the family has several: "mobilenet_v3_small", "torchvision:resnet18",
"timm:vit_tiny_patch16_224", "efficientnet_lite:0". Nothing here runs code that a file carries: a name picks code of an
installed library.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from udacisense.errors import CheckpointError
from udacisense.foreign import in_brief
from udacisense.models.pruned_widths import slim_network
from udacisense.models.weight_sets import household_names, plain_names
from udacisense.types import HOUSEHOLD, ModelSpec
from udacisense.vision import torchvision

Weights = Mapping[str, Tensor]
Ability = Literal["train", "prune", "truncate"]

BLOCK_SEPARATOR = "@"
"""Before the block at which a truncated network ends: "mobilenet_v3_small@features.4"."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A family of networks.

    Args:
        build: a network, not yet with its weights, for the file's name, a member's, a description and the weights.
        rename: the weights under the names of that network, for the file's name, the weights and the network.
        members: the names of its members; none = the family is one network.
        can: what training and compression can do with it.
    """

    build: Callable[[str, str, ModelSpec, Weights], nn.Module]
    rename: Callable[[str, Weights, nn.Module], Weights]
    members: Callable[[], tuple[str, ...]] = tuple
    can: frozenset[Ability] = frozenset()


def network_of(name: str, spec: ModelSpec, weights: Weights) -> tuple[nn.Module, Weights]:
    """The network that a description names, without its weights, and the weights under its names.

    Args:
        name: what the file is called in messages.

    Raises:
        CheckpointError: there is no such architecture, the library that has it is not installed, or it cannot be built for this
            input or so many classes.
    """
    family, member = parted(spec.architecture)
    architecture = _family(family)
    members = architecture.members()
    if members and member not in members:
        raise CheckpointError(f"There is no architecture {spec.architecture!r}. {_close(family, member, members)}")
    try:
        network = architecture.build(name, member, spec, weights)
    except CheckpointError:
        raise
    except Exception as exc:  # each library has its own way to refuse an input size
        height, width = spec.preprocessing.input_size
        raise CheckpointError(
            f"{spec.architecture} cannot be built for {len(spec.classes)} classes and images of {height}x{width}: "
            f"{in_brief(exc)}. Describe {name} with the input that it was trained for."
        ) from exc
    return network, architecture.rename(name, weights, network)


def parted(architecture: str) -> tuple[str, str]:
    """Family and member of a name, without the block at which a truncated network ends."""
    family, _, member = architecture.partition(BLOCK_SEPARATOR)[0].partition(":")
    return family, member


def can(architecture: str, ability: Ability) -> bool:
    """Whether training or compression can do this with a network of that name; False for names that are not known."""
    known = ARCHITECTURES.get(parted(architecture)[0])
    return known is not None and ability in known.can


def check_can(architecture: str, ability: Ability, what: str) -> None:
    """Nothing, if an architecture can be trained, pruned or truncated.

    Args:
        what: the noun of the message, such as "Channel pruning".

    Raises:
        CheckpointError: it cannot.
    """
    if not can(architecture, ability):
        able = ", ".join(sorted(name for name, each in ARCHITECTURES.items() if ability in each.can))
        raise CheckpointError(
            f"{what} takes these architectures: {able}. This one is {architecture}: bring a checkpoint of one of those, "
            "or do it where this model was made."
        )


def _names() -> tuple[str, ...]:
    """Every name that can be said, a family with members as "family:NAME"."""
    return tuple(f"{family}:NAME" if each.members is not tuple else family for family, each in ARCHITECTURES.items())


def fitting(name: str, weights: Weights, spec: ModelSpec) -> Iterator[str]:
    """The architectures whose names and shapes a file's weights have, one after the other: a proposal, never a decision."""
    for family in (HOUSEHOLD.architecture, "efficientnet_lite", "torchvision"):
        for member in ARCHITECTURES[family].members() or ("",):
            told = f"{family}:{member}" if member else family
            if _fits(name, weights, replace(spec, architecture=told)):
                yield told


def _fits(name: str, weights: Weights, spec: ModelSpec) -> bool:
    try:
        with torch.device("meta"):  # shapes alone: no memory, and no time for random numbers
            network, renamed = network_of(name, spec, weights)
    except (CheckpointError, NotImplementedError):
        return False
    wanted = network.state_dict()
    return wanted.keys() == renamed.keys() and all(wanted[k].shape == v.shape for k, v in renamed.items())


# --- families ------------------------------------------------------------------------------------------------------------


def _torchvision(_: str, member: str, spec: ModelSpec, weights: Weights) -> nn.Module:
    models: Any = torchvision().models
    options: dict[str, object] = {}
    if member in ("inception_v3", "googlenet"):
        options = {"aux_logits": any("aux" in key.lower() for key in weights), "init_weights": False}
    if member == "maxvit_t":
        options = {"input_size": spec.preprocessing.input_size}
    if member.startswith("vit_"):
        options |= {"image_size": spec.preprocessing.input_size[0]}
    network: nn.Module = models.get_model(member, weights=None, num_classes=len(spec.classes), **options)
    return network


def _torchvision_members() -> tuple[str, ...]:
    models: Any = torchvision().models
    return tuple(models.list_models(module=models))


def _timm(_: str, member: str, spec: ModelSpec, weights: Weights) -> nn.Module:
    timm = _installed_timm()
    options: dict[str, object] = {}
    if any(key.endswith("pos_embed") for key in weights):
        options = {"img_size": spec.preprocessing.input_size}
    network: nn.Module = timm.create_model(member, pretrained=False, num_classes=len(spec.classes), **options)
    return network


def _timm_members() -> tuple[str, ...]:
    return tuple(_installed_timm().list_models())


def _installed_timm() -> Any:
    torchvision()  # timm imports it too, which fails where only this door can open it
    try:
        import timm
    except ImportError as exc:
        raise CheckpointError(
            f"timm is not installed, and the architecture is one of its ({in_brief(exc)}). Install: pip install "
            "-r requirements-timm.txt"
        ) from exc
    return timm


def _efficientnet_lite(_: str, member: str, spec: ModelSpec, __: Weights) -> nn.Module:
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as exc:
        raise CheckpointError(
            "The architecture is of the package efficientnet-lite-pytorch, which is not installed. Install: pip install "
            "-r requirements.txt (or the extra train)"
        ) from exc
    size = list(spec.preprocessing.input_size)  # its padding is worked out from it once, not with every image
    network: nn.Module = EfficientNet.from_name(f"efficientnet-lite{member}", num_classes=len(spec.classes), image_size=size)
    return network


def _household(name: str, _: str, spec: ModelSpec, weights: Weights) -> nn.Module:
    return slim_network(household_names(name, weights), len(spec.classes))


ARCHITECTURES: dict[str, Architecture] = {
    HOUSEHOLD.architecture: Architecture(
        _household,  # in any widths
        lambda name, weights, _: household_names(name, weights),
        can=frozenset({"train", "prune", "truncate"}),
    ),
    "torchvision": Architecture(_torchvision, plain_names, _torchvision_members),
    "timm": Architecture(_timm, plain_names, _timm_members),
    "efficientnet_lite": Architecture(
        _efficientnet_lite,
        plain_names,
        lambda: tuple("01234"),
    ),
}


def _family(family: str) -> Architecture:
    if family not in ARCHITECTURES:
        raise CheckpointError(
            f"There is no architecture {family!r}. Known: {', '.join(_names())}, and torchscript for a whole file."
        )
    return ARCHITECTURES[family]


def _close(family: str, member: str, members: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(member, members, n=3, cutoff=0.3) or members[:3]
    return f"Did you mean {' or '.join(f'{family}:{each}' for each in close)}?"
