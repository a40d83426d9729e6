"""ONNX files, written for real and read from disk by ONNX Runtime; the recipes, read from the files they make."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.formats.calibrated import FIRST, SEEN, int8, sensitive
from tests.networks import images, network, saved
from tests.real_files import load
from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import ExportError, MeasureError, RunError
from udacisense.evaluation.predictions import run_session
from udacisense.formats.fmt_onnx import FORMAT
from udacisense.formats.fmt_onnx.format import IR_VERSION, OPSET
from udacisense.formats.fmt_onnx.int8 import nodes_of_blocks
from udacisense.formats.fmt_onnx.weights import weights_to_half, weights_to_int8
from udacisense.models.torchscript_session import NetworkSession
from udacisense.types import Checkpoint, Conversion, Exported, Logits

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning")
CONVOLUTIONS, LINEARS, HARD_SWISHES = 52, 2, 19
Written = dict[str, tuple[Path, Exported]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "model.pth")


@pytest.fixture(scope="module")
def written(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A file of each precision, and of each int8 recipe under the recipe's name."""
    asked = {"fp32": Conversion("fp32"), "fp16": Conversion("fp16")}
    asked |= {recipe.name: int8(FORMAT, recipe.name) for recipe in FORMAT.recipes_for("int8")}
    found = {}
    with sensitive(*FIRST):
        for name, conversion in asked.items():
            path = tmp_path_factory.mktemp(name) / FORMAT.file_name
            found[name] = path, FORMAT.export(checkpoint, conversion, path)
    return found


def answers(written: Written, name: str, n: int = 3) -> Logits:
    return load(FORMAT, written[name][0], 1).predict(images(n))


def gap(logits: Logits) -> float:
    """Largest difference from the network itself, as a share of the range of its answers."""
    reference = NetworkSession(network(), 1).predict(images(len(logits)))
    return float(np.abs(logits - reference).max() / np.ptp(reference))


def graph(written: Written, name: str) -> Any:
    return onnx.load(written[name][0]).graph


def read_from_int8(graph: Any) -> dict[str, bool]:
    """Of each convolution and linear layer by its block: whether its input is a DequantizeLinear's answer."""
    makers = {output: node for node in graph.node for output in node.output}
    return {
        node.name: node.input[0] in makers and makers[node.input[0]].op_type == "DequantizeLinear"
        for node in graph.node
        if node.op_type in ("Conv", "Gemm")
    }


# --- fp32 and fp16 ---


@pytest.mark.slow
def test_fp32_answers_as_the_network_one_by_one_and_in_a_batch(written: Written) -> None:
    together = answers(written, "fp32")
    assert gap(together) < 1e-4
    for one, alone in zip(images(3), together, strict=True):
        np.testing.assert_array_equal(load(FORMAT, written["fp32"][0], 1).predict(one[None])[0], alone)


@pytest.mark.slow
def test_the_graph_is_folded_and_keeps_hard_swish_whole(written: Written) -> None:
    kinds = Counter(node.op_type for node in graph(written, "fp32").node)
    assert (kinds["Conv"], kinds["Gemm"], kinds["HardSwish"]) == (CONVOLUTIONS, LINEARS, HARD_SWISHES)
    assert kinds["BatchNormalization"] == 0


@pytest.mark.slow
def test_every_file_says_its_version_labels_and_preprocessing_and_no_place_on_this_machine(
    written: Written, checkpoint: Checkpoint
) -> None:
    wanted = {key: json.dumps(value) for key, value in describe_preprocessing(checkpoint).items()}
    wanted |= {"checkpoint": checkpoint.id, "checkpoint_sha256": checkpoint.sha256}
    for name, (path, exported) in written.items():
        model = onnx.load(path)
        assert {p.key: p.value for p in model.metadata_props} == wanted, name
        assert json.loads(wanted["labels"]) == list(checkpoint.classes)
        assert {o.domain: o.version for o in model.opset_import}[""] == OPSET == exported.recipe["opset"]
        assert model.ir_version <= IR_VERSION
        assert (model.graph.input[0].name, model.graph.output[0].name) == ("input", "logits")
        assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert b"site-packages" not in path.read_bytes()
        onnx.checker.check_model(model)


@pytest.mark.slow
def test_the_same_checkpoint_gives_the_same_file(written: Written, checkpoint: Checkpoint, tmp_path: Path) -> None:
    FORMAT.export(checkpoint, Conversion("fp32"), tmp_path / "again.onnx")
    again = (tmp_path / "again.onnx").read_bytes()
    assert hashlib.sha256(again).digest() == hashlib.sha256(written["fp32"][0].read_bytes()).digest()


@pytest.mark.slow
def test_fp16_halves_the_file_and_keeps_the_answers(written: Written) -> None:
    assert gap(answers(written, "fp16")) < 1e-2
    assert written["fp16"][0].stat().st_size < 0.52 * written["fp32"][0].stat().st_size
    large = [w for w in graph(written, "fp16").initializer if len(w.dims) == 4 and np.prod(w.dims) >= 1024]
    assert len(large) > 30
    assert {w.data_type for w in large} == {onnx.TensorProto.FLOAT16}
    assert "Only the weights are fp16" in written["fp16"][1].warnings[0]


# --- int8 ---


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [r.name for r in FORMAT.recipes_for("int8")])
def test_an_int8_file_is_small_and_answers_nearly_as_the_network(written: Written, recipe: str) -> None:
    assert written[recipe][0].stat().st_size < 0.31 * written["fp32"][0].stat().st_size
    assert 0 < gap(answers(written, recipe)) < 0.25
    large = [w for w in graph(written, recipe).initializer if len(w.dims) == 4 and np.prod(w.dims) > 20_000]
    assert len(large) > 10
    assert {w.data_type for w in large} == {onnx.TensorProto.INT8}


@pytest.mark.slow
def test_static_computes_every_layer_in_int8_per_channel(written: Written) -> None:
    assert set(read_from_int8(graph(written, "static")).values()) == {True}
    scales = {w.name: w.dims for w in graph(written, "static").initializer if w.name.endswith("weight_scale")}
    assert len(scales) == CONVOLUTIONS + LINEARS
    assert scales["model.features.0.0.weight_scale"] == [16]
    exported = written["static"][1]
    assert exported.recipe["calibration_images"] == [f"{i:032x}" for i in range(SEEN)]
    assert exported.recipe["blocks_in_float"] == []


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["static-sensitive-float", "static-percentile"])
def test_the_sensitive_blocks_and_no_others_compute_in_float(written: Written, recipe: str) -> None:
    flags = list(read_from_int8(graph(written, recipe)).values())
    assert flags == [False] * 5 + [True] * (CONVOLUTIONS + LINEARS - 5)  # a convolution in block 0, four in block 1
    assert written[recipe][1].recipe["blocks_in_float"] == list(FIRST)


@pytest.mark.slow
def test_the_percentile_recipe_has_narrower_ranges(written: Written) -> None:
    scales = {
        name: {
            w.name: float(onnx.numpy_helper.to_array(w))
            for w in graph(written, name).initializer
            if w.name.endswith("_scale") and not w.dims
        }
        for name in ("static-sensitive-float", "static-percentile")
    }
    ratios = np.array([value / scales["static-sensitive-float"][name] for name, value in scales["static-percentile"].items()])
    assert ratios.max() < 1.01
    assert (ratios < 1).mean() > 0.9
    assert ratios.min() < 0.9


@pytest.mark.slow
def test_weight_only_keeps_activations_in_float(written: Written) -> None:
    kinds = Counter(node.op_type for node in graph(written, "weight-only").node)
    assert kinds["QuantizeLinear"] == kinds["DequantizeLinear"] == 0
    assert kinds["Cast"] > 30
    assert gap(answers(written, "weight-only")) < gap(answers(written, "static"))
    assert "calibration_images" not in written["weight-only"][1].recipe
    assert "as fast as fp32" in written["weight-only"][1].warnings[0]


def layer(name: str, block: str) -> Any:
    return onnx.helper.make_node("Conv", ["x", f"model.{block}.0.weight"], [name], name=name)


def step(name: str) -> Any:
    return onnx.helper.make_node("Relu", ["x"], [name], name=name)


def test_an_operator_belongs_to_the_block_whose_weights_came_last() -> None:
    nodes = [layer("a", "features.1"), step("b"), layer("c", "features.10"), step("d"), layer("e", "classifier.3")]
    assert nodes_of_blocks(nodes, ["model.features.1"]) == ["a", "b"]
    assert nodes_of_blocks(nodes, ["model.features.10", "model.classifier.3"]) == ["c", "d", "e"]
    assert nodes_of_blocks(nodes, []) == []


def one_convolution(values: Any) -> Any:
    conv = onnx.helper.make_node("Conv", ["input", "w"], ["logits"], name="conv")
    shapes = ([1, 32, 1, 1], [1, 40, 1, 1])
    ports = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in zip(("input", "logits"), shapes, strict=True)
    ]
    made = onnx.helper.make_graph([conv], "g", ports[:1], ports[1:], [onnx.numpy_helper.from_array(values, "w")])
    return onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def test_weights_become_int8_within_half_a_step_of_each_channel() -> None:
    values = np.random.default_rng(0).standard_normal((40, 32, 1, 1)).astype(np.float32)
    values[3] *= 100  # a channel of its own range must not cost the others their steps
    model = weights_to_int8(one_convolution(values))
    held = {w.name: onnx.numpy_helper.to_array(w) for w in model.graph.initializer}
    assert held["w.int8"].dtype == np.int8
    assert (np.abs(held["w.int8"] * held["w.scale"] - values) <= held["w.scale"] * 0.5001).all()


@pytest.mark.parametrize("narrow", [weights_to_half, weights_to_int8])
def test_the_runtime_widens_the_weights_once_when_it_loads_the_file(narrow: Any, tmp_path: Path) -> None:
    import onnxruntime

    values = np.random.default_rng(0).standard_normal((40, 32, 1, 1)).astype(np.float32)
    model = narrow(one_convolution(values))
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    assert {n.op_type for n in onnx.load(tmp_path / "loaded.onnx").graph.node} & {"Cast", "Mul"} == set()


# --- what goes wrong ---


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(0, 3, 224, 224), (1, 3, 32, 32), (1, 1, 224, 224), (3, 224, 224)], ids=str)
def test_images_of_another_shape_are_refused(written: Written, shape: tuple[int, ...]) -> None:
    with pytest.raises(RunError, match=r"must have the shape \(N, 3, 224, 224\)"):
        load(FORMAT, written["fp32"][0], 1).predict(np.zeros(shape, np.float32))


@pytest.mark.slow
def test_an_image_that_is_not_a_number_is_no_measurement(written: Written) -> None:
    broken = np.full((1, 3, 224, 224), np.nan, np.float32)
    with pytest.raises(MeasureError, match="not numbers"):
        run_session(load(FORMAT, written["fp32"][0], 1), broken, 10, "the file")


@pytest.mark.slow
def test_a_file_that_was_cut_off_is_one_message(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(written["fp32"][0].read_bytes()[:-5000])
    with pytest.raises(RunError, match=r"cut\.onnx is no ONNX model that this runtime can load"):
        load(FORMAT, path, 1)


def test_a_file_of_something_else_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no model at all" * 100)
    with pytest.raises(RunError, match=r"m\.onnx is no ONNX model that this runtime can load.*Convert it again"):
        load(FORMAT, path, 1)


def test_it_runs_on_as_many_threads_as_were_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    asked = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda path, options, providers: asked.append(options))
    load(FORMAT, tmp_path / "m.onnx", 3)
    assert (asked[0].intra_op_num_threads, asked[0].inter_op_num_threads) == (3, 1)


def test_a_precision_that_is_not_offered_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fp32, fp16, int8, palette6 was asked for"):
        FORMAT.export(checkpoint, Conversion("palette6"), tmp_path / "out")
