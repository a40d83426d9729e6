"""Patterns in a file's graph: decomposed hard-swish, remaining batch norms, float islands in an int8 graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udacisense.file_structure import structure as a
from udacisense.file_structure.structure import Operator

PAIRS = frozenset({a.QUANTIZE, a.DEQUANTIZE})
PASSING = PAIRS | {a.RESHAPE}
"""What changes how values are written, not what they are."""

GATES = frozenset({a.CLAMP, a.HARD_SIGMOID})
MAX_STEPS = 10
"""A hard-swish taken apart has four steps; quantisation puts a pair between each two."""


class GraphIndex:
    """Index of a graph: producer and users of each tensor."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        self.operators = operators
        self._maker = {name: i for i, op in enumerate(operators) for name in op.outputs}

    def makers(self, index: int) -> Iterator[int]:
        """The operators that an operator gets its inputs from, seen through what only passes values on."""
        for name in self.operators[index].inputs:
            for _ in range(MAX_STEPS):
                maker = self._maker.get(name)
                if maker is None or maker >= index:
                    break
                op = self.operators[maker]
                if op.kind not in PASSING or not op.inputs:
                    yield maker
                    break
                name = op.inputs[0]

    def origin(self, name: str) -> str:
        """The tensor behind the quantize/dequantize pairs."""
        for _ in range(MAX_STEPS):
            maker = self._maker.get(name)
            if maker is None or self.operators[maker].kind not in PAIRS or not self.operators[maker].inputs:
                break
            name = self.operators[maker].inputs[0]
        return name

    def gated(self, name: str, source: str) -> bool:
        """Whether a tensor is its source clamped, by steps that each take one tensor only."""
        clamped = False
        for _ in range(MAX_STEPS):
            if name == source:
                return clamped
            maker = self._maker.get(name)
            if maker is None or len(self.operators[maker].inputs) != 1 or self.operators[maker].kind in a.HEAVY:
                return False
            clamped |= self.operators[maker].kind in GATES or self.operators[maker].clamps
            name = self.origin(self.operators[maker].inputs[0])
        return False


def decomposed_hard_swish(operators: Sequence[Operator]) -> int:
    """Number of hard-swishes that stand in the file as single steps of x * clamp(x + 3) / 6."""
    wiring = GraphIndex(operators)
    found = 0
    for op in operators:
        if op.kind == a.MUL and len(op.inputs) == 2:
            one, other = map(wiring.origin, op.inputs)
            found += one != other and (wiring.gated(other, one) or wiring.gated(one, other))
    return found


def unfolded_batch_norms(operators: Sequence[Operator]) -> int:
    """Batch norms that were not folded into their convolution: as such, or as a scale and a shift for each channel."""
    wiring = GraphIndex(operators)
    found = sum(op.kind == a.BATCH_NORM for op in operators)
    for index, op in enumerate(operators):
        if op.kind == a.ADD and len(op.inputs) == 1 and op.operand_values > 1:
            scale = next(wiring.makers(index), None)
            if scale is None or operators[scale].kind != a.MUL or operators[scale].operand_values <= 1:
                continue
            found += any(operators[i].kind in a.HEAVY for i in wiring.makers(scale))
    return found


def float_islands(operators: Sequence[Operator]) -> tuple[tuple[int, ...], ...]:
    """Groups of float operators that have int8 operators before and after them, each as positions in `operators`."""
    wiring = GraphIndex(operators)
    group: dict[int, int] = {}
    before: set[int] = set()
    after: set[int] = set()
    links = [(maker, i) for i, op in enumerate(operators) if op.kind not in PASSING for maker in wiring.makers(i)]
    for maker, i in links:
        if _is_float(operators[i]) and _is_float(operators[maker]):
            group[_root(group, i)] = _root(group, maker)
    for maker, i in links:
        if _is_float(operators[i]) and _is_integer(operators[maker]):
            before.add(_root(group, i))
        if _is_float(operators[maker]) and _is_integer(operators[i]):
            after.add(_root(group, maker))
    members: dict[int, list[int]] = {}
    for i, op in enumerate(operators):
        if _is_float(op) and _root(group, i) in before & after:
            members.setdefault(_root(group, i), []).append(i)
    return tuple(tuple(m) for m in members.values())


def _is_float(op: Operator) -> bool:
    return op.kind not in PASSING and (op.computes or "").startswith(("float", "bfloat"))


def _is_integer(op: Operator) -> bool:
    """Whether integers flow into it, which they do not where it quantises them itself while it runs."""
    return op.computes == "int8" and "while it runs" not in (op.activations or "")


def _root(group: dict[int, int], index: int) -> int:
    while group.get(index, index) != index:
        group[index] = group.get(group[index], group[index])
        index = group[index]
    return index
