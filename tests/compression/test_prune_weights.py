"""As many zeros as asked for, the smallest weights first, and they stay zero."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.compression.tiny import FINETUNE, step, work
from tests.networks import network
from udacisense.compression.apply import apply
from udacisense.compression.prune_weights import cubic, prunable
from udacisense.models.summary import describe, sparsity


def all_weights(found: nn.Module) -> torch.Tensor:
    return torch.cat([layer.weight.detach().flatten() for layer in prunable(found).values()])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.93])
def test_one_shot_takes_the_smallest_weights_to_within_one(tmp_path: Path, share: float) -> None:
    before = all_weights(network())
    after = all_weights(apply(step("prune-weights", sparsity=share), network(), work(tmp_path)).network)
    gone = after == 0
    assert abs(int(gone.sum()) - share * len(before)) <= 1
    assert before[gone].abs().max() <= before[~gone].abs().min()
    assert torch.equal(after[~gone], before[~gone])


@pytest.mark.parametrize("schedule", ["one-shot", "gradual"])
def test_the_zeros_survive_fine_tuning_and_the_averaging(tmp_path: Path, schedule: str) -> None:
    asked = step("prune-weights", sparsity=0.6, schedule=schedule, rounds=3, finetune={**FINETUNE, "ema_decay": 0.9})
    outcome = apply(asked, network(), work(tmp_path))
    total = len(all_weights(outcome.network))
    assert abs(int((all_weights(outcome.network) == 0).sum()) - 0.6 * total) <= 1
    assert outcome.network.state_dict().keys() == network().state_dict().keys()
    assert outcome.notes["sparsity"].keys() == prunable(network()).keys()
    assert outcome.notes["sparsity_total"] == pytest.approx(0.6, abs=1e-6)
    assert sparsity(outcome.network) == pytest.approx(0.6, abs=1e-6)
    assert describe(outcome.network, 0).parameters == 1_528_106


def test_weights_that_are_left_are_trained(tmp_path: Path) -> None:
    trained = apply(step("prune-weights", sparsity=0.5, finetune=True), network(), work(tmp_path)).network
    assert not torch.equal(
        all_weights(trained), all_weights(apply(step("prune-weights", sparsity=0.5), network(), work(tmp_path)).network)
    )


def test_a_gradual_run_that_was_killed_ends_with_the_same_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.training import fit

    asked = step("prune-weights", sparsity=0.6, schedule="gradual", rounds=4, finetune={**FINETUNE, "epochs": 3})
    whole = all_weights(apply(asked, network(), work(tmp_path / "whole")).network)
    real, calls = fit.accuracy, []

    def die(*args: object, **kwargs: object) -> float:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)  # type: ignore[arg-type]

    given = work(tmp_path / "killed")
    watched = work(tmp_path / "killed", validation=given.train)
    monkeypatch.setattr(fit, "accuracy", die)
    with pytest.raises(KeyboardInterrupt):
        apply(asked, network(), watched)
    resumed = all_weights(apply(asked, network(), given).network)
    assert torch.equal(resumed, whole)


def test_the_cubic_schedule_rises_in_rounds_to_the_end() -> None:
    values = [cubic(done / 100, 0.8, 0.6, 5) for done in range(101)]
    assert values == sorted(values)
    assert len(set(values)) == 6  # nothing, and five rounds
    assert values[0] == 0
    assert values[11] == 0
    assert values[36] == pytest.approx(0.8 * (1 - 0.4**3))
    assert values[60:] == pytest.approx([0.8] * 41)
