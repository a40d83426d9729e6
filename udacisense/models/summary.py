"""Summary of a network: layers, parameters, multiply-accumulates, bytes, zeros."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from udacisense.errors import CheckpointError, RunError
from udacisense.labels import INPUT_PX
from udacisense.models.card import read_card
from udacisense.models.card_parts import Layer, Summary
from udacisense.processes import limits
from udacisense.remote import RemoteModel
from udacisense.torchscript.archive import is_torchscript
from udacisense.types import Checkpoint

if TYPE_CHECKING:
    from torch import Tensor, nn


def summarise(checkpoint: Checkpoint) -> Summary:
    """The summary on the checkpoint's card, else one made by loading the file and running it once.

    Raises:
        CheckpointError: the file cannot be loaded.
    """
    found = summary_on_card(checkpoint)
    if found is not None:
        return found
    from udacisense.models.loading import open_network

    if is_torchscript(checkpoint.path) and not limits.is_bound():
        return remote_summary(checkpoint)
    return describe(open_network(checkpoint), checkpoint.size_bytes, checkpoint.input_px)


def remote_summary(checkpoint: Checkpoint) -> Summary:
    """The summary, made in a bound child process.

    Raises:
        CheckpointError: the network cannot be described; else as `summarise`.
    """
    with closing(RemoteModel(checkpoint)) as remote:
        return told_summary(remote)


def told_summary(remote: RemoteModel) -> Summary:
    """The summary that a bound child process tells of its network.

    Raises:
        CheckpointError: as `remote_summary`.
    """
    try:
        return TypeAdapter(Summary).validate_python(remote.summary())
    except (ValidationError, RunError) as exc:
        why = "its process answered with something else" if isinstance(exc, ValidationError) else str(exc).rstrip(".")
        raise CheckpointError(f"{remote.path.name} could not be described: {why}.") from exc


def summary_on_card(checkpoint: Checkpoint) -> Summary | None:
    """The summary that was saved with the weights, read without torch; None without a card."""
    try:
        return TypeAdapter(Summary).validate_python(read_card(checkpoint).get("summary"))
    except ValidationError:
        return None


def describe(network: nn.Module, size_bytes: int, input_px: tuple[int, int] = INPUT_PX) -> Summary:
    """Run one image of zeros through the network and write down what each layer did."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {}
    was_training = network.training
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    with torch.no_grad(), _watched(network, shapes):
        network.eval()(torch.zeros(1, 3, *input_px, device=device))
    network.train(was_training)
    layers = tuple(_layer(name, module, shapes.get(name)) for name, module in _leaves(network))
    counted = [layer.macs for layer in layers if layer.macs is not None]
    return Summary(
        layers=layers,
        parameters=sum(p.numel() for p in network.parameters()) or None,
        macs=sum(counted) if counted else None,
        size_bytes=size_bytes,
        is_quantized=is_quantized(network),
        sparsity=sparsity(network),
    )


def _leaves(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules that compute: those without others inside, and those with weights of their own, whatever is inside."""
    return (
        (name, module)
        for name, module in network.named_modules()
        if name and (not list(module.children()) or next(module.parameters(recurse=False), None) is not None)
    )


@contextmanager
def _watched(network: nn.Module, shapes: dict[str, tuple[int, ...]]) -> Iterator[None]:
    """Note the output shape of every leaf while the block runs; TorchScript calls its leaves unseen."""
    import torch

    def watch(name: str, module: nn.Module) -> Any:
        def note(_module: nn.Module, _inputs: Any, out: Any) -> None:
            if isinstance(out, torch.Tensor):
                shapes[name] = tuple(out.shape[1:])

        return module.register_forward_hook(note)

    eager = not isinstance(network, torch.jit.ScriptModule)
    hooks = [watch(name, module) for name, module in _leaves(network)] if eager else []
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _layer(name: str, module: nn.Module, shape: tuple[int, ...] | None) -> Layer:
    weight = _weight(module)
    return Layer(
        name=name,
        kind=str(getattr(module, "original_name", type(module).__name__)),
        output_shape=shape,
        parameters=sum(p.numel() for p in module.parameters(recurse=False)),
        macs=None if weight is None or shape is None else _macs(weight, shape),
        sparsity=None if weight is None else _zeros(weight) / weight.numel(),
    )


def _macs(weight: Tensor, shape: tuple[int, ...]) -> int:
    """A weight is used once at each place of the output: (out, in / groups, kh, kw) times height times width."""
    places = 1
    for side in shape[1:]:
        places *= side
    return weight.numel() * places


def _weight(module: nn.Module) -> Tensor | None:
    """The weights of a convolution or a linear layer, dequantised; None for every other kind."""
    import torch

    weight = getattr(module, "weight", None)
    weight = weight() if callable(weight) else weight  # quantised modules keep it packed behind a method
    if not isinstance(weight, torch.Tensor) or weight.ndim < 2:
        return None
    return weight.dequantize() if weight.is_quantized else weight.detach()


def _zeros(weight: Tensor) -> int:
    return int((weight == 0).sum())


def sparsity(network: nn.Module) -> float | None:
    """Share of exact zeros among the weights of convolutions and linear layers, 0..1; None if it shows no weights."""
    weights = [w for _, module in network.named_modules() if (w := _weight(module)) is not None]
    total = sum(w.numel() for w in weights)
    return sum(map(_zeros, weights)) / total if total else None


def is_quantized(network: nn.Module) -> bool:
    """Whether any layer computes in integers: a quantised module, a quantised tensor, or a quantised call in TorchScript."""
    import torch

    if isinstance(network, torch.jit.ScriptModule):
        return "quantized::" in str(network.inlined_graph)
    modules = any("quantized" in type(m).__module__.split(".") for m in network.modules())
    return modules or any(isinstance(v, torch.Tensor) and v.is_quantized for v in network.state_dict().values())
