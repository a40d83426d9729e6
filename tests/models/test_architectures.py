"""Architectures: weights of other people's networks become those networks, by name; nothing is guessed and no code is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from tests.networks import images, network, save_script, traced
from udacisense import verbs
from udacisense.errors import CheckpointError, ExportError
from udacisense.models import architectures
from udacisense.models.architectures import can, check_can, network_of, parted
from udacisense.models.checkpoint import BASELINE, described_as, licence_of, read_checkpoint
from udacisense.models.float_blocks import SENSITIVE, blocks_in_float
from udacisense.models.loading import load_network, proposals
from udacisense.models.network import MobileNetV3_Household
from udacisense.models.truncation import block_values, save_beginning
from udacisense.settings import PROJECT
from udacisense.types import HOUSEHOLD, Checkpoint, ConversionRecipe, ModelSpec, Preprocessing
from udacisense.vision import torchvision

SEVEN = tuple("abcdefg")
SMALL = Preprocessing((64, 64), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def saved(weights: Mapping[str, Tensor], path: Path) -> Path:
    torch.save(dict(weights), path)
    return path


def of(architecture: str, classes: tuple[str, ...] = SEVEN) -> nn.Module:
    torch.manual_seed(0)
    return network_of("x", ModelSpec(architecture, classes, SMALL), {})[0].eval()


def told(path: Path, architecture: str, classes: tuple[str, ...] = SEVEN) -> Checkpoint:
    return described_as(read_checkpoint(path), ModelSpec(architecture, classes, SMALL))


PREFIXES = ["", "module.", "_orig_mod.module.", "module._orig_mod.", "model.", "net.", "backbone."]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("architecture", ["torchvision:resnet18", "torchvision:mobilenet_v2", "efficientnet_lite:0"])
def test_the_network_answers_as_it_did_where_it_was_saved(architecture: str, prefix: str, tmp_path: Path) -> None:
    theirs = of(architecture)
    path = saved({f"{prefix}{k}": v for k, v in theirs.state_dict().items()}, tmp_path / "m.pth")
    ours, seen = load_network(told(path, architecture)), torch.from_numpy(images())[:, :, :64, :64]
    with torch.no_grad():
        torch.testing.assert_close(ours(seen), theirs(seen))


def test_a_lightning_checkpoint_is_read_by_its_state_dict(tmp_path: Path) -> None:
    theirs = of("torchvision:shufflenet_v2_x0_5")
    weights = {f"model.{k}": v for k, v in theirs.state_dict().items()}
    path = tmp_path / "last.pt"
    torch.save({"epoch": 3, "state_dict": weights, "optimizer_states": [{}], "pytorch-lightning_version": "2.0"}, path)
    assert load_network(told(path, "torchvision:shufflenet_v2_x0_5"))(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


@pytest.mark.parametrize("member", ["googlenet", "inception_v3"])
def test_heads_that_only_training_uses_may_be_in_the_file(member: str, tmp_path: Path) -> None:
    models = torchvision().models
    theirs = models.get_model(member, weights=None, num_classes=7, aux_logits=True, init_weights=False)
    path = saved(theirs.state_dict(), tmp_path / "m.pth")
    assert load_network(told(path, f"torchvision:{member}"))(torch.zeros(2, 3, 96, 96)).shape == (2, 7)


def test_a_transformer_is_built_for_the_input_that_was_said(tmp_path: Path) -> None:
    spec = ModelSpec("torchvision:vit_b_32", SEVEN, SMALL)
    with torch.device("meta"):
        built = network_of("x", spec, {})[0]
    assert built.state_dict()["encoder.pos_embedding"].shape == (1, 1 + 4, 768)


def test_timms_networks_load_by_timms_names(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    theirs = of("timm:mobilenetv3_small_050")
    path = saved(theirs.state_dict(), tmp_path / "t.pth")
    ours = load_network(told(path, "timm:mobilenetv3_small_050"))
    with torch.no_grad():
        torch.testing.assert_close(ours(torch.ones(1, 3, 64, 64)), theirs(torch.ones(1, 3, 64, 64)))


def test_other_classes_than_were_said_are_told(tmp_path: Path) -> None:
    path = saved(of("torchvision:resnet18").state_dict(), tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match=r"answers 7 classes, and it is said to tell 3 apart \(a, b, c\)"):
        load_network(told(path, "torchvision:resnet18", SEVEN[:3]))


def test_weights_of_another_network_are_told(tmp_path: Path) -> None:
    path = saved(of("torchvision:resnet18").state_dict(), tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match=r"not a torchvision:resnet34: it lacks layer1\.2"):
        load_network(told(path, "torchvision:resnet34"))


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("torchvision:resnet19", "no architecture 'torchvision:resnet19'. Did you mean torchvision:resnet18"),
        ("keras:vgg16", "no architecture 'keras'. Known: mobilenet_v3_small, torchvision:NAME"),
        ("python:os.path:join", "no architecture 'python'"),
        ("timm:hf_hub:somebody/model", "no architecture 'timm:hf_hub:somebody/model'"),
        ("torchvision:maxvit_t", "cannot be built for 7 classes and images of 64x64"),
    ],
)
def test_what_is_not_known_is_refused(architecture: str, message: str, tmp_path: Path) -> None:
    if architecture.startswith("timm"):
        pytest.importorskip("timm")
    with pytest.raises(CheckpointError) as caught:
        load_network(
            told(saved({"a.weight": torch.ones(7, 2), "b.weight": torch.ones(2, 2)}, tmp_path / "m.pth"), architecture)
        )
    assert message in str(caught.value)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(CheckpointError, match=r"timm is not installed.*requirements-timm\.txt"):
        of("timm:resnet18")


@pytest.mark.parametrize("architecture", ["torchvision:resnet18", "efficientnet_lite:1", HOUSEHOLD.architecture])
def test_what_fits_is_proposed_and_not_taken(architecture: str, tmp_path: Path) -> None:
    theirs = network() if architecture == HOUSEHOLD.architecture else of(architecture, tuple(map(str, range(10))))
    bare = read_checkpoint(saved(theirs.state_dict(), tmp_path / "m.pth"))
    assert not bare.described
    assert proposals(bare, 10)[0] == architecture
    with pytest.raises(CheckpointError, match="not described yet"):
        load_network(bare)


def test_add_names_what_fits_and_describes_what_was_said(tmp_path: Path) -> None:
    path = saved(of("torchvision:mobilenet_v2").state_dict(), tmp_path / "m.pth")
    said = {"classes": ",".join(SEVEN), "input": "64", "mean": "0.5", "std": "0.5"}
    with pytest.raises(CheckpointError, match=r"fit torchvision:mobilenet_v2: say which with --architecture"):
        verbs.add(path, **said)
    with pytest.raises(CheckpointError, match=r"without --input, --mean, --std: nothing is guessed"):
        verbs.add(path, "a,b", architecture="torchvision:mobilenet_v2")
    made = verbs.add(path, **said, architecture="torchvision:mobilenet_v2")
    assert made == read_checkpoint(path)
    assert made.spec == ModelSpec("torchvision:mobilenet_v2", SEVEN, SMALL)
    assert made.parameters == sum(p.numel() for p in of("torchvision:mobilenet_v2").parameters())


def test_the_courses_network_is_described_by_one_word(tmp_path: Path) -> None:
    path = saved(network().state_dict(), tmp_path / "theirs.pth")
    assert verbs.add(path, architecture="household").spec == HOUSEHOLD


def test_a_household_network_of_other_classes_keeps_what_was_said_of_it(tmp_path: Path) -> None:
    path = saved(MobileNetV3_Household(num_classes=7).state_dict(), tmp_path / "theirs.pth")
    with pytest.raises(CheckpointError, match="without --input, --mean, --std"):
        verbs.add(path, ",".join(SEVEN), architecture="household")
    made = verbs.add(path, ",".join(SEVEN), "64", "0.5", "0.5", architecture="household")
    assert made.spec == ModelSpec(HOUSEHOLD.architecture, SEVEN, SMALL)


def test_a_torchscript_file_is_no_household_network(tmp_path: Path) -> None:
    path = save_script(traced(), tmp_path / "theirs.pt")
    with pytest.raises(CheckpointError, match="without --classes"):
        verbs.add(path, architecture="household")


def test_our_licence_is_claimed_of_weights_alone_whose_training_is_recorded(tmp_path: Path) -> None:
    theirs = verbs.add(saved(network().state_dict(), tmp_path / "theirs.pth"), architecture="household")
    assert (theirs.ours, licence_of(theirs)) == (True, None)
    assert licence_of(read_checkpoint(PROJECT / "models" / BASELINE)) == "Apache-2.0"


def test_what_takes_the_household_network_apart_refuses_another(tmp_path: Path) -> None:
    other = told(saved(of("efficientnet_lite:0").state_dict(), tmp_path / "m.pth"), "efficientnet_lite:0")
    with pytest.raises(CheckpointError, match=r"Looking along the network takes .* This one is efficientnet_lite:0"):
        block_values(other, images()[:, :, :64, :64])


def test_a_truncated_network_still_names_its_whole(tmp_path: Path) -> None:
    path = saved(network().state_dict(), tmp_path / "m.pth")
    start = save_beginning(described_as(read_checkpoint(path), HOUSEHOLD), "features.2", tmp_path)
    assert parted(start.architecture) == ("mobilenet_v3_small", "")
    assert start.architecture.endswith("@features.2")


def test_training_and_compression_say_which_architectures_they_take() -> None:
    assert can("mobilenet_v3_small@features.2", "prune")
    assert not can("torchvision:resnet18", "prune")
    assert not can("x", "train")
    check_can(HOUSEHOLD.architecture, "prune", "Channel pruning")
    with pytest.raises(
        CheckpointError, match=r"Channel pruning takes these architectures: mobilenet_v3_small\. This one is timm:x"
    ):
        check_can("timm:x", "prune", "Channel pruning")


def test_every_classification_model_of_torchvision_is_known() -> None:
    models = torchvision().models
    assert set(architectures.ARCHITECTURES["torchvision"].members()) == set(models.list_models(module=models))


def test_a_recipe_that_compares_blocks_of_the_household_network_says_why_it_is_not_for_another(tmp_path: Path) -> None:
    path = saved(of("torchvision:resnet18").state_dict(), tmp_path / "m.pth")
    recipe = ConversionRecipe("static-sensitive-float", "", {"float": [SENSITIVE]}, calibrated=True)
    with pytest.raises(ExportError, match=r"blocks of mobilenet_v3_small .* this network is torchvision:resnet18"):
        blocks_in_float(told(path, "torchvision:resnet18"), SimpleNamespace(recipe=recipe))  # type: ignore[arg-type]
