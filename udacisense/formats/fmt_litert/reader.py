"""LiteRT models (.tflite), by schema.fbs: operators, tensors with their quantisation, buffers, metadata."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from udacisense.file_structure import structure as a
from udacisense.file_structure.flatbuffer import Table, cut
from udacisense.file_structure.structure import FileError, ModelStructure, Operator, Port, Tensor
from udacisense.file_structure.weights import bytes_of, tensor_of
from udacisense.formats.fmt_litert.operators import NAMES

RUNTIME = "LiteRT"
TYPES = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8", "float64",
    "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4", "bfloat16", "int2",
)  # fmt: skip
KINDS = {
    "CONV_2D": a.CONV,
    "DEPTHWISE_CONV_2D": a.DEPTHWISE,
    "FULLY_CONNECTED": a.LINEAR,
    "BATCH_MATMUL": a.MATMUL,
    "HARD_SWISH": a.HARD_SWISH,
    "RELU6": a.CLAMP,
    "RELU_0_TO_1": a.CLAMP,
    "MINIMUM": a.CLAMP,
    "MAXIMUM": a.CLAMP,
    "ADD": a.ADD,
    "MUL": a.MUL,
    "DIV": a.DIV,
    "MEAN": a.POOL,
    "SUM": a.POOL,
    "AVERAGE_POOL_2D": a.POOL,
    "QUANTIZE": a.QUANTIZE,
    "DEQUANTIZE": a.DEQUANTIZE,
    "RESHAPE": a.RESHAPE,
    "TRANSPOSE": a.RESHAPE,
    "SQUEEZE": a.RESHAPE,
}
FLOATS = {"float32", "float16", "float64", "bfloat16"}
FUSED = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 4, "FULLY_CONNECTED": 0, "ADD": 0, "MUL": 0, "SUB": 0, "DIV": 0}
"""Where an operator's options name the activation that is fused into it."""

RELU_N1_TO_1, RELU6 = 2, 3  # fused activations that are bounded on both sides


def read(path: Path) -> ModelStructure:
    """Take a .tflite file apart.

    Raises:
        FileError: it is no LiteRT model, or cut off, or damaged.
    """
    content = path.read_bytes()
    data = memoryview(content)
    model = Table.root(data, b"TFL3")
    graphs = model.tables(2)
    if not graphs:
        raise FileError("the model has no graph")
    graph = Graph(graphs[0], model, data)
    graph.read()
    metadata = {m.text(0): graph.buffer(m.integer(1, "I")) for m in model.tables(6)}
    attached, attached_bytes = _attached(content)
    plain = {name: _text(raw) for name, raw in metadata.items()} | attached
    return ModelStructure(
        weights_bytes=bytes_of(graph.tensors),
        metadata_bytes=sum(len(raw) for raw in metadata.values()) + attached_bytes,
        inputs=tuple(graph.port(i) for i in graphs[0].integers(1)),
        outputs=tuple(graph.port(i) for i in graphs[0].integers(2)),
        operators=tuple(graph.operators),
        tensors=tuple(graph.tensors),
        facts={"schema": f"TFLite, version {model.integer(0, 'I')}", "description": model.text(3)},
        metadata=plain,
    )


def _text(raw: memoryview) -> str:
    text = bytes(raw[:100_000]).rstrip(b"\0").decode("utf-8", "replace")
    return text if "".join(text.split()).isprintable() else f"{len(raw)} bytes"


def _attached(content: bytes) -> tuple[dict[str, str], int]:
    """Small files packed behind the model, as LiteRT's metadata tools do (labels.txt, preprocessing.json), and their bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {}
            for entry in archive.infolist()[:20]:
                with archive.open(entry) as file:
                    found[entry.filename] = file.read(100_000).decode("utf-8", "replace")
            start = min((entry.header_offset for entry in archive.infolist()), default=len(content))
            return found, len(content) - start
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError, zlib.error):
        return {}, 0


class Graph:
    """The main graph of the model."""

    def __init__(self, graph: Table, model: Table, data: memoryview) -> None:
        self._graph, self._data = graph, data
        self._tensors = graph.tables(0)
        self._buffers = model.tables(4)
        self._codes = [_code(c) for c in model.tables(1)]
        self._stored: dict[int, Tensor] = {}
        self.tensors: list[Tensor] = []
        self._unpacked: dict[int, Tensor] = {}
        self.operators: list[Operator] = []

    def read(self) -> None:
        """Fill `tensors` (each once, though several may share its bytes) and `operators`."""
        first: dict[int, int] = {}
        for index, tensor in enumerate(self._tensors):
            number = tensor.integer(2, "I")
            raw = self.buffer(number)
            if len(raw):
                port = self.port(index)
                self._stored[index] = tensor_of(port.name, port.shape, port.dtype, raw, *_scales(tensor.table(4)))
                first.setdefault(number, index)
        self.tensors = [self._stored[index] for index in first.values()]
        for op in self._graph.tables(3):
            self._add(op)

    def buffer(self, index: int) -> memoryview:
        """The bytes of a buffer, which may lie behind the tables in a large file.

        Raises:
            FileError: there is no such buffer.
        """
        if index >= len(self._buffers):
            raise FileError("a tensor names a buffer that the file does not hold: it is damaged")
        buffer = self._buffers[index]
        start, size = buffer.integer(1, "Q"), buffer.integer(2, "Q")
        return cut(self._data, start, size) if start > 1 else buffer.raw(0)

    def port(self, index: int) -> Port:
        """Name, shape and type of a tensor.

        Raises:
            FileError: there is no such tensor.
        """
        if not 0 <= index < len(self._tensors):
            raise FileError("the graph names a tensor that it does not hold: the file is damaged")
        tensor = self._tensors[index]
        code = tensor.integer(1, "b")
        dtype = TYPES[code] if 0 <= code < len(TYPES) else f"type {code}"
        return Port(tensor.text(3), tensor.integers(0), dtype)

    def _add(self, op: Table) -> None:
        code = op.integer(0, "I")
        if code >= len(self._codes):
            raise FileError("an operator has a code that the file does not list: it is damaged")
        name = self._codes[code]
        inputs = [i for i in op.integers(1) if i >= 0]
        outputs = [i for i in op.integers(2) if i >= 0]
        kind = KINDS.get(name, name)
        if kind == a.DEQUANTIZE and inputs and inputs[0] in self._stored:
            self._unpacked |= dict.fromkeys(outputs, self._stored[inputs[0]])  # weights, widened when the model is loaded
            return
        held = {i: tensor for i in inputs if (tensor := self._stored.get(i) or self._unpacked.get(i)) is not None}
        moving = [i for i in inputs if i not in held]
        weights = held.get(inputs[1]) if kind in a.HEAVY and len(inputs) > 1 else None
        flowing = self.port(moving[0]).dtype if moving else None
        unpacked = weights is not None and self.port(inputs[1]).dtype in FLOATS
        self.operators.append(
            Operator(
                kind=kind,
                name=name,
                place=RUNTIME,
                inputs=tuple(f"t{i}" for i in moving),
                outputs=tuple(f"t{i}" for i in outputs),
                weights=weights.dtype if weights else None,
                activations=_activations(flowing, weights, unpacked),
                computes=_computes(flowing, weights, unpacked),
                macs=self._macs(kind, weights, outputs),
                operand_values=a.largest(held.values()),
                clamps=_clamps(name, op.table(4)),
            )
        )

    def _macs(self, kind: str, weights: Tensor | None, outputs: list[int]) -> int | None:
        shape = self.port(outputs[0]).shape if outputs else ()
        if weights is None or not shape or min(shape) < 0:
            return None
        return a.macs(shape, weights.shape, -1 if kind == a.DEPTHWISE else 0)


def _scales(quantised: Table | None) -> tuple[int, int]:
    """How many scales a tensor has, and the bytes of them and their zero points."""
    if quantised is None:
        return 0, 0
    scales, zeros = quantised.numbers(2, "<f4"), quantised.numbers(3, "<i8")
    return len(scales), scales.nbytes + zeros.nbytes


def _clamps(name: str, options: Table | None) -> bool:
    return options is not None and name in FUSED and options.integer(FUSED[name], "b") in (RELU_N1_TO_1, RELU6)


def _activations(flowing: str | None, weights: Tensor | None, unpacked: bool) -> str | None:
    dynamic = flowing == "float32" and weights is not None and weights.dtype in a.INTEGERS and not unpacked
    return "int8, quantised while it runs" if dynamic else flowing


def _computes(flowing: str | None, weights: Tensor | None, unpacked: bool) -> str | None:
    """Integer weights with float activations run in int8 (the runtime quantises on the way), unless they are unpacked first."""
    if weights is not None and weights.dtype in a.INTEGERS and not unpacked:
        return "int8"
    return "int8" if flowing in a.INTEGERS else flowing


def _code(code: Table) -> str:
    number = max(code.integer(0, "b"), code.integer(3))
    custom = code.text(1)
    if custom:
        return custom
    return NAMES[number] if 0 <= number < len(NAMES) else f"operator {number}"
