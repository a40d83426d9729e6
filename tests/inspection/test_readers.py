"""Each reader on a file whose every byte is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.inspection import files
from udacisense.file_structure.structure import FileError
from udacisense.formats.fmt_coreml import reader as read_coreml
from udacisense.formats.fmt_executorch import reader as read_executorch
from udacisense.formats.fmt_litert import reader as read_litert
from udacisense.formats.fmt_onnx import reader as read_onnx
from udacisense.inspection.graph import decomposed_hard_swish

FLOATS = np.linspace(-1, 1, 24, dtype=np.float32)
RELU, RELU6 = 1, 3
MACS = 4 * 4 * 8 * 3
"""Of every convolution here: 4 x 4 places, 3 channels in, 8 out."""


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


def kernel(dtype: str = "float32") -> np.ndarray:
    return (FLOATS if dtype == "float32" else np.arange(24)).astype(dtype).reshape(8, 1, 1, 3)


# --- LiteRT --------------------------------------------------------------------------------------------------------------


def test_a_litert_file_of_floats(tmp_path: Path) -> None:
    found = read_litert.read(written(tmp_path, files.litert_conv(kernel(), metadata={"labels.txt": b"clock\nlamp"})))
    conv, swish = found.operators
    assert (conv.kind, conv.name, conv.weights, conv.activations, conv.computes, conv.macs) == (
        "conv", "CONV_2D", "float32", "float32", "float32", MACS,
    )  # fmt: skip
    assert (swish.kind, swish.inputs) == ("hard-swish", conv.outputs)
    assert (found.inputs[0].name, found.inputs[0].shape, found.inputs[0].layout) == ("image", (1, 4, 4, 3), "NHWC")
    assert (found.weights_bytes, found.metadata_bytes, found.metadata) == (96, 10, {"labels.txt": "clock\nlamp"})
    assert found.facts["description"] == "hand-made"


def test_integer_weights_with_float_activations_run_in_int8_unless_they_are_unpacked(tmp_path: Path) -> None:
    dynamic = read_litert.read(written(tmp_path, files.litert_conv(kernel("int8"), scales=8, dtype=files.INT8)))
    assert (dynamic.operators[0].computes, dynamic.operators[0].activations) == ("int8", "int8, quantised while it runs")
    assert dynamic.tensors[0].scales == 8
    unpacked = files.litert(
        [
            ("image", (1, 4, 4, 3), files.FLOAT32, b"", 0),
            ("packed", (8, 1, 1, 3), files.INT8, kernel("int8").tobytes(), 8),
            ("weights", (8, 1, 1, 3), files.FLOAT32, b"", 0),
            ("logits", (1, 4, 4, 8), files.FLOAT32, b"", 0),
        ],
        [(files.DEQUANTIZE, (1,), (2,)), (files.CONV_2D, (0, 2, -1), (3,))],
    )
    found = read_litert.read(written(tmp_path, unpacked))
    conv = found.operators[-1]
    assert (conv.weights, conv.activations, conv.computes) == ("int8", "float32", "float32")
    assert len(found.tensors) == 1, "a weight that is unpacked is stored once"


def test_a_static_int8_litert_file(tmp_path: Path) -> None:
    content = files.litert_conv(kernel("int8"), scales=1, activations=files.INT8, dtype=files.INT8)
    found = read_litert.read(written(tmp_path, content))
    assert [op.computes for op in found.operators] == ["int8", "int8"]
    assert found.inputs[0].dtype == "int8"


@pytest.mark.parametrize(("activation", "found"), [(RELU6, 1), (RELU, 0)])
def test_a_hard_swish_whose_clamp_is_fused_is_taken_apart_too(activation: int, found: int, tmp_path: Path) -> None:
    """x * relu6(x + 3) / 6; with a relu in its place it is no hard-swish."""
    three, sixth = (np.array([n], "<f4").tobytes() for n in (3, 1 / 6))
    tensors = [
        (name, (1, 4, 4, 8), files.FLOAT32, stored, 0)
        for name, stored in (("x", b""), ("three", three), ("gate", b""), ("sixth", sixth), ("scaled", b""), ("y", b""))
    ]
    operators = [(files.ADD, (0, 1), (2,), activation), (files.MUL, (2, 3), (4,)), (files.MUL, (0, 4), (5,))]
    operators_read = read_litert.read(written(tmp_path, files.litert(tensors, operators))).operators
    assert decomposed_hard_swish(operators_read) == found


def test_weights_that_no_delegate_took_are_read_from_their_segment(tmp_path: Path) -> None:
    found = read_executorch.read(written(tmp_path, files.executorch(None, portable=True)))
    assert [(t.stored_bytes, t.shape) for t in found.tensors] == [(256, (8, 8, 1, 1))]


# --- ExecuTorch ----------------------------------------------------------------------------------------------------------


def test_an_executorch_file_with_its_delegate(tmp_path: Path) -> None:
    found = read_executorch.read(written(tmp_path, files.executorch(files.xnnpack(kernel()), portable=True)))
    conv, swish, left = found.operators
    assert (conv.kind, conv.place, conv.weights, conv.macs) == ("conv", "XNNPACK", "float32", MACS)
    assert (conv.inputs, swish.kind) == (("v0",), "hard-swish")
    assert swish.outputs == left.inputs == ("v1",), "values pass from the delegate to the kernels outside"
    assert (left.place, left.name, left.macs) == ("portable kernels", "aten::convolution", 4 * 4 * 8 * 8)
    assert found.weights_bytes == 96 + 256
    assert (found.inputs[0].shape, found.inputs[0].layout) == ((1, 3, 4, 4), "NCHW")


def test_an_int8_executorch_file(tmp_path: Path) -> None:
    found = read_executorch.read(written(tmp_path, files.executorch(files.xnnpack(kernel("int8"), quantised=True))))
    assert (found.operators[0].computes, found.operators[0].weights) == ("int8", "int8")
    assert (found.tensors[0].dtype, found.tensors[0].scales) == ("int8", 8)


# --- ONNX ----------------------------------------------------------------------------------------------------------------


def onnx_pairs(activation: str = "HardSwish") -> bytes:
    """A convolution between quantize/dequantize pairs, then an activation between its own."""
    scale, zero = np.ones((), np.float32), np.zeros((), np.int8)
    nodes = [
        files.onnx_node("QuantizeLinear", ["image", "s", "z"], ["q0"]),
        files.onnx_node("DequantizeLinear", ["q0", "s", "z"], ["d0"]),
        files.onnx_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        files.onnx_node("Conv", ["d0", "wd"], ["y"], strides=(2, 2)),
        files.onnx_node("QuantizeLinear", ["y", "s", "z"], ["q1"]),
        files.onnx_node("DequantizeLinear", ["q1", "s", "z"], ["d1"]),
        files.onnx_node(activation, ["d1"], ["h"]),
        files.onnx_node("QuantizeLinear", ["h", "s", "z"], ["q2"]),
        files.onnx_node("DequantizeLinear", ["q2", "s", "z"], ["logits"]),
    ]
    weights = {
        "s": scale, "z": zero, "w": kernel("int8").reshape(8, 3, 1, 1),
        "ws": np.ones(8, np.float32), "wz": np.zeros(8, np.int8),
    }  # fmt: skip
    ports = files.onnx_value("image", 1, (1, 3, 8, 8)), files.onnx_value("logits", 1, (1, 8, 4, 4))
    return files.onnx(nodes, weights, ports[:1], ports[1:], labels="clock,lamp")


def test_an_onnx_file_with_quantize_pairs(tmp_path: Path) -> None:
    found = read_onnx.read(written(tmp_path, onnx_pairs()))
    conv = next(op for op in found.operators if op.kind == "conv")
    assert (conv.weights, conv.activations, conv.computes, conv.macs) == ("int8", "int8", "int8", MACS)
    swish = next(op for op in found.operators if op.kind == "hard-swish")
    assert swish.computes == "float32", "the runtime has no integer hard-swish: it computes between the pairs"
    assert next(t for t in found.tensors if t.name == "w").scales == 8
    assert found.facts["opset"] == "ai.onnx 18"
    assert found.metadata == {"labels": "clock,lamp"}


def test_an_onnx_convolution_is_fused_only_where_its_answer_is_quantised(tmp_path: Path) -> None:
    nodes = [
        files.onnx_node("QuantizeLinear", ["image", "s", "z"], ["q"]),
        files.onnx_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        files.onnx_node("DequantizeLinear", ["w", "s", "z"], ["wd"]),
        files.onnx_node("Conv", ["d", "wd"], ["logits"]),
    ]
    weights = {"s": np.ones((), np.float32), "z": np.zeros((), np.int8), "w": kernel("int8").reshape(8, 3, 1, 1)}
    ports = files.onnx_value("image", 1, (1, 3, 4, 4)), files.onnx_value("logits", 1, (1, 8, 4, 4))
    found = read_onnx.read(written(tmp_path, files.onnx(nodes, weights, ports[:1], ports[1:])))
    assert found.operators[-1].computes == "float32"


def test_a_grouped_convolution_is_told_apart(tmp_path: Path) -> None:
    ports = files.onnx_value("x", 1, (1, 3, 4, 4)), files.onnx_value("y", 1, (1, 3, 4, 4))
    weights = {"w": np.ones((3, 1, 3, 3), np.float32)}
    node = files.onnx_node("Conv", ["x", "w"], ["y"], group=3, pads=(1, 1, 1, 1))
    found = read_onnx.read(written(tmp_path, files.onnx([node], weights, ports[:1], ports[1:])))
    assert (found.operators[0].kind, found.operators[0].macs) == ("depthwise conv", 4 * 4 * 3 * 9)


# --- Core ML -------------------------------------------------------------------------------------------------------------


def test_a_core_ml_package(tmp_path: Path) -> None:
    path = files.coreml(kernel("float16").reshape(8, 3, 1, 1), tmp_path / "m.mlpackage.zip")
    found = read_coreml.read(path)
    conv = found.operators[0]
    assert (conv.kind, conv.weights, conv.activations, conv.macs) == ("conv", "float16", "float16", MACS)
    assert (found.weights_bytes, found.tensors[0].shape) == (48, (8, 3, 1, 1))
    assert found.metadata == {"labels": "clock", "license": "Apache-2.0"}
    assert (found.inputs[0].dtype, found.inputs[0].layout) == ("float32", "NCHW")
    assert found.facts == {"specification": "7", "opset": "CoreML6"}


def test_an_unpacked_package_reads_alike(tmp_path: Path) -> None:
    import zipfile

    path = files.coreml(kernel("float16").reshape(8, 3, 1, 1), tmp_path / "m.mlpackage.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    assert read_coreml.read(tmp_path / "out" / "m.mlpackage") == read_coreml.read(path)


# --- what the values say -------------------------------------------------------------------------------------------------


def test_subnormal_and_broken_weights_are_counted(tmp_path: Path) -> None:
    weights = kernel().copy()
    weights.flat[:3] = [1e-40, -1e-39, 0.0]
    weights.flat[3:5] = [np.nan, np.inf]
    found = read_litert.read(written(tmp_path, files.litert_conv(weights)))
    assert (found.tensors[0].subnormal, found.tensors[0].not_finite) == (2, 2)


# --- files that lie ------------------------------------------------------------------------------------------------------

WHOLE = {
    "litert": (files.litert_conv(kernel()), read_litert.read),
    "executorch": (files.executorch(files.xnnpack(kernel()), portable=True), read_executorch.read),
    "onnx": (onnx_pairs(), read_onnx.read),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_cut_off_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    content, read = WHOLE[name]
    refused = 0
    for end in range(0, len(content), 7):
        try:
            read(written(tmp_path, content[:end]))
        except FileError:
            refused += 1
    assert refused > len(content) / 7 * 0.8, "only padding and what stands last may be missed"


@pytest.mark.parametrize("name", WHOLE)
def test_another_format_is_refused(name: str, tmp_path: Path) -> None:
    for content in (b"", b"\x89PNG\r\n\x1a\n" + bytes(64), b"not a model at all, only words", bytes(4096)):
        with pytest.raises(FileError):
            WHOLE[name][1](written(tmp_path, content))


def test_a_core_ml_package_that_misses_a_part_is_refused(tmp_path: Path) -> None:
    weights = kernel("float16").reshape(8, 3, 1, 1)
    for name, content in (("Manifest.json", b"{}"), ("Data/com.apple.CoreML/weights/weight.bin", bytes(200))):
        path = files.coreml(weights, tmp_path / "m.zip", damage={f"m.mlpackage/{name}": content})
        with pytest.raises(FileError):
            read_coreml.read(path)
    with pytest.raises(FileError, match="zip"):
        read_coreml.read(written(tmp_path, b"PK\x03\x04 and then nothing"))
