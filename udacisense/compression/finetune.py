"""The control: training without compression."""

from __future__ import annotations

from copy import deepcopy

from torch import nn

from udacisense.compression.step import FineTune
from udacisense.compression.work import Outcome, Work, fine_tune


def apply(step: FineTune, network: nn.Module, work: Work) -> Outcome:
    """The network trained on, as every compressed one is."""
    network = deepcopy(network)
    curves = fine_tune(network, step.finetune, work)
    return Outcome(network, notes={"curves": curves})
