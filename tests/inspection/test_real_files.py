"""Files as the converters write them, read twice: by the inspection, and by each format's own tools."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.inspection import truth
from tests.networks import network
from tests.real_files import RealFiles
from udacisense.file_structure import structure as a
from udacisense.file_structure.structure import ModelStructure
from udacisense.inspection.child import reader_of
from udacisense.inspection.inspect_file import inspect_file
from udacisense.inspection.inspection import Inspection
from udacisense.models.summary import describe


def read(format: str, path: Path) -> ModelStructure:
    """What the format's reader makes of a file, in this process."""
    found = reader_of(format)
    assert found is not None
    return found(path)


pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the formats' own tools warn of each other
MACS = 55_496_640
"""Of MobileNetV3-Small with ten classes at 224 x 224: 47.4 M in convolutions, 7.5 M in depthwise ones, the rest linear."""


def test_the_work_of_the_network_is_what_the_files_are_held_to() -> None:
    assert describe(network(), 0).macs == MACS


def test_a_static_int8_litert_file(real_files: RealFiles) -> None:
    path = real_files.of("litert", "int8", "static")
    told, found, seen = truth.litert(path), read("litert", path), inspect_file(path, "litert", "int8")
    assert Counter(op.name for op in found.operators) == told.operators
    assert sum(t.stored_bytes for t in found.tensors) == told.stored_bytes
    assert (seen.macs, seen.int8_share) == (told.macs, told.int8_macs / told.macs) == (MACS, 1.0)
    assert heavy(found) == told.heavy == Counter({("int8", "int8"): 54})
    assert ports(found) == (told.inputs, told.outputs)
    steps = told.operators["QUANTIZE"] + told.operators["DEQUANTIZE"]
    assert (seen.layout, seen.quantize_steps, seen.float_islands) == ("NCHW", steps, steps // 2 - 1)
    assert (seen.hard_swish_whole, seen.hard_swish_decomposed) == (told.operators["HARD_SWISH"], 0) == (19, 0)
    assert {f.weight for f in seen.findings} == {"note"}
    assert tells_its_labels(seen)


def test_a_static_int8_onnx_file(real_files: RealFiles) -> None:
    path = real_files.of("onnx", "int8", "static")
    told, found, seen = truth.onnx(path), read("onnx", path), inspect_file(path, "onnx", "int8")
    weights = told.operators["DequantizeLinear"] - sum(op.name == "DequantizeLinear" for op in found.operators)
    assert 54 <= weights <= 108, "54 weights and up to as many biases are dequantised when the file is loaded"
    assert Counter(op.name for op in found.operators) == told.operators - Counter({"DequantizeLinear": weights})
    assert seen.weights_bytes == pytest.approx(told.stored_bytes, abs=127), "a zero point above 127 is written in two bytes"
    assert (seen.macs, seen.int8_share) == (told.macs, told.int8_macs / told.macs)
    assert told.macs == MACS
    assert heavy(found) == told.heavy
    assert ports(found) == (told.inputs, told.outputs)
    whole = told.operators["HardSwish"]
    assert (seen.hard_swish_whole, seen.hard_swish_decomposed) == (whole, 19 - whole)
    assert tells_its_labels(seen)


def test_an_int8_executorch_file(real_files: RealFiles) -> None:
    path = real_files.of("executorch", "int8", "static")
    told, found, seen = truth.executorch(path), read("executorch", path), inspect_file(path, "executorch", "int8")
    assert Counter(op.name for op in found.operators) == told.operators
    assert seen.weights_bytes == pytest.approx(told.stored_bytes, rel=0.01), "parts are padded"
    assert (seen.macs, seen.int8_share) == (told.macs, told.int8_macs / told.macs) == (MACS, 1.0)
    assert seen.delegated_share == 1.0
    assert told.heavy == Counter({("qcint8", "qint8"): 54})
    assert heavy(found) == Counter({("int8", "int8"): 54})
    assert [(shape, {"float32": "float"}[dtype]) for shape, dtype in ports(found)[0]] == told.inputs
    assert seen.hard_swish_whole == 19
    assert tells_its_labels(seen)
    assert seen.quantize_steps == told.operators["Convert"]
    assert seen.float_islands == told.operators["Convert"] // 2 - 1, "one pair of steps around each, one around the whole"
    if told.operators["dim_order_ops::_to_dim_order_copy"]:
        assert any("left to portable kernels (_to_dim_order_copy)" in f.what for f in seen.findings)


def test_a_palette_core_ml_package(real_files: RealFiles) -> None:
    path = real_files.of("coreml", "palette6")
    told, found, seen = truth.coreml(path), read("coreml", path), inspect_file(path, "coreml", "palette6")
    assert Counter(op.name for op in found.operators) == told.operators
    assert seen.weights_bytes == pytest.approx(told.stored_bytes, rel=0.02), "each entry has a header of 64 bytes"
    assert (seen.macs, seen.int8_share) == (told.macs, 0.0) == (MACS, 0.0)
    packed = Counter(op.weights for op in found.operators if op.kind in a.HEAVY)
    assert packed["6-bit palette"] == sum(n for (kind, _), n in told.heavy.items() if kind == "constexpr_lut_to_dense") == 45
    assert packed["float16"] == 54 - 45, "weights with few values are not worth a palette"
    assert ports(found) == (told.inputs, told.outputs)
    assert any("take 6-bit palette weights, and run in float16" in f.what for f in seen.findings)
    assert tells_its_labels(seen)


@pytest.mark.parametrize("format", ["torchscript", "torchscript-lite"])
def test_a_torchscript_file(format: str, real_files: RealFiles, bound: None) -> None:
    path = real_files.of(format)
    found, seen = read(format, path), inspect_file(path, format, "fp32")
    told = truth.torchscript(real_files.of("torchscript"))
    steps = Counter(op.kind for op in found.operators)
    assert steps[a.CONV] + steps[a.DEPTHWISE] == told.operators["_convolution"] + told.operators["conv2d"] == 52
    assert steps[a.HARD_SWISH] == told.operators["hardswish"] == 19
    assert seen.weights_bytes == told.stored_bytes
    assert (seen.macs, seen.int8_share, seen.unfolded_batch_norms) == (MACS, 0.0, 0)
    assert tells_its_labels(seen)


def test_a_program_that_nobody_lowered(tmp_path: Path) -> None:
    """A small network, its batch norm kept and no delegate: the traps that an export without a partitioner walks into."""
    import torch
    from executorch.exir import EdgeCompileConfig, to_edge

    layers = [torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Hardswish(), torch.nn.AdaptiveAvgPool2d(1)]
    small = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(8, 10)).eval()
    exported = torch.export.export(small, (torch.zeros(1, 3, 16, 16),))
    path = tmp_path / "portable.pte"
    path.write_bytes(to_edge(exported, compile_config=EdgeCompileConfig(_check_ir_validity=False)).to_executorch().buffer)
    told, found, seen = truth.executorch(path), read("executorch", path), inspect_file(path)
    assert Counter(op.name for op in found.operators) == told.operators
    assert sum(t.stored_bytes for t in found.tensors) == pytest.approx(told.stored_bytes, abs=64)
    assert (seen.macs, seen.delegated_share) == (14 * 14 * 8 * 27 + 80, 0.0)
    said = [f.what.split(" (")[0] for f in seen.findings if f.weight == "warning"]
    every = len(found.operators)
    assert f"{every} of {every} operators are left to portable kernels" in said
    assert "1 batch norms were not folded into their convolutions." in said


def tells_its_labels(seen: Inspection) -> bool:
    return "wardrobe" in " ".join(seen.metadata.values()) and 0 < seen.metadata_bytes < 5000


def heavy(found: a.ModelStructure) -> Counter[tuple[str | None, str | None]]:
    return Counter((op.weights, op.activations) for op in found.operators if op.kind in a.HEAVY)


def ports(found: a.ModelStructure) -> tuple[list[tuple[tuple[int, ...], str]], list[tuple[tuple[int, ...], str]]]:
    return [(p.shape, p.dtype) for p in found.inputs], [(p.shape, p.dtype) for p in found.outputs]
