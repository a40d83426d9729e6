"""Knowledge distillation into a slimmer student. Source: Hinton, Vinyals and Dean, "Distilling the Knowledge", 2015."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import nn

from udacisense.compression.prune_channels import remove_channels
from udacisense.compression.step import Distil
from udacisense.compression.work import Outcome, Work, fine_tune
from udacisense.errors import CompressionError
from udacisense.models.pruned_widths import widths


def apply(step: Distil, network: nn.Module, work: Work) -> Outcome:
    """A student of the widths asked for, trained by labels and teacher.

    Raises:
        CompressionError: there is no teacher, or the student would be wider than the network.
    """
    if work.teacher is None and work.train.teacher is None:
        raise CompressionError(
            f"Step {step.name!r} distils, but no teacher was given. Name one, or use the technique finetune."
        )
    student = slimmer(step, network)
    if step.initial == "random":
        _forget(student, work.seed)
    curves = fine_tune(student, step.finetune, work)
    notes = {"widths_before": widths(network), "widths_after": widths(student), "curves": curves}
    return Outcome(student.cpu(), notes=notes)


def slimmer(step: Distil, network: nn.Module) -> nn.Module:
    """A network of the student's widths that has the largest channels of the one given.

    Raises:
        CompressionError: the student would be wider than the network.
    """
    student = deepcopy(network).eval()
    now = widths(student)
    shares = {
        "hidden": 1 - step.hidden / now["hidden"]["classifier.0"],
        "last": 1 - step.last / next(iter(now["last"].values())),
        "expansion": 1 - step.width,
        "squeeze": 1 - step.width,
        "trunk": 1 - step.width,
    }
    wider = [name for name in ("hidden", "last") if shares[name] < 0]
    if wider:
        raise CompressionError(
            f"Step {step.name!r} wants {wider[0]} = {getattr(step, wider[0])}, but the network has only "
            f"{next(iter(now[wider[0]].values()))}. A student is slimmer than its teacher: ask for less."
        )
    slim = {part: share for part, share in shares.items() if share > 0}
    for part, share in slim.items():
        remove_channels(student, part, share, importance="magnitude", multiple=step.multiple)
    return student


def _forget(student: nn.Module, seed: int) -> None:
    """Weights of a network that has not learnt anything."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for module in student.modules():
            again: Any = getattr(module, "reset_parameters", None)
            if again is not None:
                again()
