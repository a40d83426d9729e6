"""LiteRT files, written for real once, read from disk by the runtime, and looked into."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.networks import images, network, saved
from udacisense.errors import ExportError, RunError
from udacisense.formats.fmt_litert import FORMAT
from udacisense.inspection.inspect_file import inspect_file
from udacisense.inspection.inspection import Inspection
from udacisense.labels import CLASSES
from udacisense.models.jit import NetworkSession
from udacisense.types import Checkpoint, Conversion, Logits, Pictures, Recipe

SEEN = 8


def calibration(n: int) -> Pictures:
    n = min(n, SEEN)
    return Pictures(images(n, seed=5), tuple(f"{i:032x}" for i in range(n)), np.arange(n, dtype=np.int64) % 10)


def asked(precision: str, name: str | None = None) -> Conversion:
    recipes = FORMAT.recipes_for(precision)  # type: ignore[arg-type]
    recipe = next(r for r in recipes if name in (None, r.name))
    return Conversion(precision, recipe, calibration if recipe.calibrated else None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "model.pth")


def write(checkpoint: Checkpoint, folder: Path, conversion: Conversion) -> tuple[Path, Inspection, Logits]:
    path = folder / FORMAT.file_name
    FORMAT.export(checkpoint, conversion, path)
    return path, inspect_file(path, "litert", conversion.precision), FORMAT.load(path, 1).predict(images(3))


def gap(logits: Logits) -> float:
    """Largest difference from the network itself, as a share of the range of its answers."""
    reference = NetworkSession(network(), 1).predict(images(3))
    return float(np.abs(logits - reference).max() / np.ptp(reference))


@pytest.mark.slow
def test_fp32_answers_as_the_network_and_says_what_it_wants(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, inside, logits = write(checkpoint, tmp_path, asked("fp32"))
    assert gap(logits) < 1e-4
    assert logits.dtype == np.float32
    assert (inside.layout, inside.inputs[0].dtype, inside.hard_swish_whole, inside.unfolded_batch_norms) == (
        "NCHW",
        "float32",
        19,
        0,
    )
    assert inside.macs == 55_496_640
    assert [f.weight for f in inside.findings] == ["note"], "that it is channels-first is all there is to say"
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().split() == list(CLASSES)
        assert b'"mean"' in archive.read("preprocessing.json")
    assert b"torch.nn.modules" not in path.read_bytes(), "the converter's long names are cut"
    again = tmp_path / "again.tflite"
    FORMAT.export(checkpoint, asked("fp32"), again)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(RunError, match="shape"):
        FORMAT.load(path, 1).predict(np.zeros((1, 3, 32, 32), np.float32))


@pytest.mark.slow
def test_fp16_halves_the_weights_alone(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, inside, logits = write(checkpoint, tmp_path, asked("fp16"))
    assert gap(logits) < 1e-2
    assert inside.weights[0].dtype == "float16"
    assert {row.computes for row in inside.operators} == {"float32"}
    assert path.stat().st_size < 3.2e6


@pytest.mark.slow
@pytest.mark.parametrize("recipe", FORMAT.recipes_for("int8"), ids=lambda r: r.name)
def test_each_int8_recipe_does_what_it_says(recipe: Recipe, checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, inside, logits = write(checkpoint, tmp_path, asked("int8", recipe.name))
    assert gap(logits) < 0.25
    assert path.stat().st_size < 1.9e6
    assert (inside.inputs[0].dtype, inside.outputs[0].dtype) == ("float32", "float32")
    assert (inside.weights[0].dtype, inside.weights[0].quantised) == ("int8", "per channel")
    assert inside.int8_share is not None
    islands = {"static-se-float": 9, "static-ends-float": 10}.get(recipe.name, 0)
    assert inside.float_islands == islands
    if recipe.name.startswith("static"):
        assert inside.int8_share > 0.8
    dynamic = [f for f in inside.findings if "quantise their activations while they run" in f.what]
    assert bool(dynamic) == (recipe.name == "dynamic")
    assert (inside.int8_share == 0) == (recipe.name == "weight-only")


@pytest.mark.slow
def test_what_it_was_calibrated_on_is_recorded(checkpoint: Checkpoint, tmp_path: Path) -> None:
    exported = FORMAT.export(checkpoint, asked("int8", "static"), tmp_path / "m.tflite")
    assert exported.recipe["calibration_images"] == [f"{i:032x}" for i in range(SEEN)]
    assert str(exported.recipe["quantizer"]).startswith("ai-edge-quantizer ")


def test_a_file_of_something_else_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"no model at all" * 100)
    with pytest.raises(RunError, match=r"LiteRT cannot load m\.tflite"):
        FORMAT.load(path, 1)


def test_a_precision_that_is_not_offered_is_refused(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udacisense.formats.fmt_litert._float_model", lambda path, sha256: b"")
    with pytest.raises(ExportError, match="fp32, fp16, int8, not palette6"):
        FORMAT.export(checkpoint, Conversion("palette6"), tmp_path / "out")
