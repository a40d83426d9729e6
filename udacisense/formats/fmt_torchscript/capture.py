"""A network as TorchScript: captured, then made faster; every step is kept only if its answer is still the network's.

A trace of bilinear resizing under `optimize_for_mobile` has been seen to answer wrongly, so nothing is taken on trust.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SAME_ANSWER = 1e-3
"""Largest logit difference from the network that a step may make; float rounding stays below 1e-4."""


def capture(network: Any, probe: Any) -> tuple[Any, str, str | None]:
    """The network as TorchScript, how it was captured, and why it was not traced."""
    import torch

    if isinstance(network, torch.jit.ScriptModule):
        return network, "none", "The checkpoint is TorchScript already, so it was taken as it is."
    try:
        traced = torch.jit.trace(network, probe[:1])  # type: ignore[no-untyped-call]
        if _difference(traced, network, probe) <= SAME_ANSWER:
            return traced, "trace", None
        why = "its trace answers otherwise than the network"
    except Exception as exc:  # whatever a network's Python may raise while it is traced
        why = f"tracing failed ({_first_line(exc)})"
    scripted = torch.jit.script(network)
    return scripted, "script", f"The network was scripted, because {why}. Verify the file on real images."


def optimise(captured: Any, network: Any, probe: Any) -> tuple[Any, str, str | None]:
    """The captured module made faster, by what, and why not by something better."""
    import torch
    from torch.utils.mobile_optimizer import optimize_for_mobile

    reasons: list[str] = []
    steps: dict[str, Callable[[Any], Any]] = {"optimize_for_mobile": optimize_for_mobile, "freeze": torch.jit.freeze}
    for name, step in steps.items():
        try:
            module = step(captured)
            difference = _difference(module, network, probe)
        except Exception as exc:
            reasons.append(f"{name} failed ({_first_line(exc)})")
            continue
        if difference <= SAME_ANSWER:
            return module, name, _instead(name, reasons)
        reasons.append(f"{name} changed the answers by up to {difference:.2g}")
    return captured, "none", _instead("no optimiser", reasons)


def _instead(used: str, reasons: list[str]) -> str | None:
    if not reasons:
        return None
    advice = " A build of PyTorch with XNNPACK can do it." if "XNNPACK" in reasons[0] else ""
    return f"{used[0].upper()}{used[1:]} was used, because {'; '.join(reasons)}.{advice}"


def _difference(module: Any, network: Any, probe: Any) -> float:
    """Largest absolute logit difference of two modules on the probe."""
    import torch

    with torch.no_grad():
        difference: float = (module(probe) - network(probe)).abs().max().item()
    return difference


def _first_line(exc: Exception) -> str:
    """What a torch error says, without the assertion around it and without the stack below it."""
    text = str(exc).split("please report a bug to PyTorch.")[-1].strip()
    return (text.splitlines() or [type(exc).__name__])[0].rstrip(".")[:160]
