"""One step applied to a network: which file does which technique."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from torch import nn

from udacisense.compression.step import Step
from udacisense.compression.work import Outcome, Work


def apply(step: Step, network: nn.Module, work: Work) -> Outcome:
    """The network after the step; the one given is left as it was.

    Args:
        network: a MobileNetV3_Household, as `load_network` gives it.

    Raises:
        CompressionError: the technique cannot work on this network.
        StoreError: a saved state cannot be read or written.
    """
    return _technique(step.technique)(step, network, work)


def _technique(name: str) -> Callable[[Any, nn.Module, Work], Outcome]:
    """Imported when asked for: each brings a library of its own."""
    module = import_module(f"udacisense.compression.{name.replace('-', '_')}")
    technique: Callable[[Any, nn.Module, Work], Outcome] = module.apply
    return technique
