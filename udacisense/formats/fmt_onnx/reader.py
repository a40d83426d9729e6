"""ONNX models (.onnx), by onnx.proto: the graph, its weights, and the quantize/dequantize pairs around its operators."""

from __future__ import annotations

import math
from pathlib import Path

from udacisense.file_structure import structure as a
from udacisense.file_structure.protobuf import Message
from udacisense.file_structure.structure import FileError, ModelStructure, Operator, Port, Tensor
from udacisense.file_structure.weights import tensor_of
from udacisense.formats.fmt_onnx.shapes import Node, output_shape

RUNTIME = "ONNX Runtime"
TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16", 21: "uint4", 22: "int4",
}  # fmt: skip
VALUE_FIELDS = {1: (4, 4), 6: (5, 0), 7: (7, 0), 11: (10, 8)}  # type -> field of unpacked values, bytes of one
KINDS = {
    "Conv": a.CONV,
    "ConvInteger": a.CONV,
    "QLinearConv": a.CONV,
    "Gemm": a.LINEAR,
    "MatMul": a.LINEAR,
    "QGemm": a.LINEAR,
    "MatMulInteger": a.LINEAR,
    "HardSwish": a.HARD_SWISH,
    "HardSigmoid": a.HARD_SIGMOID,
    "Clip": a.CLAMP,
    "Add": a.ADD,
    "Mul": a.MUL,
    "Div": a.DIV,
    "BatchNormalization": a.BATCH_NORM,
    "QuantizeLinear": a.QUANTIZE,
    "DynamicQuantizeLinear": a.QUANTIZE,
    "DequantizeLinear": a.DEQUANTIZE,
    "GlobalAveragePool": a.POOL,
    "AveragePool": a.POOL,
    "ReduceMean": a.POOL,
    "Reshape": a.RESHAPE,
    "Flatten": a.RESHAPE,
    "Squeeze": a.RESHAPE,
    "Transpose": a.RESHAPE,
    "Identity": a.RESHAPE,
}
INTEGER_PAIRS = {
    "Conv", "Gemm", "MatMul", "Add", "Mul", "GlobalAveragePool", "AveragePool", "Sigmoid", "LeakyRelu", "Concat", "Softmax",
}  # fmt: skip
"""What ONNX Runtime joins with the quantize/dequantize pairs around it; anything else stays float between them."""

FLOAT_OUT = {"Gemm", "MatMul"}
"""Those of them that may also answer in float."""

ABSORBED = {"Relu", "Clip"}
INTEGER_KERNELS = {"ConvInteger", "QLinearConv", "QGemm", "MatMulInteger"}


def read(path: Path) -> ModelStructure:
    """Take an ONNX file apart.

    Raises:
        FileError: it is no ONNX model, or cut off, or damaged.
    """
    data = memoryview(path.read_bytes())
    model = Message(data)
    if not model.has(7) or not model.has(8):
        raise FileError("the file is no ONNX model: it has no graph, or names no operator set")
    graph = Graph(model.message(7))
    graph.read()
    opsets = {o.text(1) or "ai.onnx": o.integer(2) for o in model.messages(8)}
    metadata = model.texts_by_key(14)
    return ModelStructure(
        weights_bytes=sum(t.stored_bytes for t in graph.tensors.values()),
        metadata_bytes=sum(len(k.encode()) + len(v.encode()) for k, v in metadata.items()),
        inputs=graph.inputs,
        outputs=graph.outputs,
        operators=tuple(graph.operators),
        tensors=tuple(graph.tensors.values()),
        facts={
            "opset": ", ".join(f"{name} {version}" for name, version in sorted(opsets.items())),
            "ir": str(model.integer(1)),
            "producer": f"{model.text(2)} {model.text(3)}".strip(),
        },
        metadata=metadata,
    )


class Graph:
    """The graph, followed in the order of its nodes."""

    def __init__(self, graph: Message) -> None:
        self._graph = graph
        self.tensors = {t.name: t for t in map(_stored, graph.messages(5))}
        self.inputs = tuple(p for p in map(_port, graph.messages(11)) if p.name not in self.tensors)
        self.outputs = tuple(map(_port, graph.messages(12)))
        self.operators: list[Operator] = []
        self._shapes = {p.name: p.shape for p in (*map(_port, graph.messages(13)), *self.inputs, *self.outputs)}
        self._shapes |= {name: t.shape for name, t in self.tensors.items()}
        self._types = {p.name: p.dtype for p in self.inputs}
        self._requantised = _requantised(graph.messages(1))
        self._weights: dict[str, Tensor] = dict(self.tensors)  # also what is made of weights alone: their dequantised values

    def read(self) -> None:
        """Fill `operators`."""
        for node in self._graph.messages(1):
            self._add(Node(node.text(4), node.texts(1), node.texts(2), node.messages(5)))

    def _add(self, node: Node) -> None:
        kind = KINDS.get(node.op, node.op)
        if node.op == "Constant" and node.outputs:
            held = node.tensor("value")
            if held is not None:
                tensor = _stored(held)
                self._weights[node.outputs[0]] = tensor
                self._shapes[node.outputs[0]] = tensor.shape
            return
        moving = tuple(n for n in node.inputs if n and n not in self._weights)
        self._infer(node)
        if node.op == "Cast" and node.inputs and not moving:  # worked out once, when the runtime loads the file
            self._weights |= dict.fromkeys(node.outputs, self._weights[node.inputs[0]])
            return
        made_of_weights = node.op == "Mul" and not moving
        if node.inputs and node.inputs[0] in self._weights and (kind == a.DEQUANTIZE or made_of_weights):
            self._dequantised_weight(node)
            return
        self._types |= dict.fromkeys(node.outputs, self._type_after(kind, node, moving))
        if kind == a.CONV and self._group(node) > 1:
            kind = a.DEPTHWISE
        self.operators.append(self._operator(kind, node, moving))

    def _infer(self, node: Node) -> None:
        if node.outputs and -1 in self._shapes.get(node.outputs[0], (-1,)):
            shape = output_shape(node, [self._shapes.get(name) for name in node.inputs])
            if shape is not None:
                self._shapes[node.outputs[0]] = shape

    def _dequantised_weight(self, node: Node) -> None:
        weight = self._weights[node.inputs[0]]
        scale = self._weights.get(node.inputs[1]) if len(node.inputs) > 1 else None
        counted = Tensor(weight.name, weight.shape, weight.dtype, weight.stored_bytes, math.prod(scale.shape) if scale else 1)
        if weight.name in self.tensors:
            self.tensors[weight.name] = counted
        self._weights |= dict.fromkeys(node.outputs, counted)

    def _type_after(self, kind: str, node: Node, moving: tuple[str, ...]) -> str:
        """What flows on; behind a dequantize it is a float that stands for an integer, which the runtime computes with."""
        if kind == a.QUANTIZE:
            zero = self._weights.get(node.inputs[2]) if len(node.inputs) > 2 else None
            return zero.dtype if zero else "uint8"
        if kind == a.DEQUANTIZE:
            return f"{self._types.get(moving[0], 'int8') if moving else 'int8'}, dequantised"
        if node.op == "Cast":
            return TYPES.get(node.integer("to", 1), "unknown")
        before = self._types.get(moving[0], "float32") if moving else "float32"
        return before if kind == a.RESHAPE else before.removesuffix(", dequantised") if "float" in before else "float32"

    def _operator(self, kind: str, node: Node, moving: tuple[str, ...]) -> Operator:
        weights = [self._weights[n] for n in node.inputs if n in self._weights]
        heavy = max(weights, key=lambda t: math.prod(t.shape), default=None) if kind in a.HEAVY else None
        flowing = self._types.get(moving[0]) if moving else None
        clean = flowing.removesuffix(", dequantised") if flowing else None
        integer = node.op in INTEGER_KERNELS or (clean in a.INTEGERS and self._fused(kind, node, heavy))
        return Operator(
            kind=kind,
            name=node.op,
            place=RUNTIME,
            inputs=moving,
            outputs=node.outputs,
            weights=heavy.dtype if heavy else None,
            activations=clean,
            computes="int8" if integer else "float16" if clean == "float16" else "float32",
            macs=self._macs(kind, node, heavy),
            operand_values=a.largest(weights),
        )

    def _fused(self, kind: str, node: Node, weights: Tensor | None) -> bool:
        """Whether the runtime can make one integer operator of this one and the pairs around it."""
        if kind == a.RESHAPE or node.op in ABSORBED:
            return True
        ends = node.op in FLOAT_OUT or bool(self._requantised & set(node.outputs))
        return node.op in INTEGER_PAIRS and ends and (weights is None or weights.dtype in a.INTEGERS)

    def _macs(self, kind: str, node: Node, weights: Tensor | None) -> int | None:
        output = self._shapes.get(node.outputs[0]) if node.outputs else None
        if kind not in a.HEAVY or weights is None:
            return None
        if kind == a.LINEAR:
            return math.prod(weights.shape)
        return None if output is None or -1 in output else a.macs(output, weights.shape, 0)

    @staticmethod
    def _group(node: Node) -> int:
        return node.integer("group", 1)


def _requantised(nodes: list[Message]) -> set[str]:
    """The tensors that are quantised next, at once or behind an activation that the quantisation takes in."""
    found = {name for n in nodes if n.text(4) == "QuantizeLinear" for name in n.texts(1)[:1]}
    absorbed = [n for n in nodes if n.text(4) in ABSORBED]
    return found | {n.texts(1)[0] for n in absorbed if n.texts(1) and set(n.texts(2)) & found}


def _port(value: Message) -> Port:
    tensor = value.message(2).message(1)
    dims = tensor.message(2).messages(1)
    return Port(
        value.text(1), tuple(d.integer(1, -1) if d.has(1) else -1 for d in dims), TYPES.get(tensor.integer(1), "unknown")
    )


def _stored(tensor: Message) -> Tensor:
    name, shape, code = tensor.text(8), tensor.integers(1), tensor.integer(2)
    dtype = TYPES.get(code, "unknown")
    if tensor.integer(14) == 1:
        raise FileError(f"the weights of {name!r} lie in another file; inspect a model that holds them itself")
    if tensor.has(9):
        return tensor_of(name, shape, dtype, tensor.raw(9))
    field, width = VALUE_FIELDS.get(code, (5, 0))
    if width and tensor.has(field):
        return tensor_of(name, shape, dtype, tensor.raw(field))
    return Tensor(name, shape, dtype, len(tensor.raw(field)))
