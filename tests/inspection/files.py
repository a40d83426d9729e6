"""Small files of every format, written by hand byte by byte, so that the readers are tried without any converter."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# --- flatbuffers: fields by number; ("i", 3) a number, bytes a vector, list a vector of tables, dict a table --------------


class Flat:
    """Writes a flatbuffer front to back: a table, then all that it points to."""

    def __init__(self, identifier: bytes) -> None:
        self.data = bytearray(8)
        self.data[4:8] = identifier

    def root(self, table: Mapping[int, Any]) -> bytes:
        struct.pack_into("<I", self.data, 0, self.table(table))
        return bytes(self.data)

    def table(self, fields: Mapping[int, Any]) -> int:
        self._align(8)
        count = max(fields, default=-1) + 1
        vtable = len(self.data)
        self.data += bytes(4 + 2 * count)
        self._align(8)
        at = len(self.data)
        self.data += struct.pack("<i", at - vtable) + bytes(4)
        slots: list[tuple[int, Any]] = []
        for number, value in fields.items():
            struct.pack_into("<H", self.data, vtable + 4 + 2 * number, len(self.data) - at)
            if isinstance(value, tuple):
                packed = struct.pack("<" + value[0], value[1])
                self.data += packed + bytes(-len(packed) % 4)
            else:
                slots.append((len(self.data), value))
                self.data += bytes(4)
        struct.pack_into("<HH", self.data, vtable, 4 + 2 * count, len(self.data) - at)
        for slot, value in slots:
            struct.pack_into("<I", self.data, slot, self._place(value) - slot)
        return at

    def _place(self, value: Any) -> int:
        if isinstance(value, Mapping):
            return self.table(value)
        self._align(4)
        at = len(self.data)
        if isinstance(value, list):
            self.data += struct.pack("<I", len(value)) + bytes(4 * len(value))
            for i, table in enumerate(value):
                slot = at + 4 + 4 * i
                struct.pack_into("<I", self.data, slot, self.table(table) - slot)
            return at
        array = (
            np.frombuffer(value.encode() if isinstance(value, str) else value, np.uint8)
            if isinstance(value, str | bytes)
            else value
        )
        self.data += struct.pack("<I", len(array)) + array.tobytes() + b"\0"
        return at

    def _align(self, to: int) -> None:
        self.data += bytes(-len(self.data) % to)


def ints(*numbers: int) -> Any:
    return np.array(numbers, "<i4")


FLOAT32, INT8 = 0, 9
CONV_2D, DEPTHWISE, DEQUANTIZE, QUANTIZE, HARD_SWISH, MUL, ADD = 3, 4, 6, 114, 117, 18, 0


def litert(
    tensors: Sequence[tuple[str, tuple[int, ...], int, bytes, int]],
    operators: Sequence[tuple[Any, ...]],
    inputs: tuple[int, ...] = (0,),
    outputs: tuple[int, ...] = (-1,),
    metadata: Mapping[str, bytes] | None = None,
) -> bytes:
    """A .tflite file of tensors (name, shape, type, stored bytes, scales) and operators (code, inputs, outputs).

    A fourth value of an operator is the activation that is fused into it, as additions name it.
    """
    codes = sorted({code for code, *_ in operators})
    buffers: list[Any] = [{}]
    entries = []
    for name, shape, dtype, stored, scales in tensors:
        entry: dict[int, Any] = {0: ints(*shape), 1: ("b", dtype), 3: name}
        if stored:
            entry[2] = ("I", len(buffers))
            buffers.append({0: stored})
        if scales:
            entry[4] = {2: np.ones(scales, "<f4")}
        entries.append(entry)
    notes = []
    for key, content in (metadata or {}).items():
        notes.append({0: key, 1: ("I", len(buffers))})
        buffers.append({0: content})
    last = len(tensors) - 1
    graph = {
        0: entries,
        1: ints(*inputs),
        2: ints(*(last if o == -1 else o for o in outputs)),
        3: [
            {0: ("I", codes.index(c)), 1: ints(*i), 2: ints(*o), **({4: {0: ("b", fused[0])}} if fused else {})}
            for c, i, o, *fused in operators
        ],
    }
    model = {0: ("I", 3), 1: [{0: ("b", c), 3: ("i", c)} for c in codes], 2: [graph], 3: "hand-made", 4: buffers, 6: notes}
    return Flat(b"TFL3").root(model)


def litert_conv(weights: Any, scales: int = 0, activations: int = FLOAT32, dtype: int = FLOAT32, **more: Any) -> bytes:
    """A .tflite file with one convolution (out, 1, 1, in) on 4 x 4 places, then a hard-swish."""
    out, _, _, inside = weights.shape
    return litert(
        [
            ("image", (1, 4, 4, inside), activations, b"", 0),
            ("weights", weights.shape, dtype, weights.tobytes(), scales),
            ("hidden", (1, 4, 4, out), activations, b"", 0),
            ("logits", (1, 4, 4, out), activations, b"", 0),
        ],
        [(CONV_2D, (0, 1, -1), (2,)), (HARD_SWISH, (2,), (3,))],
        **more,
    )


# --- ExecuTorch ----------------------------------------------------------------------------------------------------------


def xnnpack(weights: Any, quantised: bool = False) -> bytes:
    """A graph of one convolution (out, 1, 1, in) on 4 x 4 places and a hard-swish."""
    out, _, _, inside = weights.shape

    def value(number: int, dims: tuple[int, ...], dtype: int, constant: int = 0, external: int | None = None) -> Any:
        fields = {0: ("h", dtype), 2: np.array(dims, "<u4"), 3: ("I", constant), 6: ("I", number)}
        if external is not None:
            fields |= {4: ("I", external), 5: ("I", 1)}
        return fields

    flowing = 3 if quantised else 1
    kernel = value(1, weights.shape, 6 if quantised else 1, constant=1)
    filter_value = (
        {0: ("B", 2), 1: {0: kernel, 1: ("B", 1), 2: {0: np.ones(out, "<f4")}}} if quantised else {0: ("B", 1), 1: kernel}
    )
    graph = {
        0: "0",
        1: [
            {0: ("B", 7), 1: {15: ("I", 0), 16: ("I", 1), 17: ("I", 2**32 - 1), 18: ("I", 2), 11: ("I", out)}},
            {0: ("B", 24), 1: {0: ("I", 2), 1: ("I", 3)}},
        ],
        2: [
            {0: ("B", 1), 1: value(0, (1, 4, 4, inside), flowing, external=0)},
            filter_value,
            {0: ("B", 1), 1: value(2, (1, 4, 4, out), flowing)},
            {0: ("B", 1), 1: value(3, (1, 4, 4, out), flowing, external=1)},
        ],
        8: [{}, {0: ("Q", 0), 1: ("Q", weights.nbytes)}],
    }
    flat = Flat(b"XN01").root(graph)
    start = 32
    header = bytes(4) + b"XH00" + struct.pack("<HIIIQ", 30, start, len(flat), start + len(flat), weights.nbytes)
    return bytes(header.ljust(start, b"\0") + flat + weights.tobytes())


def executorch(blob: bytes | None, portable: bool = False) -> bytes:
    """A .pte file: a delegated graph, and where asked a convolution that no delegate took."""
    image = {0: ("B", 5), 1: {0: ("b", 6), 2: ints(1, 3, 4, 4), 5: ("I", 0)}}
    hidden = {0: ("B", 5), 1: {0: ("b", 6), 2: ints(1, 8, 4, 4), 5: ("I", 0)}}
    kernel = {0: ("B", 5), 1: {0: ("b", 6), 2: ints(8, 8, 1, 1), 5: ("I", 1)}}
    instructions: list[Any] = [{0: ("B", 2), 1: {0: ("i", 0), 1: ints(0, 1)}}] if blob is not None else []
    if portable:
        instructions.append({0: ("B", 1), 1: {0: ("i", 0), 1: ints(1, 3, 2)}})
    plan = {
        0: "forward",
        2: [image, hidden, hidden, kernel],
        3: ints(0),
        4: ints(2),
        5: [{2: instructions}],
        6: [{0: "aten::convolution", 1: "out"}],
        7: [{0: "XnnpackBackend", 1: {0: ("b", 1), 1: ("I", 0)}}] if blob is not None else [],
    }
    weights = np.ones((8, 8), "<f4").tobytes()
    segments = [blob or b"", bytes(16) + weights]
    places, at = [], 0
    for segment in segments:
        places.append({0: ("Q", at), 1: ("Q", len(segment))})
        at += len(segment)
    program = {1: [plan], 4: places, 5: {0: ("I", 1), 1: np.array([0, 16], "<u8")}}
    flat = bytearray(Flat(b"ET12").root(program))
    shift = 24  # the extended header stands between the identifier and the first table
    flat[8:8] = b"eh00" + struct.pack("<IQQ", 24, len(flat) + shift, len(flat) + shift)
    struct.pack_into("<I", flat, 0, struct.unpack_from("<I", flat, 0)[0] + shift)
    return bytes(flat) + b"".join(segments)


# --- protocol buffers ----------------------------------------------------------------------------------------------------


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def onnx_value(name: str, dtype: int, shape: Sequence[int]) -> bytes:
    dims = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, dims)))


def onnx_tensor(name: str, array: Any) -> bytes:
    code = {"float32": 1, "uint8": 2, "int8": 3, "float16": 10, "int32": 6}[str(array.dtype)]
    return b"".join(field(1, n) for n in array.shape) + field(2, code) + field(8, name) + field(9, array.tobytes())


def onnx_node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int | Sequence[int]) -> bytes:
    body = b"".join(field(1, n) for n in inputs) + b"".join(field(2, n) for n in outputs) + field(4, op)
    for name, value in attributes.items():
        held = field(3, value) if isinstance(value, int) else b"".join(field(8, n) for n in value)
        body += field(5, field(1, name) + held)
    return body


def onnx(
    nodes: Sequence[bytes], weights: Mapping[str, Any], inputs: Sequence[bytes], outputs: Sequence[bytes], **notes: str
) -> bytes:
    """An .onnx file of opset 18."""
    graph = b"".join(field(1, n) for n in nodes) + b"".join(field(5, onnx_tensor(n, w)) for n, w in weights.items())
    graph += b"".join(field(11, v) for v in inputs) + b"".join(field(12, v) for v in outputs)
    about = b"".join(field(14, field(1, k) + field(2, v)) for k, v in notes.items())
    return field(1, 10) + field(2, "hand") + field(7, graph) + field(8, field(1, "") + field(2, 18)) + about


# --- Core ML -------------------------------------------------------------------------------------------------------------


def mil_type(dtype: int, shape: Sequence[int]) -> bytes:
    return field(1, field(1, dtype) + field(2, len(shape)) + b"".join(field(3, field(1, field(1, n))) for n in shape))


def mil_named(name: str, dtype: int, shape: Sequence[int]) -> bytes:
    return field(1, name) + field(2, mil_type(dtype, shape))


def mil_op(kind: str, inputs: Mapping[str, str], output: bytes, attributes: Mapping[str, bytes] | None = None) -> bytes:
    body = field(1, kind)
    for key, name in inputs.items():
        body += field(2, field(1, key) + field(2, field(1, field(1, name))))
    body += field(3, output)
    for key, value in (attributes or {}).items():
        body += field(5, field(1, key) + field(2, value))
    return body


def coreml(weights: Any, path: Path, damage: Mapping[str, bytes] | None = None) -> Path:
    """A zipped .mlpackage with one fp16 convolution (8, 3, 1, 1) on 4 x 4 places."""
    blob = bytes(64) + struct.pack("<IIQQ", 0xDEADBEEF, 1, weights.nbytes, 128).ljust(64, b"\0") + weights.tobytes()
    held = field(2, mil_type(10, weights.shape)) + field(5, field(1, "@model_path/weights/weight.bin") + field(2, 64))
    ops = [
        mil_op("const", {}, mil_named("w", 10, weights.shape), {"val": held}),
        mil_op("conv", {"x": "image", "weight": "w"}, mil_named("y", 10, (1, 8, 4, 4))),
    ]
    block = field(2, "y") + b"".join(field(3, op) for op in ops)
    function = (
        field(1, mil_named("image", 10, (1, 3, 4, 4))) + field(2, "CoreML6") + field(3, field(1, "CoreML6") + field(2, block))
    )
    array = field(5, b"".join(field(1, n) for n in (1, 3, 4, 4)) + field(2, 65568))
    about = field(1, field(1, "image") + field(3, array)) + field(10, field(1, "y") + field(3, array))
    about += field(100, field(4, "Apache-2.0") + field(100, field(1, "labels") + field(2, "clock")))
    model = field(1, 7) + field(2, about) + field(502, field(1, 1) + field(2, field(1, "main") + field(2, function)))
    manifest = {"rootModelIdentifier": "m", "itemInfoEntries": {"m": {"path": "com.apple.CoreML/model.mlmodel"}}}
    members = {
        "m.mlpackage/Manifest.json": json.dumps(manifest).encode(),
        "m.mlpackage/Data/com.apple.CoreML/model.mlmodel": model,
        "m.mlpackage/Data/com.apple.CoreML/weights/weight.bin": blob,
        **(damage or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(buffer.getvalue())
    return path
