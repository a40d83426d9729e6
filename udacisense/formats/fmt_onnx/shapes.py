"""The shapes that ONNX operators give, where the file leaves them out: enough of them to count the work of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from udacisense.file_structure.protobuf import Message

Shape = tuple[int, ...]
ONE_TO_ONE = {"QuantizeLinear", "DequantizeLinear", "HardSwish", "HardSigmoid", "Relu", "Clip", "Identity", "Sigmoid", "Cast"}
BROADCAST = {"Add", "Mul", "Sub", "Div"}


class Node:
    """One ONNX node with its attributes."""

    def __init__(self, op: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Sequence[Message]) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self._attributes = {m.text(1): m for m in attributes}

    def integer(self, name: str, default: int) -> int:
        """An attribute that is one number."""
        return self._attributes[name].integer(3, default) if name in self._attributes else default

    def integers(self, name: str) -> Shape:
        """An attribute that is a list of numbers; () where it is left out."""
        return self._attributes[name].integers(8) if name in self._attributes else ()

    def text(self, name: str) -> str:
        """An attribute that is a string."""
        return self._attributes[name].text(4) if name in self._attributes else ""

    def tensor(self, name: str) -> Message | None:
        """An attribute that is a tensor."""
        return self._attributes[name].message(5) if name in self._attributes else None


def output_shape(node: Node, inputs: Sequence[Shape | None]) -> Shape | None:
    """The shape of a node's first output; None where it cannot be derived."""
    first = inputs[0] if inputs else None
    if first is None:
        return None
    if node.op in ONE_TO_ONE:
        return first
    if node.op in BROADCAST and len(inputs) > 1 and inputs[1] is not None:
        return tuple(max(x, y) for x, y in zip_longest(first[::-1], inputs[1][::-1], fillvalue=1))[::-1]
    if node.op in ("GlobalAveragePool", "ReduceMean") and len(first) == 4:
        return (*first[:2], 1, 1)
    if node.op == "Conv" and len(inputs) > 1 and inputs[1] is not None:
        return _convolved(node, first, inputs[1])
    return None


def _convolved(node: Node, image: Shape, weights: Shape) -> Shape | None:
    rank = len(weights) - 2
    if rank < 1 or len(image) != len(weights):
        return None
    steps = node.integers("strides") or (1,) * rank
    gaps = node.integers("dilations") or (1,) * rank
    pads = node.integers("pads") or (0,) * (2 * rank)
    if min(len(steps), len(gaps)) < rank or len(pads) < 2 * rank or 0 in steps:
        return None
    same = node.text("auto_pad").startswith("SAME")
    sides = (
        -(-image[2 + i] // steps[i])
        if same
        else (image[2 + i] + pads[i] + pads[i + rank] - gaps[i] * (weights[2 + i] - 1) - 1) // steps[i] + 1
        for i in range(rank)
    )
    return (image[0], weights[0], *sides)
