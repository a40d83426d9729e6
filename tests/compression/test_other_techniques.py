"""Folding, dynamic quantisation, distillation and the control."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.compression.tiny import FINETUNE, samples, step, work
from tests.networks import described_file, images, network, save_script
from udacisense.compression.apply import apply
from udacisense.errors import CompressionError
from udacisense.models.checkpoint import read_checkpoint
from udacisense.models.loading import load_network
from udacisense.models.pruned_widths import widths
from udacisense.models.summary import describe, summarise
from udacisense.training.augment import normalise, resize

TAUGHT = {**FINETUNE, "distil": 0.7}


def logits(found: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return found.eval()(torch.from_numpy(images()))


def test_folding_leaves_the_answers_and_takes_the_batch_norms(tmp_path: Path) -> None:
    outcome = apply(step("fold-batch-norm"), network(), work(tmp_path))
    assert (logits(outcome.network) - logits(network())).abs().max() < 1e-4 * logits(network()).abs().max()
    before, after = describe(network(), 0), describe(outcome.network, 0)
    assert outcome.notes["folded"] == 34
    assert after.macs == before.macs
    assert (after.parameters or 0) < (before.parameters or 0)
    assert not any(layer.kind == "BatchNorm2d" for layer in after.layers)


@pytest.mark.slow
def test_a_dynamically_quantised_network_loads_and_answers_nearly_alike(tmp_path: Path) -> None:
    outcome = apply(step("quantise-dynamic"), network(), work(tmp_path))
    assert outcome.kind == "torchscript"
    path = save_script(outcome.network, tmp_path / "dynamic.pt")  # type: ignore[arg-type]
    loaded = load_network(described_file(path))
    assert summarise(read_checkpoint(path)).is_quantized
    off = (logits(loaded) - logits(network())).abs().max() / logits(network()).abs().max()
    assert 0 < off < 0.05
    torch.save(network().state_dict(), tmp_path / "float.pth")
    assert path.stat().st_size < 0.8 * (tmp_path / "float.pth").stat().st_size


def test_a_slim_network_can_be_quantised_dynamically(tmp_path: Path) -> None:
    slim = apply(step("prune-channels", hidden=0.5, importance="magnitude"), network(), work(tmp_path)).network
    outcome = apply(step("quantise-dynamic"), slim, work(tmp_path))
    assert (logits(outcome.network) - logits(slim)).abs().max() < 0.05 * logits(slim).abs().max()


@pytest.mark.parametrize("initial", ["largest-channels", "random"])
def test_a_student_has_the_widths_asked_for(tmp_path: Path, initial: str) -> None:
    asked = step("distil", width=0.5, last=288, hidden=256, initial=initial, finetune=TAUGHT)
    outcome = apply(asked, network(), work(tmp_path))
    left = widths(outcome.network)
    assert left["hidden"] == {"classifier.0": 256}
    assert left["last"] == {"features.12": 288}
    assert left["trunk"]["features.11"] == 48
    assert left["expansion"]["features.5"] == 120
    assert outcome.notes["curves"]


def test_a_students_first_weights_are_the_networks_or_new(tmp_path: Path) -> None:
    still = {**TAUGHT, "lr": 1e-12, "weight_decay": 0.0}
    rows = {
        initial: apply(step("distil", hidden=512, initial=initial, finetune=still), network(), work(tmp_path / initial)).network
        for initial in ("largest-channels", "random")
    }
    stems = {k: v.model.features[0][0].weight for k, v in rows.items()}  # type: ignore[union-attr, index]
    torch.testing.assert_close(stems["largest-channels"], network().model.features[0][0].weight)
    assert not torch.allclose(stems["random"], network().model.features[0][0].weight, atol=1e-2)


def test_the_student_is_taught_by_the_starting_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the pruned network that the step begins with, and not by the teacher of an earlier recipe."""
    taught: list[torch.Tensor | None] = []
    monkeypatch.setattr(
        "udacisense.compression.work.fit_stage", lambda _net, _stage, train, *_a, **_k: taught.append(train.teacher) or []
    )
    start = network()
    start.model.classifier[3].weight.data.neg_()
    own = replace(samples(), teacher=torch.zeros(32, 10))
    apply(step("distil", hidden=512, finetune=TAUGHT), network(), work(tmp_path, teacher=start, train=own))
    apply(step("distil", hidden=512, finetune=TAUGHT), network(), work(tmp_path, teacher=None, train=own))
    with torch.no_grad():
        expected = start.model(normalise(resize(samples().pixels, 32)))
    torch.testing.assert_close(taught[0], expected)
    assert torch.equal(taught[1], own.teacher)  # type: ignore[arg-type]


def test_a_student_without_a_teacher_is_refused(tmp_path: Path) -> None:
    asked = step("distil", hidden=512, finetune=TAUGHT)
    with pytest.raises(CompressionError, match="no teacher was given"):
        apply(asked, network(), work(tmp_path, teacher=None))


def test_a_student_wider_than_the_network_is_refused(tmp_path: Path) -> None:
    slim = apply(step("prune-channels", hidden=0.5, importance="magnitude"), network(), work(tmp_path)).network
    with pytest.raises(CompressionError, match="wants hidden = 1024, but the network has only 512"):
        apply(step("distil", width=0.5, finetune=TAUGHT), slim, work(tmp_path))


def test_the_control_trains_and_keeps_every_width(tmp_path: Path) -> None:
    given = network()
    outcome = apply(step("finetune", finetune=True), given, work(tmp_path))
    assert widths(outcome.network) == widths(given)
    assert not torch.equal(logits(outcome.network), logits(given))
    assert torch.equal(logits(given), logits(network()))
    assert [np.isfinite(c["train_loss"]) for c in outcome.notes["curves"]] == [True, True]
