"""The findings: each one appears for a file that deserves it, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from udacisense.file_structure import structure as a
from udacisense.file_structure.structure import ModelStructure, Operator, Port, Tensor
from udacisense.inspection.advice import judge
from udacisense.inspection.graph import decomposed_hard_swish, float_islands, unfolded_batch_norms
from udacisense.inspection.inspection import Advice, describe

INT8 = Tensor("w", (8, 3, 1, 1), "int8", 24, scales=8)
FLOAT = Tensor("w", (8, 3, 1, 1), "float32", 96)


def op(kind: str, inputs: str = "", outputs: str = "", computes: str = "float32", **more: object) -> Operator:
    place = str(more.pop("place", "runtime"))
    return Operator(kind, kind, place, tuple(inputs.split()), tuple(outputs.split()), computes=computes, **more)  # type: ignore[arg-type]


def anatomy(*operators: Operator, tensors: tuple[Tensor, ...] = (FLOAT,), **changes: object) -> ModelStructure:
    ports = (Port("x", (1, 3, 8, 8), "float32"),), (Port("y", (1, 10), "float32"),)
    metadata = {"labels": "clock", "preprocessing": "mean"}
    found = ModelStructure(sum(t.stored_bytes for t in tensors), 0, *ports, operators, tensors, {}, metadata)
    return replace(found, **changes)  # type: ignore[arg-type]


def findings(found: ModelStructure, format: str = "onnx", precision: str | None = "fp32") -> tuple[Advice, ...]:
    return judge(found, describe(found, "file", "0" * 64, format, precision, 1000))


CONV = op(a.CONV, "x", "y", weights="float32", activations="float32", macs=100)
SOUND = anatomy(CONV)


def test_a_sound_file_has_no_finding() -> None:
    assert findings(SOUND) == ()


DYNAMIC = op(a.DEPTHWISE, "x", "y", "int8", activations="int8, quantised while it runs", macs=9)
PALETTE = op(a.CONV, "x", "y", "float16", weights="6-bit palette", macs=100)
LEFT = Operator(a.CONV, "aten::convolution", "portable kernels", ("x",), ("y",), macs=100, values=1000)
MANY = op("Sigmoid", "y", "z", place="XNNPACK", values=1000)
FEW = op("copy", "x", "y", place="portable kernels", values=2)
CASES = [
    ("called int8", anatomy(CONV), "onnx", "int8", "warning"),
    ("called fp16", anatomy(CONV), "onnx", "fp16", "warning"),
    ("called fp32", anatomy(CONV, tensors=(INT8,)), "onnx", "fp32", "warning"),
    ("All of its multiplications take int8 weights", anatomy(replace(CONV, weights="int8")), "litert", None, "note"),
    ("6-bit palette weights, and run in float16", anatomy(PALETTE), "coreml", "palette6", "note"),
    ("computes in float16", anatomy(replace(CONV, computes="float16")), "onnx", None, "note"),
    ("quantise their activations while they run", anatomy(DYNAMIC, tensors=(INT8,)), "litert", "int8", "warning"),
    ("one scale for all their weights", anatomy(CONV, tensors=(replace(INT8, scales=1),)), "onnx", "int8", "warning"),
    ("left to portable kernels (convolution", anatomy(LEFT), "executorch", "fp32", "warning"),
    ("they write 2 of the 1,002 values", anatomy(FEW, MANY), "executorch", "fp32", "note"),
    ("they write 1,000 of the 1,002 values", anatomy(replace(FEW, place="XNNPACK"), LEFT), "executorch", "fp32", "warning"),
    ("batch norms were not folded", anatomy(CONV, op(a.BATCH_NORM, "y", "z")), "onnx", "fp32", "warning"),
    ("are subnormal", anatomy(CONV, tensors=(replace(FLOAT, subnormal=3),)), "onnx", "fp32", "warning"),
    ("NaN or infinite", anatomy(CONV, tensors=(replace(FLOAT, not_finite=1),)), "onnx", "fp32", "warning"),
    ("input 'x' is uint8", anatomy(CONV, inputs=(Port("x", (1, 3, 8, 8), "uint8"),)), "onnx", "fp32", "warning"),
    ("channels-last", anatomy(CONV, inputs=(Port("x", (1, 8, 8, 3), "float32"),)), "onnx", "fp32", "note"),
    ("channels-first", SOUND, "litert", "fp32", "note"),
    ("does not say its labels", anatomy(CONV, metadata={}), "onnx", "fp32", "note"),
]


@pytest.mark.parametrize(("what", "found", "format", "precision", "weight"), CASES, ids=[c[0] for c in CASES])
def test_a_file_that_deserves_it(what: str, found: ModelStructure, format: str, precision: str, weight: str) -> None:
    hits = [f for f in findings(found, format, precision) if what in f.what]
    assert [f.weight for f in hits] == [weight]
    assert hits[0].why.endswith(".")
    assert hits[0].what_to_do.endswith(".")


def test_warnings_come_first() -> None:
    found = findings(anatomy(CONV, tensors=(replace(INT8, scales=1),), metadata={}), "litert", "int8")
    weights = [f.weight for f in found]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 2


# --- hard-swish ----------------------------------------------------------------------------------------------------------


def swish(pairs: bool = False) -> list[Operator]:
    """x * clamp(x + 3) / 6 in steps, with quantize/dequantize pairs between them where asked."""
    steps = [op(a.ADD, "x", "a", operand_values=1), op(a.CLAMP, "a", "b"), op(a.MUL, "x b", "c"), op(a.DIV, "c", "d")]
    if not pairs:
        return steps
    return [
        op(a.ADD, "x", "a"), op(a.QUANTIZE, "a", "aq"), op(a.DEQUANTIZE, "aq", "ad"), op(a.CLAMP, "ad", "b"),
        op(a.QUANTIZE, "x", "xq"), op(a.DEQUANTIZE, "xq", "xd"), op(a.MUL, "b xd", "c"),
    ]  # fmt: skip


@pytest.mark.parametrize("pairs", [False, True])
def test_a_hard_swish_in_steps_is_recognised(pairs: bool) -> None:
    assert decomposed_hard_swish(swish(pairs)) == 1


def test_the_gate_of_squeeze_and_excite_is_no_hard_swish() -> None:
    squeeze = [op(a.POOL, "x", "p"), op(a.CONV, "p", "q"), op(a.HARD_SIGMOID, "q", "g"), op(a.MUL, "x g", "y")]
    assert decomposed_hard_swish(squeeze) == 0
    assert decomposed_hard_swish([op(a.HARD_SIGMOID, "x", "g"), op(a.MUL, "x g", "y")]) == 1
    assert decomposed_hard_swish([op(a.ADD, "x", "g"), op(a.MUL, "x g", "y")]) == 0, "nothing is clamped"


# --- batch norm ----------------------------------------------------------------------------------------------------------


def test_a_scale_and_a_shift_for_each_channel_are_a_batch_norm() -> None:
    conv = op(a.CONV, "x", "y", operand_values=24)
    left_in = [conv, op(a.MUL, "y", "z", operand_values=8), op(a.ADD, "z", "out", operand_values=8)]
    assert unfolded_batch_norms(left_in) == 1
    gate = [conv, op(a.MUL, "y", "z", operand_values=1), op(a.ADD, "z", "out", operand_values=1)]
    assert unfolded_batch_norms(gate) == 0, "by one number each: the start of a hard-sigmoid"


# --- islands -------------------------------------------------------------------------------------------------------------


def test_float_operators_between_integer_ones_are_islands() -> None:
    graph = [
        op(a.QUANTIZE, "x", "q"), op(a.CONV, "q", "a", "int8"), op(a.DEQUANTIZE, "a", "b"), op(a.POOL, "b", "c"),
        op(a.HARD_SIGMOID, "c", "d"), op(a.QUANTIZE, "d", "e"), op(a.MUL, "a e", "f", "int8"), op(a.DEQUANTIZE, "f", "g"),
        op(a.LINEAR, "g", "y"),
    ]  # fmt: skip
    assert float_islands(graph) == ((3, 4),), "the float end of a network is no island"
    assert float_islands([op(a.CONV, "x", "y"), op(a.ADD, "y", "z")]) == ()
