"""ExecuTorch programs, lowered for real and read from disk by the runtime; the recipes, read from the graphs they make."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.formats.calibrated import FIRST, SEEN, int8, sensitive
from tests.networks import images, network, saved
from tests.real_files import load
from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import ExportError, MeasureError, RunError
from udacisense.evaluation.predictions import run_session
from udacisense.formats.fmt_executorch import FORMAT
from udacisense.formats.fmt_executorch import format as format_module
from udacisense.formats.fmt_executorch.format import _outside
from udacisense.formats.fmt_executorch.int8 import quantise
from udacisense.formats.fmt_executorch.light import light_lowering
from udacisense.models.loading import load_network
from udacisense.models.torchscript_session import NetworkSession
from udacisense.models.truncation import save_beginning
from udacisense.types import Checkpoint, Conversion, Exported

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning", "ignore:.*:UserWarning")
CONVOLUTIONS = 11
"""Of the network up to its block 3: 1 in block 0, 4 in block 1, and 3 in each of the others."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "model.pth")


@pytest.fixture(scope="module")
def beginning(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The network up to its block 3: it has all kinds of layers, and is lowered in a third of the time."""
    return save_beginning(checkpoint, "features.3", tmp_path_factory.mktemp("beginning"))


@pytest.fixture(scope="module")
def fp32(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported]:
    path = tmp_path_factory.mktemp("fp32") / FORMAT.file_name
    return path, FORMAT.export(checkpoint, Conversion("fp32"), path)


def method(path: Path, name: str) -> Any:
    from executorch.runtime import Runtime

    return Runtime.get().load_program(path).load_method(name).execute([])[0]


# --- the file ---


@pytest.mark.slow
def test_fp32_answers_as_the_network_one_by_one_and_in_a_batch(fp32: tuple[Path, Exported]) -> None:
    session = load(FORMAT, fp32[0], 1)
    expected = NetworkSession(network(), 1).predict(images(3))
    together = session.predict(images(3))
    np.testing.assert_allclose(together, expected, atol=1e-4)
    assert np.ptp(expected) > 1
    for one, alone in zip(images(3), together, strict=True):
        np.testing.assert_array_equal(session.predict(one[None])[0], alone)


@pytest.mark.slow
def test_the_whole_network_is_xnnpacks_and_what_was_done_is_recorded(fp32: tuple[Path, Exported]) -> None:
    exported = fp32[1]
    assert exported.recipe == {"backend": "xnnpack", "batch": 1, "input_px": [224, 224], "portable_kernels": []}
    assert exported.warnings == ()


@pytest.mark.slow
def test_an_app_reads_labels_and_preprocessing_from_the_program(fp32: tuple[Path, Exported], checkpoint: Checkpoint) -> None:
    path = fp32[0]
    assert method(path, "labels").split("\n") == list(checkpoint.classes)
    assert json.loads(method(path, "preprocessing")) == describe_preprocessing(checkpoint)
    assert method(path, "checkpoint_sha256") == checkpoint.sha256


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(0, 3, 224, 224), (1, 3, 32, 32), (1, 1, 224, 224), (3, 224, 224)], ids=str)
def test_images_of_another_shape_are_refused(fp32: tuple[Path, Exported], shape: tuple[int, ...]) -> None:
    with pytest.raises(RunError, match=r"must have the shape \(N, 3, 224, 224\)"):
        load(FORMAT, fp32[0], 1).predict(np.zeros(shape, np.float32))


@pytest.mark.slow
def test_an_image_that_is_not_a_number_is_no_measurement(fp32: tuple[Path, Exported]) -> None:
    broken = np.full((1, 3, 224, 224), np.nan, np.float32)
    with pytest.raises(MeasureError, match="not numbers"):
        run_session(load(FORMAT, fp32[0], 1), broken, 10, "the file")


@pytest.mark.slow
def test_it_runs_on_as_many_threads_as_were_asked_for(fp32: tuple[Path, Exported]) -> None:
    from executorch.extension.pybindings import portable_lib

    for threads in (2, 1):
        load(FORMAT, fp32[0], threads)
        assert portable_lib._threadpool_get_thread_count() == threads


@pytest.mark.slow
def test_running_a_file_does_not_import_what_made_it(fp32: tuple[Path, Exported]) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.networks import images\n"
        "from udacisense.formats.fmt_executorch import FORMAT\n"
        "from udacisense.types import WrittenFile\n"
        f"found = FORMAT.load(WrittenFile(Path({str(fp32[0])!r}), 'executorch'), 1).predict(images(1))\n"
        "heavy = {'executorch.exir', 'torchao', 'torch._dynamo', 'torch._inductor'} & set(sys.modules)\n"
        "from executorch.runtime import Runtime; import torch, numpy as np\n"
        f"method = Runtime.get().load_program({str(fp32[0])!r}).load_method('forward')\n"
        "same = np.array_equal(found, method.execute([torch.from_numpy(images(1))])[0].numpy())\n"
        "print(sorted(heavy), same)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[] True", done.stderr[-2000:]


@pytest.mark.slow
def test_light_lowering_writes_the_same_bytes(beginning: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    light, plain = tmp_path / "light.pte", tmp_path / "plain.pte"
    FORMAT.export(beginning, Conversion("fp32"), light)
    monkeypatch.setattr(format_module, "light_lowering", lambda program: nullcontext())
    FORMAT.export(beginning, Conversion("fp32"), plain)
    assert light.read_bytes() == plain.read_bytes()


def test_light_lowering_builds_the_patterns_that_may_be_there_and_puts_everything_back() -> None:
    import torch
    from executorch.backends.xnnpack.partition.graphs import bilinear_2d, sdpa
    from torch.fx.traceback import NodeSource

    class Attention(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.scaled_dot_product_attention(x, x, x)

    before = sdpa.get_graphs, bilinear_2d.get_graphs_dict
    with light_lowering(torch.export.export(Attention().eval(), (torch.zeros(1, 1, 4, 4),))):
        assert (sdpa.get_graphs, bilinear_2d.get_graphs_dict) == (before[0], dict)
    assert (sdpa.get_graphs, bilinear_2d.get_graphs_dict) == before
    assert "__deepcopy__" not in vars(NodeSource)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 40, 1000, -5000])
def test_a_file_that_was_cut_off_is_one_message(fp32: tuple[Path, Exported], tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.pte"
    path.write_bytes(fp32[0].read_bytes()[:kept])
    with pytest.raises(RunError, match=r"cut\.pte is no ExecuTorch program that this runtime can load.*Convert it again"):
        load(FORMAT, path, 1)


def test_a_file_of_something_else_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "m.pte"
    path.write_bytes(b"no model at all" * 100)
    with pytest.raises(RunError, match=r"m\.pte is no ExecuTorch program"):
        load(FORMAT, path, 1)


def test_a_precision_that_is_not_offered_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fp32 and int8 here, fp16 was asked for"):
        FORMAT.export(checkpoint, Conversion("fp16"), tmp_path / "out")


def test_operators_left_to_portable_kernels_are_named_but_not_copies_of_single_numbers() -> None:
    import torch
    from torch.fx import Graph

    graph = Graph()
    x = graph.placeholder("x")
    for value in (torch.zeros(1, 3), torch.zeros(())):
        graph.call_function(torch.ops.aten.cumsum.default, (x, 0)).meta["val"] = value
        graph.call_function(torch.ops.aten.abs.default, (x,)).meta["val"] = torch.zeros(())
    assert _outside(graph.nodes) == ["aten.cumsum"]


# --- the recipes ---


def heavy(program: Any) -> list[bool]:
    """Of each convolution and linear layer, in the network's order: whether its input is read from int8."""
    operators = ("conv2d", "linear")
    nodes = [n for n in program.graph.nodes if n.op == "call_function" and any(o in str(n.target) for o in operators)]
    return ["dequantize" in str(n.args[0].target) for n in nodes]


@pytest.fixture(scope="module")
def quantised(beginning: Checkpoint) -> dict[str, tuple[Any, dict[str, object]]]:
    with sensitive(*FIRST):
        return {recipe.name: quantise(beginning, int8(FORMAT, recipe.name)) for recipe in FORMAT.recipes_for("int8")}


@pytest.mark.slow
def test_static_computes_every_layer_in_int8(quantised: dict[str, Any]) -> None:
    program, done = quantised["static"]
    assert heavy(program) == [True] * CONVOLUTIONS
    assert done["blocks_in_float"] == []
    assert done["calibration_images"] == [f"{i:032x}" for i in range(SEEN)]


@pytest.mark.slow
def test_the_sensitive_blocks_and_no_others_compute_in_float(quantised: dict[str, Any]) -> None:
    program, done = quantised["static-sensitive-float"]
    assert heavy(program) == [False] * 5 + [True] * 6  # a convolution in block 0, four in block 1
    assert done["blocks_in_float"] == list(FIRST)


@pytest.mark.slow
def test_dynamic_leaves_depthwise_layers_in_float(quantised: dict[str, Any]) -> None:
    program, done = quantised["dynamic"]
    assert done["calibration_images"] == []
    flags = heavy(program)
    assert True in flags
    assert False in flags
    assert "choose_qparams" in str(program.graph)


@pytest.mark.slow
def test_an_int8_file_is_smaller_and_answers_nearly_as_the_network(beginning: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / FORMAT.file_name
    with sensitive(*FIRST):
        exported = FORMAT.export(beginning, int8(FORMAT, "static-sensitive-float"), path)
    assert exported.recipe["portable_kernels"] == []
    expected = NetworkSession(load_network(beginning), 1).predict(images(2))
    found = load(FORMAT, path, 1).predict(images(2))
    noise = np.square(found - expected).sum() / np.square(expected).sum()
    assert 0 < noise < 0.02  # rounded, so not equal, and near
