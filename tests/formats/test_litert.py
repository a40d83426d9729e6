"""LiteRT files, written for real once, read from disk by the runtime, and looked into."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import interpreter
from ai_edge_litert import schema_py_generated as schema

from tests.formats.litert_files import SHAPE, Row, rows, tiny, within
from tests.networks import images, network
from tests.real_files import CALIBRATED_BY, RealFiles, load
from tests.real_files import calibration as calibration_images
from udacisense.errors import ExportError, RunError
from udacisense.formats.fmt_litert import FORMAT, calibration, format, int8
from udacisense.formats.fmt_litert.packing import packed
from udacisense.inspection.inspect_file import inspect_file
from udacisense.labels import CLASSES
from udacisense.models.torchscript_session import NetworkSession
from udacisense.types import Checkpoint, Conversion, ConversionRecipe, ImageSet, Logits

HEAVY = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def asked(precision: str, name: str | None = None) -> Conversion:
    recipes = FORMAT.recipes_for(precision)  # type: ignore[arg-type]
    recipe = next(r for r in recipes if name in (None, r.name))
    return Conversion(precision, recipe, calibration_images if recipe.calibrated else None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def checkpoint(real_files: RealFiles) -> Checkpoint:
    return real_files.checkpoint


def write(checkpoint: Checkpoint, folder: Path, conversion: Conversion) -> tuple[Path, Logits]:
    path = folder / FORMAT.file_name
    FORMAT.export(checkpoint, conversion, path)
    return path, load(FORMAT, path, 1).predict(images(3))


def gap(logits: Logits) -> float:
    """Largest difference from the network itself, as a share of the range of its answers."""
    reference = NetworkSession(network(), 1).predict(images(3))
    return float(np.abs(logits - reference).max() / np.ptp(reference))


# --- written for real: the network is converted once for all of these ---


@pytest.mark.slow
def test_fp32_answers_as_the_network_and_says_what_it_wants(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, logits = write(checkpoint, tmp_path, asked("fp32"))
    assert gap(logits) < 1e-4
    assert logits.dtype == np.float32
    found = rows(path.read_bytes())
    assert {row.weights for row in found if row.kind in HEAVY} == {"float32"}
    assert [row.kind for row in found].count("HARD_SWISH") == 19, "none is taken apart"
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().split() == list(CLASSES)
    assert b"torch.nn.modules" not in path.read_bytes(), "the converter's long names are cut"
    again = tmp_path / "again.tflite"
    FORMAT.export(checkpoint, asked("fp32"), again)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
    one_by_one = np.concatenate([load(FORMAT, path, 2).predict(image[None]) for image in images(3)])
    assert np.abs(one_by_one - logits).max() < 1e-4, "neither batch nor threads change an answer"
    with pytest.raises(RunError, match=r"\(N, 3, 224, 224\)"):
        load(FORMAT, path, 1).predict(np.zeros((1, 3, 32, 32), np.float32))


@pytest.mark.slow
def test_inspection_reads_the_same_file_alike(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, _ = write(checkpoint, tmp_path, asked("fp32"))
    inside = inspect_file(path, "litert", "fp32")
    assert (inside.layout, inside.inputs[0].dtype, inside.hard_swish_whole) == ("NCHW", "float32", 19)
    assert inside.macs == 55_496_640
    assert [f.weight for f in inside.findings] == ["note"], "that it is channels-first is all there is to say"


@pytest.mark.slow
def test_fp16_halves_the_weights_alone(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, logits = write(checkpoint, tmp_path, asked("fp16"))
    assert 0 < gap(logits) < 1e-2
    heavy = [row for row in rows(path.read_bytes()) if row.kind in HEAVY]
    assert {(row.weights, row.widened, row.reads, row.writes) for row in heavy} == {("float16", True, "float32", "float32")}
    assert path.stat().st_size < 3.2e6


@pytest.fixture(scope="module")
def quantised(checkpoint: Checkpoint) -> dict[str, tuple[bytes, list[str]]]:
    with format._quiet():
        model = format._float_model(checkpoint)
        return {r.name: int8.quantised(model, asked("int8", r.name), checkpoint.sha256) for r in int8.RECIPES}


def in_float(found: list[Row]) -> set[str]:
    """The heavy operators that compute in float, by name."""
    return {row.name for row in found if row.kind in HEAVY and row.widened}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", int8.RECIPES, ids=lambda r: r.name)
def test_each_int8_recipe_changes_what_it_says(recipe: ConversionRecipe, quantised: dict[str, tuple[bytes, list[str]]]) -> None:
    content, used = quantised[recipe.name]
    found = rows(content)
    heavy = [row for row in found if row.kind in HEAVY]
    assert len(heavy) == 54
    assert {row.weights for row in heavy} == {"int8"}
    assert min(row.scales for row in heavy if "Conv2dNormActivation" in row.name) > 1, "a scale for each channel"
    assert len(used) == (CALIBRATED_BY if recipe.calibrated else 0)
    parts: Any = recipe.options.get("float", [])
    kept = {row.name for part in parts if part in int8.PARTS for row in within(heavy, int8.PARTS[part])}
    swishes = [row for row in found if row.kind == "HARD_SWISH"]
    if recipe.calibrated:
        assert in_float(found) == kept
        assert all(row.reads == "int8" for row in heavy if row.name not in kept)
        assert {row.reads for row in swishes} == {"int8" if recipe.name == "static-integer" else "float32"}
    else:
        depthwise = {row.name for row in heavy if row.kind == "DEPTHWISE_CONV_2D"}
        everything = {row.name for row in heavy}
        assert in_float(found) == (everything if recipe.name == "weight-only" else depthwise | kept)
        assert {row.reads for row in heavy} == {row.writes for row in heavy} == {"float32"}


@pytest.mark.slow
def test_the_parts_are_the_operators_that_they_are_called_after(quantised: dict[str, tuple[bytes, list[str]]]) -> None:
    heavy = [row for row in rows(quantised["weight-only"][0]) if row.kind in HEAVY]
    found = {name: [row.kind for row in within(heavy, regex)] for name, regex in int8.PARTS.items()}
    assert {name: len(kinds) for name, kinds in found.items()} == {"squeeze-excite": 18, "stem": 1, "first": 8, "last": 2}
    assert found["last"] == ["FULLY_CONNECTED"] * 2, "the layer that gives the logits is one of them"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["static-ends-float", "dynamic", "weight-only"])
def test_an_int8_file_runs_and_stays_close(name: str, checkpoint: Checkpoint, tmp_path: Path) -> None:
    path, logits = write(checkpoint, tmp_path, asked("int8", name))
    assert 0 < gap(logits) < 0.25
    assert path.stat().st_size < 1.9e6
    graph = schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0).subgraphs[0]
    ends = [graph.tensors[i].type for i in (*graph.inputs, *graph.outputs)]
    assert ends == [schema.TensorType.FLOAT32] * 2


@pytest.mark.slow
def test_what_it_was_calibrated_on_is_recorded(checkpoint: Checkpoint, tmp_path: Path) -> None:
    exported = FORMAT.export(checkpoint, asked("int8", "static"), tmp_path / "m.tflite")
    assert exported.recipe["calibration_images"] == [f"{i:032x}" for i in range(CALIBRATED_BY)]
    assert str(exported.recipe["quantizer"]).startswith("ai-edge-quantizer ")
    assert exported.recipe["float"] == ["hard-swish"]


# --- the recipes ---


def test_no_two_recipes_differ_in_a_number_alone() -> None:
    def kind(recipe: ConversionRecipe) -> tuple[bool, str]:
        words = {key: value for key, value in recipe.options.items() if not isinstance(value, int | float)}
        return recipe.calibrated, json.dumps(words, sort_keys=True)

    assert len({kind(recipe) for recipe in int8.RECIPES}) == len(int8.RECIPES)
    assert len({recipe.options["images"] for recipe in int8.RECIPES if recipe.calibrated}) == 1, "they share one calibration"


# --- calibration ---


def test_each_image_counts_alike_in_the_ranges_and_what_hard_swish_cannot_see_does_not() -> None:
    images = np.zeros((2, *SHAPE[1:]), np.float32)
    images[0, 0, 0, 0], images[0, 0, 0, 1] = -8.0, 1.0
    images[1, 0, 0, 0], images[1, 0, 0, 1] = -2.0, 5.0
    given = ImageSet(images, ("a", "b"), np.zeros(2, np.int64))
    found = calibration.ranges_of(tiny(), given, "one")
    assert {name: (float(r["min"].item()), float(r["max"].item())) for name, r in found.items()}["in"] == (-3.0, 3.0)
    assert found["in"]["min"].ndim == len(SHAPE)
    # hard-swish of 1 and of 5 on the right; on the left nothing of -8, and -1/3 of -2
    assert found["out"]["max"].item() == pytest.approx((4 / 6 + 5) / 2, abs=1e-5)
    assert found["out"]["min"].item() == pytest.approx(-1 / 6, abs=1e-5)


def test_ranges_are_taken_once_for_all_recipes_of_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    class Counted(interpreter.Interpreter):  # type: ignore[misc]
        def invoke(self) -> None:
            runs.append(1)
            super().invoke()

    monkeypatch.setattr(interpreter, "Interpreter", Counted)
    some, others = (
        ImageSet(np.full((n, *SHAPE[1:]), n, np.float32), (f"{n} images",) * n, np.zeros(n, np.int64)) for n in (2, 3)
    )
    first = calibration.ranges_of(tiny(), some, "one")
    assert calibration.ranges_of(tiny(), some, "one") == first
    assert len(runs) == 2, "the second recipe runs no image again"
    assert calibration.ranges_of(tiny(), some, "another") == first
    assert len(runs) == 4, "another checkpoint does"
    assert calibration.ranges_of(tiny(), others, "another")["in"]["max"].item() == 3.0
    assert len(runs) == 7, "and so do other images"


# --- what the file says of itself ---


def test_labels_and_preprocessing_are_in_the_metadata_and_behind_the_model(checkpoint: Checkpoint) -> None:
    content = packed(tiny(), checkpoint)
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    inside = {entry.name.decode(): bytes(model.buffers[entry.buffer].data).decode() for entry in model.metadata}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        behind = {name: archive.read(name).decode() for name in archive.namelist()}
    assert inside == behind
    assert inside["labels.txt"].split() == list(CLASSES)
    told = json.loads(inside["preprocessing.json"])
    assert (told["input_px"], told["mean"], told["std"], told["layout"]) == (
        list(checkpoint.input_px),
        list(checkpoint.mean),
        list(checkpoint.std),
        "NCHW",
    )
    assert told["resize"].startswith("bicubic")
    assert checkpoint.sha256 in model.description.decode()
    assert content == packed(tiny(), checkpoint)


# --- running a file ---


def session(folder: Path, content: bytes, threads: int = 1) -> Any:
    path = folder / "m.tflite"
    path.write_bytes(content)
    return load(FORMAT, path, threads)


def test_any_number_of_images_goes_in(tmp_path: Path) -> None:
    given = np.random.default_rng(0).standard_normal((5, *SHAPE[1:]), dtype=np.float32)
    answers = session(tmp_path, tiny()).predict(given)
    assert np.allclose(answers, given * np.clip(given + 3, 0, 6) / 6, atol=1e-6)
    assert np.array_equal(session(tmp_path, tiny()).predict(given[:, :, ::-1])[:, :, ::-1], answers), "in any order in memory"


def test_it_runs_on_as_many_threads_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    class Seen(interpreter.Interpreter):  # type: ignore[misc]
        def __init__(self, **given: Any) -> None:
            seen.append(given["num_threads"])
            super().__init__(**given)

    monkeypatch.setattr(interpreter, "Interpreter", Seen)
    session(tmp_path, tiny(), threads=3)
    assert seen == [3]


@pytest.mark.parametrize("content", [b"", b"TFL3", b"no model at all" * 100, tiny()[:-40], tiny()[:60], b"\0" * 4096])
def test_a_damaged_or_foreign_file_is_one_message(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"LiteRT cannot load m\.tflite: .*Convert its checkpoint again"):
        session(tmp_path, content)


def test_a_file_that_wants_int8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not one float32 input but in int8"):
        session(tmp_path, tiny(schema.TensorType.INT8))


def test_a_wrong_shape_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"\(N, 3, 4, 4\), got \(0, 3, 4, 4\)"):
        session(tmp_path, tiny()).predict(np.zeros((0, 3, 4, 4), np.float32))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FORMAT.unavailable("run") is None
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "quantizer" in name else there(name))
    assert FORMAT.unavailable("run") is None
    reason = FORMAT.unavailable("export")
    assert reason is not None
    assert "ai_edge_quantizer is not installed" in reason
    assert "requirements.txt" in reason


def test_a_precision_that_is_not_offered_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fp32, fp16, int8, not palette6"):
        FORMAT.export(checkpoint, Conversion("palette6"), tmp_path / "out")
