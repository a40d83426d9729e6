"""The graph that ExecuTorch hands to XNNPACK, by backends/xnnpack/serialization/schema.fbs."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from udacisense.file_structure import structure as a
from udacisense.file_structure.flatbuffer import Table, cut
from udacisense.file_structure.structure import FileError, Operator, Tensor
from udacisense.file_structure.weights import tensor_of

XNNPACK = "XNNPACK"
TYPES = ("invalid", "float32", "float16", "int8", "uint8", "int32", "int8", "int32", "int4", "int8", "int4")
BYTES: dict[str, float] = {"float32": 4, "float16": 2, "int16": 2, "int32": 4, "int64": 8, "float64": 8, "int4": 0.5}
DYNAMIC = 9  # the type of activations that are quantised while the model runs
QUANTISED = 2  # member of the union XValueUnion
PER_CHANNEL, PER_TENSOR = 1, 2  # members of the union XNNQuantParams
NAMED = 2**64 - 1  # the offset of constants that are kept by name
NO_VALUE = 2**32 - 1
NODES = tuple(
    """
    None Add FullyConnected Softmax Sigmoid StaticTranspose Clamp Conv2d Div StaticResizeBilinear2D StaticConstantPad
    AvgPooling2d Minimum DepthwiseConv2d MaxPooling2d Multiply Subtract Floor Convert GlobalAvgPooling2d StaticReshape
    ArgMaxPooling2d SquareRoot Ceiling Hardswish LeakyReLU Maximum Negate Square ELU Abs PReLU Concatenate2 Concatenate3
    Concatenate4 StaticSlice ScaledDotProductAttention BatchMatrixMultiply Concatenate5 ConvTranspose2d
    ReciprocalSquareRoot Log Gelu Tanh Exp Sin Copy Cos
    """.split()
)
TWO_IN = {"Add", "Div", "Minimum", "Multiply", "Subtract", "Maximum", "PReLU", "BatchMatrixMultiply"}
CONVOLUTIONS = {"Conv2d", "DepthwiseConv2d", "ConvTranspose2d"}
FIELDS: dict[str, tuple[tuple[int, ...], int]] = {  # where a node names its values: (inputs, output)
    "FullyConnected": ((0, 1, 2), 3),
    "StaticTranspose": ((2,), 3),
    "StaticResizeBilinear2D": ((2,), 3),
    "StaticConstantPad": ((3,), 4),
    "StaticReshape": ((2,), 3),
    "StaticSlice": ((3,), 4),
    "ArgMaxPooling2d": ((6,), 7),
    "ScaledDotProductAttention": ((0, 1, 2, 3, 4), 5),
    "LeakyReLU": ((1,), 2),
    "ELU": ((1,), 2),
    "AvgPooling2d": ((10,), 11),
    "MaxPooling2d": ((10,), 11),
    "Concatenate2": ((1, 2), 5),
    "Concatenate3": ((1, 2, 3), 5),
    "Concatenate4": ((1, 2, 3, 4), 5),
    "Concatenate5": ((1, 2, 3, 4, 7), 5),
    **dict.fromkeys(CONVOLUTIONS, ((15, 16, 17), 18)),
    **dict.fromkeys(TWO_IN, ((0, 1), 2)),
}
KINDS = {
    "Conv2d": a.CONV,
    "DepthwiseConv2d": a.DEPTHWISE,
    "FullyConnected": a.LINEAR,
    "BatchMatrixMultiply": a.MATMUL,
    "Hardswish": a.HARD_SWISH,
    "Clamp": a.CLAMP,
    "Add": a.ADD,
    "Multiply": a.MUL,
    "Div": a.DIV,
    "AvgPooling2d": a.POOL,
    "GlobalAvgPooling2d": a.POOL,
    "MaxPooling2d": a.POOL,
    "StaticReshape": a.RESHAPE,
    "StaticTranspose": a.RESHAPE,
}


@dataclass
class _Value:
    name: str
    dtype: str
    shape: tuple[int, ...]
    constant: Tensor | None
    dynamic: bool


def read_graph(
    blob: memoryview, named: Callable[[str], memoryview], args: Sequence[str], prefix: str
) -> tuple[list[Operator], list[Tensor]]:
    """Operators and stored tensors of one delegated graph.

    Args:
        named: the bytes of weights that the program keeps under a name. args: the program's names of the values
            that go in and out. prefix: put before the names of values inside.

    Raises:
        FileError: the graph is cut off or damaged.
    """
    table, constants = _unpack(blob)
    places = table.tables(8)
    values: dict[int, _Value] = {}
    for entry in table.tables(2):
        number, value = _value(entry, places, constants, named, args, prefix)
        values[number] = value
    operators = [_operator(node, values) for node in table.tables(1)]
    return operators, [v.constant for v in values.values() if v.constant is not None]


def _unpack(blob: memoryview) -> tuple[Table, memoryview]:
    """The graph's root table, and the block of weights behind it."""
    if len(blob) < 30 or bytes(blob[4:8]) != b"XH00":
        return Table.root(blob, b"XN01"), blob[:0]
    start, size, weights_at, weights_size = struct.unpack_from("<IIIQ", blob, 10)
    graph = cut(blob, start, size)
    if bytes(graph[4:8]) not in (b"XN00", b"XN01"):
        raise FileError("an XNNPACK graph does not carry its mark: the file is damaged")
    return Table.root(graph, bytes(graph[4:8])), cut(blob, weights_at, weights_size)


def _value(
    entry: Table,
    places: Sequence[Table],
    constants: memoryview,
    named: Callable[[str], memoryview],
    args: Sequence[str],
    prefix: str,
) -> tuple[int, _Value]:
    outer = entry.table(1)
    inner = outer.table(0) if outer is not None and entry.integer(0, "B") == QUANTISED else outer
    if outer is None or inner is None:
        raise FileError("an XNNPACK graph has a value without a description: the file is damaged")
    code = inner.integer(0, "h")
    dtype = TYPES[code] if 0 <= code < len(TYPES) else f"type {code}"
    shape = tuple(int(n) for n in inner.numbers(2, "<u4"))
    number, external = inner.integer(6, "I"), inner.integer(4, "I", NO_VALUE)
    name = args[external] if inner.integer(5, "I") and external < len(args) else f"{prefix}:{number}"
    scales = _scales(outer) if inner is not outer else 0
    data = _constant(inner.integer(3, "I"), places, constants, named)
    constant = None if data is None else tensor_of(name, shape, dtype, data, scales, 4 * scales)
    return number, _Value(name, dtype, shape, constant, code == DYNAMIC)


def _scales(value: Table) -> int:
    kind, parameters = value.integer(1, "B"), value.table(2)
    if parameters is None:
        return 0
    if kind == PER_CHANNEL:
        return len(parameters.numbers(0, "<f4")) or parameters.integer(3, "I")  # newer files keep them beside the weights
    return int(kind == PER_TENSOR)


def _constant(
    index: int, places: Sequence[Table], constants: memoryview, named: Callable[[str], memoryview]
) -> memoryview | None:
    if index == 0:
        return None
    if index >= len(places):
        raise FileError("an XNNPACK graph names weights that it does not hold: the file is damaged")
    offset, size, key = places[index].integer(0, "Q"), places[index].integer(1, "Q"), places[index].text(2)
    return cut(named(key), 0, size) if key and offset == NAMED else cut(constants, offset, size)


def _operator(node: Table, values: dict[int, _Value]) -> Operator:
    code, body = node.integer(0, "B"), node.table(1)
    name = NODES[code] if code < len(NODES) else f"node {code}"
    if body is None:
        raise FileError("an XNNPACK graph has a node without a description: the file is damaged")
    fields, out_field = FIELDS.get(name, ((0,), 1))
    used = [values[n] for n in (body.integer(f, "I") for f in fields) if n in values]
    out = values.get(body.integer(out_field, "I"))
    moving = [v for v in used if v.constant is None]
    weights = used[1].constant if name in CONVOLUTIONS | {"FullyConnected"} and len(used) > 1 else None
    flowing = moving[0].dtype if moving else None
    out_axis = -1 if name == "DepthwiseConv2d" else 0
    kind = _conversion(flowing, out) if name == "Convert" else KINDS.get(name, name)
    return Operator(
        kind=kind,
        name=name,
        place=XNNPACK,
        inputs=tuple(v.name for v in moving),
        outputs=() if out is None else (out.name,),
        weights=weights.dtype if weights else None,
        activations="int8, quantised while it runs" if moving and moving[0].dynamic else flowing,
        computes=flowing,
        macs=None if out is None or weights is None else a.macs(out.shape, weights.shape, out_axis),
        operand_values=a.largest(v.constant for v in used if v.constant is not None),
        clamps=_clamps(node.table(3)),
        values=0 if out is None else math.prod(out.shape),
    )


def _clamps(bounds: Table | None) -> bool:
    """Whether the answer is bounded on both sides; a relu is on one only."""
    return bounds is not None and math.isfinite(bounds.real(0)) and math.isfinite(bounds.real(1))


def _conversion(flowing: str | None, out: _Value | None) -> str:
    if out is not None and out.dtype in a.INTEGERS and flowing not in a.INTEGERS:
        return a.QUANTIZE
    return a.DEQUANTIZE if flowing in a.INTEGERS else "convert"
