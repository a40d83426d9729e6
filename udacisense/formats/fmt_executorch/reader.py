"""ExecuTorch programs (.pte), by schema/program.fbs: the calls of a method, and the delegates that take most of it over."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path

from udacisense.file_structure import structure as a
from udacisense.file_structure.flatbuffer import Table, cut
from udacisense.file_structure.structure import FileError, ModelStructure, Operator, Port, Tensor
from udacisense.file_structure.weights import bytes_of, tensor_of
from udacisense.formats.fmt_executorch.xnnpack import BYTES, XNNPACK, read_graph

PORTABLE = "portable kernels"
FORWARD = "forward"
TENSOR, STRING, KERNEL_CALL, DELEGATE_CALL = 5, 6, 1, 2  # members of the unions KernelTypes and InstructionArguments
SCALARS = ("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
KINDS = {
    "convolution": a.CONV,
    "linear": a.LINEAR,
    "addmm": a.LINEAR,
    "mm": a.MATMUL,
    "bmm": a.MATMUL,
    "hardswish": a.HARD_SWISH,
    "hardsigmoid": a.HARD_SIGMOID,
    "clamp": a.CLAMP,
    "hardtanh": a.CLAMP,
    "add": a.ADD,
    "mul": a.MUL,
    "div": a.DIV,
    "mean": a.POOL,
    "_native_batch_norm_legit_no_training": a.BATCH_NORM,
    "quantize_per_tensor": a.QUANTIZE,
    "quantize_per_channel": a.QUANTIZE,
    "dequantize_per_tensor": a.DEQUANTIZE,
    "dequantize_per_channel": a.DEQUANTIZE,
    "view_copy": a.RESHAPE,
    "permute_copy": a.RESHAPE,
    "_clone_dim_order": "copy",
    "_to_dim_order_copy": "copy",
    "clone": "copy",
}


def read(path: Path) -> ModelStructure:
    """Take a .pte file apart.

    Raises:
        FileError: it is no ExecuTorch program, or cut off, or damaged.
    """
    data = memoryview(path.read_bytes())
    program = Table.root(data, b"ET12")
    plans = program.tables(1)
    if not plans:
        raise FileError("the program has no method")
    plan = next((p for p in plans if p.text(0) == FORWARD), plans[0])
    method = Method(plan, program, Segments(data, program))
    method.read()
    metadata = {p.text(0): text for p in plans if p is not plan and (text := _answer(p)) is not None}
    return ModelStructure(
        weights_bytes=bytes_of(method.tensors),
        metadata_bytes=sum(len(name.encode()) + len(text.encode()) for name, text in metadata.items()),
        inputs=tuple(method.port(i) for i in plan.integers(3)),
        outputs=tuple(method.port(i) for i in plan.integers(4)),
        operators=tuple(method.operators),
        tensors=tuple(method.tensors),
        facts={
            "schema": f"ExecuTorch program, version {program.integer(0, 'I')}",
            "method": plan.text(0),
            "delegates": ", ".join(sorted({d.text(0) for d in plan.tables(7)})) or "none",
        },
        metadata=metadata,
    )


def _answer(plan: Table) -> str | None:
    """What a method answers that only hands out a text, as files do to tell their labels; None for any other."""
    values, outputs = plan.tables(2), plan.integers(4)
    if len(outputs) != 1 or not 0 <= outputs[0] < len(values) or values[outputs[0]].integer(0, "B") != STRING:
        return None
    text = values[outputs[0]].table(1)
    return None if text is None else text.text(0)


class Segments:
    """The parts of the file behind the program: blobs of delegates, weights, named data."""

    def __init__(self, data: memoryview, program: Table) -> None:
        extended = len(data) >= 32 and bytes(data[8:12]) == b"eh00"
        base = struct.unpack_from("<Q", data, 24)[0] if extended else 0
        self._data = data
        self._places = [(base + s.integer(0, "Q"), s.integer(1, "Q")) for s in program.tables(4)]
        self._named = {n.text(0): n.integer(1, "I") for n in program.tables(7)}

    def at(self, index: int) -> memoryview:
        """The bytes of a segment.

        Raises:
            FileError: there is no such segment.
        """
        if index >= len(self._places):
            raise FileError(f"the program names part {index} of {len(self._places)}: it is damaged")
        return cut(self._data, *self._places[index])

    def named(self, key: str) -> memoryview:
        """The bytes of a segment that a delegate knows by name.

        Raises:
            FileError: the file does not hold it.
        """
        if key not in self._named:
            raise FileError("a delegate names weights that this file does not hold: they lie in a .ptd file, or it is damaged")
        return self.at(self._named[key])


class Method:
    """One method of the program: its calls, followed in order."""

    def __init__(self, plan: Table, program: Table, segments: Segments) -> None:
        self._plan, self._program, self._segments = plan, program, segments
        self._values = plan.tables(2)
        self._names = [o.text(0) for o in plan.tables(6)]
        self._delegates = plan.tables(7)
        self._constants: dict[int, Tensor] = {}
        self.operators: list[Operator] = []
        self.tensors: list[Tensor] = []

    def read(self) -> None:
        """Fill `operators` and `tensors`."""
        constants = self._read_constants()
        for chain in self._plan.tables(5):
            for instruction in chain.tables(2):
                kind, call = instruction.integer(0, "B"), instruction.table(1)
                if call is not None and kind == KERNEL_CALL:
                    self._kernel(call)
                elif call is not None and kind == DELEGATE_CALL:
                    self._delegate(call)
        self.tensors += constants

    def port(self, index: int) -> Port:
        """Type and shape of an input or output."""
        value = self._tensor(index)
        if value is None:
            return Port(f"v{index}", (), "no tensor")
        return Port(f"v{index}", value.integers(2), _scalar(value))

    def _tensor(self, index: int) -> Table | None:
        if not 0 <= index < len(self._values):
            raise FileError(f"the program names value {index} of {len(self._values)}: it is damaged")
        value = self._values[index]
        return value.table(1) if value.integer(0, "B") == TENSOR else None

    def _read_constants(self) -> list[Tensor]:
        """Weights that belong to no delegate; several values may share the bytes of one."""
        first: dict[int, Tensor] = {}
        for index in range(len(self._values)):
            value = self._tensor(index)
            number = 0 if value is None else value.integer(5, "I")
            if value is None or number == 0 or value.table(6) is not None:  # what has a place in memory changes
                continue
            dtype, shape = _scalar(value), value.integers(2)
            size = int(math.prod(shape) * BYTES.get(dtype, 1))
            self._constants[index] = tensor_of(f"v{index}", shape, dtype, self._constant(number, size))
            first.setdefault(number, self._constants[index])
        return list(first.values())

    def _constant(self, number: int, size: int) -> memoryview:
        """Bytes of a constant: in a segment of the file, or in an older file among the program's own tables."""
        place = self._program.table(5)
        offsets = [] if place is None else [int(n) for n in place.numbers(1, "<u8")]
        inline = [] if offsets else self._program.tables(2)
        if number >= max(len(offsets), len(inline)):
            raise FileError("the program names weights that this file does not hold: it is damaged")
        if place is not None and offsets:
            return cut(self._segments.at(place.integer(0, "I")), offsets[number], size)
        return cut(inline[number].raw(0), 0, size)

    def _kernel(self, call: Table) -> None:
        index = call.integer(0)
        if not 0 <= index < len(self._names):
            raise FileError("a call names an operator that the program does not list: it is damaged")
        name = self._names[index]
        short = name.rpartition("::")[2]
        used = [i for i in call.integers(1) if self._tensor(i) is not None]
        outputs, inputs = used[-1:], [i for i in used if i not in used[-1:]]
        constants = [self._constants[i] for i in inputs if i in self._constants]
        moving = [i for i in inputs if i not in self._constants]
        kind = KINDS.get(short, short)
        weights = max(constants, key=lambda t: t.stored_bytes, default=None)
        if kind == a.RESHAPE and weights is not None:  # turned weights are still weights
            self._constants |= {i: replace(weights, shape=self.port(i).shape) for i in outputs}
        flowing = next((self.port(i).dtype for i in moving), None)
        self.operators.append(
            Operator(
                kind=kind,
                name=name,
                place=PORTABLE,
                inputs=tuple(f"v{i}" for i in moving),
                outputs=tuple(f"v{i}" for i in outputs),
                weights=weights.dtype if weights and kind in a.HEAVY else None,
                activations=flowing,
                computes=flowing,
                macs=self._macs(kind, outputs, weights),
                operand_values=a.largest(constants),
                values=sum(math.prod(self.port(i).shape) for i in outputs),
            )
        )

    def _macs(self, kind: str, outputs: list[int], weights: Tensor | None) -> int | None:
        if kind not in a.HEAVY or weights is None or not outputs:
            return None
        axis = 0 if kind == a.CONV else -1  # addmm and mm keep (in, out)
        return a.macs(self.port(outputs[0]).shape, weights.shape, axis)

    def _delegate(self, call: Table) -> None:
        index = call.integer(0)
        if not 0 <= index < len(self._delegates):
            raise FileError("a call names a delegate that the program does not list: it is damaged")
        delegate, args = self._delegates[index], [f"v{i}" for i in call.integers(1)]
        name = delegate.text(0)
        if name != "XnnpackBackend":
            self.operators.append(Operator(name, name, name, inputs=tuple(args[:1]), outputs=tuple(args[1:])))
            return
        operators, tensors = read_graph(self._blob(delegate), self._segments.named, args, f"d{index}")
        self.operators += operators
        self.tensors += tensors

    def _blob(self, delegate: Table) -> memoryview:
        place = delegate.table(1)
        if place is None:
            raise FileError("a delegate has no data: the file is damaged")
        index = place.integer(1, "I")
        if place.integer(0, "b") == 1:
            return self._segments.at(index)
        inline = self._program.tables(3)
        if index >= len(inline):
            raise FileError("a delegate names data that the file does not hold: it is damaged")
        return inline[index].raw(0)


def _scalar(value: Table) -> str:
    number = value.integer(0, "b")
    return SCALARS[number] if 0 <= number < len(SCALARS) else "bool" if number == 11 else f"type {number}"


__all__ = ["PORTABLE", "XNNPACK", "read"]
