"""Channels really go: parameters, work and file shrink, and what is left answers as the network without them did."""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.compression.tiny import step, work
from tests.networks import images, network
from udacisense.compression.apply import apply
from udacisense.compression.prune_channels import remove_channels
from udacisense.errors import CompressionError
from udacisense.models.pruned_widths import channel_makers, widths
from udacisense.models.summary import describe


def logits(found: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return found.eval()(torch.from_numpy(images()))


def without(part: str, share: float) -> tuple[nn.Module, nn.Module]:
    """The network with a part's channels removed, and the whole one in which nobody reads those channels."""
    pruned, silenced = network(), network()
    remove_channels(pruned, part, share, importance="magnitude", multiple=1)
    whole, modules = dict(silenced.model.named_modules()), dict(pruned.model.named_modules())
    for name, maker in channel_makers(silenced)[part].items():
        place = next(n for n, m in whole.items() if m is maker)
        kept = rows_left(maker.weight, modules[place].weight, part)
        for reader in readers(part, name, place, whole):
            gone = sorted(set(range(len(maker.weight))) - set(kept))
            reader.weight.data[:, gone] = 0
    return pruned, silenced


def rows_left(before: torch.Tensor, after: torch.Tensor, part: str) -> list[int]:
    """Which rows of a weight are still there, by the values that nothing else has changed."""
    before, after = before.flatten(1), after.flatten(1)
    assert before.shape[1] == after.shape[1], f"more than the rows of {part} changed"
    return [int((before == row).all(1).nonzero()[0]) for row in after]


def readers(part: str, name: str, place: str, whole: dict[str, Any]) -> list[Any]:
    if part == "hidden":
        return [whole["classifier.3"]]
    if part == "last":
        return [whole["classifier.0"]]
    if part == "squeeze":
        return [whole[place.replace("fc1", "fc2")]]
    block = whole[name].block
    return [block[-1][0], *(inner.fc1 for inner in block if not isinstance(inner, nn.Sequential))]


@pytest.mark.parametrize("part", ["hidden", "last", "expansion", "squeeze"])
def test_the_answers_are_those_of_a_network_that_ignores_the_channels(part: str) -> None:
    pruned, silenced = without(part, 0.4)
    assert not torch.allclose(logits(silenced), logits(network()), atol=1e-3)
    torch.testing.assert_close(logits(pruned), logits(silenced), atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("across_blocks", [True, False])
@pytest.mark.parametrize("importance", ["taylor", "magnitude"])
def test_channels_are_really_gone(tmp_path: Path, importance: str, across_blocks: bool) -> None:
    asked = step(
        "prune-channels",
        hidden=0.5,
        last=0.25,
        expansion=0.3,
        squeeze=0.25,
        trunk=0.1,
        importance=importance,
        across_blocks=across_blocks,
        images=8,
        input_px=32,
    )
    given = network()
    before, weights = describe(given, 0), deepcopy(given.state_dict())
    outcome = apply(asked, given, work(tmp_path))
    after = describe(outcome.network, 0)
    assert (after.parameters or 0) < 0.8 * (before.parameters or 0)
    assert (after.macs or 0) < (before.macs or 0)
    assert all(torch.equal(v, weights[k]) for k, v in given.state_dict().items()), "the network given was changed"
    left = widths(outcome.network)
    assert outcome.notes["widths_after"] == left
    assert outcome.notes["widths_before"] == widths(given)
    assert left["hidden"] == {"classifier.0": 512}
    assert left["last"] == {"features.12": 432}
    assert all(w % 8 == 0 for part in left.values() for w in part.values())
    assert bool(torch.isfinite(logits(outcome.network)).all())


def test_the_file_shrinks_with_the_channels(tmp_path: Path) -> None:
    outcome = apply(step("prune-channels", hidden=0.75, importance="magnitude"), network(), work(tmp_path))
    torch.save(network().state_dict(), tmp_path / "whole.pth")
    torch.save(outcome.network.state_dict(), tmp_path / "slim.pth")
    saved = (tmp_path / "whole.pth").stat().st_size - (tmp_path / "slim.pth").stat().st_size
    assert saved == pytest.approx(768 * (576 + 1 + 10) * 4, rel=0.01)


@pytest.mark.parametrize("across_blocks", [True, False])
def test_every_layer_keeps_a_channel_however_much_goes(tmp_path: Path, across_blocks: bool) -> None:
    asked = step("prune-channels", expansion=0.97, hidden=0.99, importance="magnitude", across_blocks=across_blocks)
    outcome = apply(asked, network(), work(tmp_path))
    assert min(w for part in outcome.notes["widths_after"].values() for w in part.values()) >= 8
    assert logits(outcome.network).shape == (2, 10)


def test_channels_that_matter_to_the_loss_stay(tmp_path: Path) -> None:
    """Hidden units that the head does not read are the first to go, however large their own weights."""
    given = network()
    given.model.classifier[3].weight.data[:, :300] = 0
    given.model.classifier[0].weight.data[:300] *= 10
    outcome = apply(step("prune-channels", hidden=296 / 1024, images=8, input_px=32), given, work(tmp_path))
    torch.testing.assert_close(logits(outcome.network), logits(given), atol=1e-4, rtol=1e-4)


def test_fine_tuning_follows_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    asked = step("prune-channels", hidden=0.5, importance="magnitude", finetune=True)
    first = apply(asked, network(), work(tmp_path / "a"))
    assert [c["epoch"] for c in first.notes["curves"]] == [1, 2]
    again = apply(asked, network(), work(tmp_path / "a"))  # every epoch is in the saved state
    assert torch.equal(logits(first.network), logits(again.network))
    assert not torch.equal(
        logits(first.network), logits(apply(step("prune-channels", hidden=0.5), network(), work(tmp_path)).network)
    )


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(CompressionError, match=r"needs torch-pruning.*extra train"):
        remove_channels(network(), "expansion", 0.5, importance="magnitude", multiple=1)
