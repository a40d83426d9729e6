"""Core ML packages (.mlpackage, a folder or a zip of it), by Model.proto and MIL.proto: an ML Program and its weight file."""

from __future__ import annotations

import json
import math
import struct
import zipfile
from pathlib import Path, PurePosixPath

from udacisense.file_structure import structure as a
from udacisense.file_structure.flatbuffer import cut
from udacisense.file_structure.protobuf import Message
from udacisense.file_structure.structure import FileError, ModelStructure, Operator, Port, Tensor
from udacisense.file_structure.weights import tensor_of
from udacisense.foreign import in_brief

RUNTIME = "Core ML"
MAX_BYTES = 1 << 30
"""Largest member of a zip that is unpacked."""

SENTINEL = 0xDEADBEEF
TYPES = {
    1: "bool", 2: "string", 10: "float16", 11: "float32", 12: "float64", 21: "int8", 22: "int16", 23: "int32",
    24: "int64", 25: "int4", 31: "uint8", 32: "uint16", 33: "uint32", 35: "uint4", 36: "uint2", 37: "uint1", 38: "uint6",
    39: "uint3",
}  # fmt: skip
FEATURE_TYPES = {65552: "float16", 65568: "float32", 65600: "float64", 131104: "int32"}
KINDS = {
    "conv": a.CONV,
    "linear": a.LINEAR,
    "matmul": a.MATMUL,
    "batch_norm": a.BATCH_NORM,
    "sigmoid_hard": a.HARD_SIGMOID,
    "hard_swish": a.HARD_SWISH,
    "clip": a.CLAMP,
    "relu6": a.CLAMP,
    "add": a.ADD,
    "mul": a.MUL,
    "real_div": a.DIV,
    "reduce_mean": a.POOL,
    "avg_pool": a.POOL,
    "quantize": a.QUANTIZE,
    "dequantize": a.DEQUANTIZE,
    "reshape": a.RESHAPE,
    "squeeze": a.RESHAPE,
    "expand_dims": a.RESHAPE,
}
STORED = {"const", "constexpr_affine_dequantize", "constexpr_lut_to_dense", "constexpr_sparse_to_dense"}
ABOUT = {"description": 1, "version": 2, "author": 3, "license": 4}
MODERN = "constexpr_"
"""Every operator that only unpacks weights begins so."""


def read(path: Path) -> ModelStructure:
    """Take a .mlpackage apart.

    Raises:
        FileError: it is no Core ML package with an ML Program, or cut off, or damaged.
    """
    members = _members(path)
    spec = Message(memoryview(_model_in(members)))
    if not spec.has(502):
        raise FileError("the package holds no ML Program (an older neural network, or damaged)")
    program = Program(spec.message(502), members)
    program.read()
    about = spec.message(2)
    described = about.message(100)
    texts = {name: described.text(field) for name, field in ABOUT.items()}
    metadata = described.texts_by_key(100) | {name: text for name, text in texts.items() if text}
    return ModelStructure(
        weights_bytes=sum(t.stored_bytes for t in program.tensors),
        metadata_bytes=sum(len(k.encode()) + len(v.encode()) for k, v in metadata.items()),
        inputs=tuple(map(_feature, about.messages(1))),
        outputs=tuple(map(_feature, about.messages(10))),
        operators=tuple(program.operators),
        tensors=tuple(program.tensors),
        facts={"specification": str(spec.integer(1)), "opset": program.opset},
        metadata=metadata,
    )


# --- the package -----------------------------------------------------------------------------------------------------


def _members(path: Path) -> dict[str, bytes]:
    """The files of the package by their place in it."""
    if path.is_dir():
        found = {p.relative_to(path).as_posix(): p for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()}
        if sum(p.stat().st_size for p in found.values()) > MAX_BYTES:
            raise FileError("the package is larger than any model for a phone")
        return {name: p.read_bytes() for name, p in found.items()}
    try:
        with zipfile.ZipFile(path) as archive:
            return _unzipped(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError) as exc:
        raise FileError(f"the file is no zip of a .mlpackage, or damaged: {in_brief(exc)}") from exc


def _unzipped(archive: zipfile.ZipFile) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = MAX_BYTES
    for entry in archive.infolist():
        name = entry.filename
        inside = PurePosixPath(name)
        parts = inside.parts[1:] if inside.parts and inside.parts[0].endswith(".mlpackage") else inside.parts
        if entry.is_dir() or not parts:
            continue
        with archive.open(entry) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise FileError("the zip unpacks to more than any model for a phone")
        found["/".join(parts)] = content
    return found


def _model_in(members: dict[str, bytes]) -> bytes:
    try:
        manifest = json.loads(members["Manifest.json"])
        place = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
        return members[f"Data/{place}"]
    except (KeyError, TypeError, ValueError) as exc:
        raise FileError("the package has no readable Manifest.json that names its model") from exc


# --- the program -----------------------------------------------------------------------------------------------------


class Program:
    """The main function of an ML Program, followed in order."""

    def __init__(self, program: Message, members: dict[str, bytes]) -> None:
        functions = program.mapping(2)
        if not functions:
            raise FileError("the ML Program has no function")
        main = functions.get("main") or next(iter(functions.values()))
        self.opset = main.text(2)
        blocks = main.mapping(3)
        self._block = blocks.get(self.opset) or next(iter(blocks.values()), Message(memoryview(b"")))
        self._members = members
        self._stored: dict[str, Tensor] = {}
        self._types = {v.text(1): _type(v) for v in main.messages(1)}
        self.operators: list[Operator] = []
        self.tensors: list[Tensor] = []

    def read(self) -> None:
        """Fill `operators` and `tensors`."""
        for op in self._block.messages(3):
            name = op.text(1)
            outputs = [v.text(1) for v in op.messages(3)]
            if name in STORED or name.startswith(MODERN):
                self._store(op, outputs[0] if outputs else "", name)
            else:
                self._operator(op, name, outputs)

    def _store(self, op: Message, output: str, name: str) -> None:
        """A constant: what it holds in the file, and the type that it unpacks to."""
        result = [_type(v) for v in op.messages(3)][:1]
        values = {**op.mapping(5), **{key: arg.message(1).message(2) for key, arg in op.mapping(2).items()}}
        held = [t for key, v in values.items() if (t := self._value(v, f"{output}.{key}")) is not None and t.shape]
        shape = result[0][1] if result else ()
        if not held:
            return
        main = max(held, key=lambda t: t.stored_bytes)
        if name == "constexpr_lut_to_dense":
            bits = round(8 * sum(t.stored_bytes for t in held if t.dtype == "uint8") / max(math.prod(shape), 1))
            dtype, scales = f"{bits}-bit palette", 1
        else:
            scales = next(
                (math.prod(t.shape) for t in held if t is not main and "scale" in t.name), 1 if name != "const" else 0
            )
            dtype = main.dtype
        size = sum(t.stored_bytes for t in held)
        self._stored[output] = Tensor(output, shape, dtype, size, scales, 0, main.subnormal, main.not_finite)
        self.tensors.append(self._stored[output])

    def _value(self, value: Message, name: str) -> Tensor | None:
        dtype, shape = _type(value)
        if not value.has(5):
            return Tensor(name, shape, dtype, len(value.raw(3))) if value.has(3) and shape else None
        place = value.message(5)
        file = place.text(1).replace("@model_path/", "Data/com.apple.CoreML/")
        if file not in self._members:
            raise FileError("the program names a weight file that the package does not hold")
        return tensor_of(name, shape, dtype, _blob(memoryview(self._members[file]), place.integer(2)))

    def _operator(self, op: Message, name: str, outputs: list[str]) -> None:
        arguments = {key: [b.text(1) for b in arg.messages(1) if b.has(1)] for key, arg in op.mapping(2).items()}
        used = [n for names in arguments.values() for n in names]
        moving = tuple(n for n in used if n in self._types)
        weights = next(
            (self._stored[n] for n in arguments.get("weight", []) + arguments.get("y", []) if n in self._stored), None
        )
        self._types |= {v.text(1): _type(v) for v in op.messages(3)}
        kind = KINDS.get(name, name)
        flowing = self._types[moving[0]][0] if moving else None
        out = self._types[outputs[0]][1] if outputs else ()
        heavy = weights if kind in a.HEAVY else None
        if kind == a.CONV and heavy is not None and len(heavy.shape) > 1 and heavy.shape[1] == 1:
            kind = a.DEPTHWISE
        self.operators.append(
            Operator(
                kind=kind,
                name=name,
                place=RUNTIME,
                inputs=moving,
                outputs=tuple(outputs),
                weights=heavy.dtype if heavy else None,
                activations=flowing,
                computes=flowing,
                macs=None if heavy is None or -1 in out else a.macs(out, heavy.shape, 0),
                operand_values=a.largest(self._stored[n] for n in used if n in self._stored),
            )
        )


def _blob(data: memoryview, at: int) -> memoryview:
    """The bytes behind one entry of a weight file: a header of 64 bytes that says where they lie."""
    header = cut(data, at, 24)
    sentinel, _, size, offset = struct.unpack("<IIQQ", header)
    if sentinel != SENTINEL:
        raise FileError("the weight file is damaged: an entry does not carry its mark")
    return cut(data, offset, size)


def _type(value: Message) -> tuple[str, tuple[int, ...]]:
    tensor = value.message(2).message(1)
    shape = tuple(d.message(1).integer(1) if d.has(1) else -1 for d in tensor.messages(3))
    return TYPES.get(tensor.integer(1), "unknown"), shape


def _feature(feature: Message) -> Port:
    array = feature.message(3).message(5)
    return Port(feature.text(1), array.integers(1), FEATURE_TYPES.get(array.integer(2), "unknown"))
