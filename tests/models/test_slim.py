"""A file with fewer channels, or with folded batch norms, is the same network: it loads, and everything downstream works."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks import TRAINED, described_file, images, network
from udacisense.compression.fold_batch_norm import fold
from udacisense.compression.prune_channels import remove_channels
from udacisense.errors import CheckpointError
from udacisense.models.loading import load_network
from udacisense.models.network import MobileNetV3_Household
from udacisense.models.pruned_widths import channel_makers, slim_network, widths
from udacisense.models.sensitivity import noise_of_blocks
from udacisense.models.summary import describe, summarise
from udacisense.models.truncation import block_values, save_beginning
from udacisense.models.writing import save_checkpoint
from udacisense.notebook import load_model
from udacisense.types import Checkpoint
from udacisense.verify.localise import is_step

SHARES = {"hidden": 0.5, "last": 0.25, "expansion": 0.3, "squeeze": 0.5, "trunk": 0.2}


@pytest.fixture(scope="module")
def slim() -> MobileNetV3_Household:
    found = network()
    for part, share in SHARES.items():
        remove_channels(found, part, share, importance="magnitude", multiple=1)
    return found


@pytest.fixture(scope="module")
def folded(slim: MobileNetV3_Household) -> torch.nn.Module:
    return fold(slim)


def save(found: torch.nn.Module, path: Path) -> Checkpoint:
    return save_checkpoint(found, path, technique="slim", parent_id=None, trained_hashes=TRAINED, training={})


def logits(found: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return found(torch.from_numpy(images()))


def test_a_slim_file_loads_with_the_same_answers(tmp_path: Path, slim: MobileNetV3_Household) -> None:
    loaded = load_network(save(slim, tmp_path / "slim.pth"))
    assert widths(loaded) == widths(slim) != widths(network())
    assert torch.equal(logits(loaded), logits(slim))
    assert not loaded.training
    assert torch.equal(logits(load_model(tmp_path / "slim.pth")), logits(slim))


def test_a_folded_file_loads_with_the_same_answers(tmp_path: Path, folded: torch.nn.Module) -> None:
    loaded = load_network(save(folded, tmp_path / "folded.pth"))
    assert not [m for m in loaded.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert torch.equal(logits(loaded), logits(folded))


def test_a_file_may_be_folded_in_part(tmp_path: Path) -> None:
    half = network()
    stem = half.model.features[0]
    stem[0], stem[1] = torch.nn.utils.fusion.fuse_conv_bn_eval(stem[0], stem[1]), torch.nn.Identity()
    loaded = load_network(save(half, tmp_path / "half.pth"))
    assert torch.allclose(logits(loaded), logits(network()), atol=1e-3)


def test_the_summary_counts_what_is_left(tmp_path: Path, slim: MobileNetV3_Household) -> None:
    checkpoint, whole = save(slim, tmp_path / "slim.pth"), describe(network(), 0)
    card, again = summarise(checkpoint), describe(load_network(checkpoint), checkpoint.size_bytes)
    assert card == again
    assert checkpoint.parameters == again.parameters == sum(p.numel() for p in slim.parameters())
    assert again.parameters < 0.7 * (whole.parameters or 0)
    assert (again.macs or 0) < 0.7 * (whole.macs or 0)


def test_a_slim_network_can_be_taken_apart(tmp_path: Path, slim: MobileNetV3_Household) -> None:
    checkpoint = save(slim, tmp_path / "slim.pth")
    values = block_values(checkpoint, images())
    assert values["avgpool"].shape == (2, 432, 1, 1)
    beginning = save_beginning(checkpoint, "features.4", tmp_path)
    with torch.no_grad():
        start = load_network(beginning)(torch.from_numpy(images()))
    torch.testing.assert_close(start, torch.from_numpy(values["features.4"]).flatten(1))
    blocks = [name for name in values if not is_step(name)]
    assert len(blocks) == len(noise_of_blocks(slim, images(1))) + 1  # average pooling has no weights to round


def test_a_folded_network_can_be_taken_apart(tmp_path: Path, folded: torch.nn.Module) -> None:
    checkpoint = save(folded, tmp_path / "folded.pth")
    values = block_values(checkpoint, images())
    with torch.no_grad():
        start = load_network(save_beginning(checkpoint, "features.1", tmp_path))(torch.from_numpy(images()))
    torch.testing.assert_close(start, torch.from_numpy(values["features.1"]).flatten(1))
    assert set(noise_of_blocks(folded, images(1))) == set(noise_of_blocks(network(), images(1)))


@given(st.data())
@settings(max_examples=15)
def test_any_widths_up_to_the_standard_ones_are_read_back(data: st.DataObject) -> None:
    whole, wanted = network(), {}
    for part, layers in channel_makers(whole).items():
        for name, layer in layers.items():
            wanted[part, name] = data.draw(st.integers(1, layer.weight.shape[0]), label=f"{part} {name}")
    keys = {id(layer): f"{name}.weight" for name, layer in whole.named_modules()}
    asked = {
        keys[id(layer)]: torch.zeros(wanted[part, name], 1, 1, 1)
        for part, layers in channel_makers(whole).items()
        for name, layer in layers.items()
    }
    found = slim_network(asked).eval()
    for (part, name), width in wanted.items():
        summed = part == "trunk" and name in (
            "features.3",
            "features.5",
            "features.6",
            "features.8",
            "features.10",
            "features.11",
        )
        assert summed or widths(found)[part][name] == width
    assert {k: v.shape for k, v in slim_network(found.state_dict()).state_dict().items()} == {
        k: v.shape for k, v in found.state_dict().items()
    }
    with torch.no_grad():
        assert found.model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


@pytest.mark.parametrize(
    ("key", "shape", "told"),
    [
        pytest.param("model.classifier.3.weight", (10, 500), r"\(10, 500\) instead of \(10, 512\)", id="head"),
        pytest.param("model.features.4.block.1.0.weight", (5, 1, 5, 5), r"\(5, 1, 5, 5\) instead of", id="depthwise"),
        pytest.param("model.features.3.block.2.0.weight", (9, 62, 1, 1), r"\(9, 62, 1, 1\) instead of", id="residual"),
        pytest.param("model.classifier.0.weight", (2048, 432), r"\(2048, 432\) instead of", id="wider than the network"),
        pytest.param("model.features.12.0.weight", (0, 77, 1, 1), r"\(0, 77, 1, 1\) instead of", id="nothing"),
        pytest.param("model.features.0.0.weight", (13, 3, 7, 7), r"\(13, 3, 7, 7\) instead of", id="kernel"),
        pytest.param("model.features.1.block.1.fc1.weight", (4,), r"\(4,\) instead of", id="dimensions"),
    ],
)
def test_a_slim_file_that_contradicts_itself_is_refused(
    tmp_path: Path, slim: MobileNetV3_Household, key: str, shape: tuple[int, ...], told: str
) -> None:
    torch.save({**slim.state_dict(), key: torch.zeros(shape)}, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match=f"not a MobileNetV3_Household: it has other shapes.*{told}"):
        load_network(described_file(tmp_path / "model.pth"))


def test_a_folded_layer_without_its_bias_is_refused(tmp_path: Path, folded: torch.nn.Module) -> None:
    weights = folded.state_dict()
    del weights["model.features.5.block.0.0.bias"]
    torch.save(weights, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match=r"lacks model\.features\.5\.block\.0\.1\.bias"):
        load_network(described_file(tmp_path / "model.pth"))
