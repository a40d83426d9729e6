"""LiteRT files for the tests: a hard-swish written by hand, and what is in a file, read by the runtime's own schema."""

from __future__ import annotations

import re
from dataclasses import dataclass

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

SHAPE = (1, 3, 4, 4)
DTYPES = {schema.TensorType.FLOAT32: "float32", schema.TensorType.FLOAT16: "float16", schema.TensorType.INT8: "int8"}
OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


def tiny(dtype: int = schema.TensorType.FLOAT32, description: bytes = b"by hand") -> bytes:
    """A model of one hard-swish over (1, 3, 4, 4)."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description, model.buffers = 3, description, [schema.BufferT()]
    graph.tensors = [_tensor(name, dtype) for name in (b"in", b"out")]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [schema.OperatorT()]
    graph.operators[0].inputs, graph.operators[0].outputs = [0], [1]
    model.operatorCodes, model.subgraphs = [schema.OperatorCodeT()], [graph]
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.HARD_SWISH
    model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.HARD_SWISH
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(name: bytes, dtype: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(SHAPE), dtype, 0
    if dtype == schema.TensorType.INT8:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.1], [0]
    return tensor


@dataclass(frozen=True)
class Row:
    """An operator as the file has it."""

    name: str  # of the tensor that it writes
    kind: str
    reads: str  # dtype of what flows in
    weights: str | None  # dtype of its stored weights
    widened: bool  # whether the weights are made float before they are used
    scales: int  # of its weights
    writes: str


def rows(content: bytes) -> list[Row]:
    """The operators of a model, without those that widen its weights."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    graph = model.subgraphs[0]
    kinds = [OPERATORS[model.operatorCodes[op.opcodeIndex].builtinCode] for op in graph.operators]
    stored = {i for i, t in enumerate(graph.tensors) if _filled(model.buffers[t.buffer])}
    wide = {
        op.outputs[0]: op.inputs[0]
        for op, kind in zip(graph.operators, kinds, strict=True)
        if kind == "DEQUANTIZE" and op.inputs[0] in stored
    }
    return [
        _row(graph, op, kind, stored, wide)
        for op, kind in zip(graph.operators, kinds, strict=True)
        if op.outputs[0] not in wide
    ]


def _filled(buffer: schema.BufferT) -> bool:
    return buffer.offset > 1 or (buffer.data is not None and len(buffer.data) > 0)


def _row(graph: schema.SubGraphT, op: schema.OperatorT, kind: str, stored: set[int], wide: dict[int, int]) -> Row:
    second = int(op.inputs[1]) if len(op.inputs) > 1 else -1
    held = wide.get(second, second) if kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED") else None
    scales = graph.tensors[held].quantization.scale if held is not None and graph.tensors[held].quantization else None
    return Row(
        name=graph.tensors[op.outputs[0]].name.decode(),
        kind=kind,
        reads=DTYPES.get(graph.tensors[op.inputs[0]].type, "other"),
        weights=DTYPES[graph.tensors[held].type] if held is not None else None,
        widened=second in wide,
        scales=0 if scales is None else len(scales),
        writes=DTYPES.get(graph.tensors[op.outputs[0]].type, "other"),
    )


def within(found: list[Row], part: str) -> list[Row]:
    """The operators whose name a pattern finds."""
    return [row for row in found if re.search(part, row.name)]
