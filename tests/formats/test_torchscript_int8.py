"""TorchScript files in int8, written for real and read from disk; the recipes, read from the operators in the files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.formats.calibrated import FIRST, SEEN, int8, sensitive
from tests.networks import described_file, images, network, save_script, saved, traced
from tests.real_files import load
from udacisense.errors import ExportError, RunError
from udacisense.formats.fmt_torchscript import FORMAT, LITE
from udacisense.formats.fmt_torchscript.int8 import engine
from udacisense.models.torchscript_session import NetworkSession
from udacisense.models.truncation import save_beginning
from udacisense.torchscript.load import quiet_jit
from udacisense.types import Checkpoint, Conversion, Exported, Format

pytestmark = pytest.mark.skipif(engine() is None, reason="this build of PyTorch has no quantised engine")
CONVOLUTIONS = 11
"""Of the network up to its block 3: 1 in block 0, 4 in block 1, and 3 in each of the others."""
Written = dict[str, tuple[Path, Exported]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "model.pth")


@pytest.fixture(scope="module")
def written(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A file of each recipe, of the network up to its block 3."""
    beginning = save_beginning(checkpoint, "features.3", tmp_path_factory.mktemp("beginning"))
    found = {}
    with sensitive(*FIRST):
        for recipe in FORMAT.recipes_for("int8"):
            path = tmp_path_factory.mktemp(recipe.name) / FORMAT.file_name
            found[recipe.name] = path, FORMAT.export(beginning, int8(FORMAT, recipe.name), path)
    return found


def operators(path: Path) -> Counter[str]:
    with quiet_jit():
        return Counter(str(node.kind()) for node in torch.jit.load(str(path)).inlined_graph.nodes())


def in_int8(found: Counter[str]) -> int:
    return sum(n for kind, n in found.items() if kind.startswith("quantized::conv2d"))


@pytest.mark.slow
def test_static_computes_every_layer_in_int8(written: Written) -> None:
    path, exported = written["static"]
    found = operators(path)
    assert in_int8(found) == CONVOLUTIONS
    assert found["quantized::hardswish"] == 1
    assert found["aten::_convolution"] == 0
    assert exported.recipe["calibration_images"] == [f"{i:032x}" for i in range(SEEN)]
    assert (exported.recipe["engine"], exported.recipe["blocks_in_float"]) == (engine(), [])


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["static-sensitive-float", "static-averaged"])
def test_the_sensitive_blocks_and_no_others_compute_in_float(written: Written, recipe: str) -> None:
    path, exported = written[recipe]
    found = operators(path)
    assert (in_int8(found), found["aten::_convolution"] + found["aten::conv2d"]) == (6, 5)
    assert found["quantized::hardswish"] == 0  # it stands in block 0
    assert exported.recipe["blocks_in_float"] == list(FIRST)


@pytest.mark.slow
def test_the_averaged_recipe_looks_at_more_images_with_another_observer(written: Written) -> None:
    options = {name: dict(written[name][1].recipe) for name in ("static-sensitive-float", "static-averaged")}
    assert int(options["static-averaged"]["images"]) > int(options["static-sensitive-float"]["images"])  # type: ignore[call-overload]
    files = {name: written[name][0].read_bytes() for name in options}
    assert files["static-averaged"] != files["static-sensitive-float"]


@pytest.mark.slow
@pytest.mark.parametrize("fmt", [FORMAT, LITE], ids=["standard", "lite"])
def test_the_whole_network_in_int8_is_small_and_answers_nearly_as_it_did(
    fmt: Format, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / fmt.file_name
    with sensitive(*FIRST):
        fmt.export(checkpoint, int8(fmt, "static-sensitive-float"), path)
    assert path.stat().st_size < 2.0e6
    expected = NetworkSession(network(), 1).predict(images(2))
    session = load(fmt, path, 1)
    found = session.predict(images(2))
    assert 0 < np.abs(found - expected).max() / np.ptp(expected) < 0.25
    np.testing.assert_array_equal(session.predict(images(2)[1:])[0], found[1])  # an image's neighbours change nothing


@pytest.mark.slow
def test_dynamic_makes_only_the_classifier_int8(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / FORMAT.file_name
    exported = FORMAT.export(checkpoint, int8(FORMAT, "dynamic"), path)
    found = operators(path)
    assert (found["quantized::linear_dynamic"], in_int8(found)) == (2, 0)
    assert exported.recipe["calibration_images"] == []
    assert path.stat().st_size < 4.5e6


@pytest.mark.slow
def test_labels_and_preprocessing_travel_in_the_file(written: Written, checkpoint: Checkpoint) -> None:
    extra: dict[str, Any] = {"labels.txt": "", "preprocessing.json": ""}
    with quiet_jit():
        torch.jit.load(str(written["static"][0]), _extra_files=extra)
    assert extra["labels.txt"].decode().split() == list(checkpoint.classes)
    assert json.loads(extra["preprocessing.json"])["mean"] == list(checkpoint.mean)


@pytest.mark.slow
def test_a_file_that_was_cut_off_is_one_message(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "cut.ptl"
    path.write_bytes(written["static"][0].read_bytes()[:-2000])
    with pytest.raises(RunError, match=r"cut\.ptl is no TorchScript file that this runtime can load: .*Convert it again"):
        load(FORMAT, path, 1)


def test_a_build_without_a_quantised_engine_says_so(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udacisense.formats.fmt_torchscript.int8.engine", lambda: None)
    with pytest.raises(ExportError, match=r"no quantised engine\. Use another build, or write the file in fp32"):
        FORMAT.export(checkpoint, int8(FORMAT, "static"), tmp_path / "out")


def test_a_torchscript_checkpoint_cannot_be_quantised(tmp_path: Path) -> None:
    with quiet_jit():
        checkpoint = described_file(save_script(traced(), tmp_path / "model.pt"))
    with pytest.raises(ExportError, match=r"model\.pt is TorchScript and cannot be quantised"):
        FORMAT.export(checkpoint, int8(FORMAT, "static"), tmp_path / "out")


@pytest.mark.usefixtures("bound")
def test_it_runs_on_as_many_threads_as_were_asked_for(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / FORMAT.file_name
    FORMAT.export(checkpoint, Conversion("fp32"), path)
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            load(FORMAT, path, threads).predict(images(1))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
