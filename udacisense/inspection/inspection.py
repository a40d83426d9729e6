"""The answer of `inspect`: what is inside a file, in rows that can be shown, and what of it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from udacisense.file_structure import structure as a
from udacisense.file_structure.structure import ModelStructure, Operator, Port
from udacisense.inspection.graph import decomposed_hard_swish, float_islands, unfolded_batch_norms

Weight = Literal["warning", "note"]


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing in the file that somebody should know."""

    weight: Weight  # a warning asks for a decision, a note explains
    what: str
    why: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """Operators that are alike."""

    kind: str
    place: str  # what runs them
    weights: str | None
    activations: str | None
    computes: str | None
    count: int
    macs: int  # of all of them, for one image


@dataclass(frozen=True, slots=True)
class WeightRow:
    """Stored tensors of one type."""

    dtype: str
    tensors: int
    stored_bytes: int
    quantised: str | None  # "per channel", "per tensor"; None = not quantised


@dataclass(frozen=True, slots=True)
class Inspection:
    """Contents of one file."""

    file: str  # its name
    sha256: str
    format: str
    precision: str | None  # what it is said to be, by its record or its name
    size_bytes: int
    weights_bytes: int
    graph_bytes: int  # what is neither weights nor metadata
    metadata_bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layout: str | None  # of the first input: "NCHW", "NHWC"
    weights: tuple[WeightRow, ...]
    operators: tuple[OperatorRow, ...]
    macs: int | None  # for one image
    int8_share: float | None  # share of them that run in int8, 0..1
    delegated_share: float | None  # share of them that XNNPACK takes over; None = the format has no delegates
    hard_swish_whole: int
    hard_swish_decomposed: int
    float_islands: int
    quantize_steps: int  # quantize and dequantize operators that stand in the graph
    unfolded_batch_norms: int
    subnormal_weights: int
    facts: Mapping[str, str]
    metadata: Mapping[str, str]
    findings: tuple[Advice, ...] = ()


def describe(found: ModelStructure, file: str, sha256: str, format: str, precision: str | None, size_bytes: int) -> Inspection:
    """The inspection without its findings."""
    macs = sum(op.macs or 0 for op in found.operators)
    return Inspection(
        file=file,
        sha256=sha256,
        format=format,
        precision=precision,
        size_bytes=size_bytes,
        weights_bytes=found.weights_bytes,
        graph_bytes=max(size_bytes - found.weights_bytes - found.metadata_bytes, 0),
        metadata_bytes=found.metadata_bytes,
        inputs=found.inputs,
        outputs=found.outputs,
        layout=found.inputs[0].layout if found.inputs else None,
        weights=_weight_rows(found),
        operators=_operator_rows(found.operators),
        macs=macs or None,
        int8_share=_share(found.operators, lambda op: op.computes == "int8"),
        delegated_share=_share(found.operators, lambda op: op.place == "XNNPACK") if format == "executorch" else None,
        hard_swish_whole=sum(op.kind == a.HARD_SWISH for op in found.operators),
        hard_swish_decomposed=decomposed_hard_swish(found.operators),
        float_islands=len(float_islands(found.operators)),
        quantize_steps=sum(op.kind in (a.QUANTIZE, a.DEQUANTIZE) for op in found.operators),
        unfolded_batch_norms=unfolded_batch_norms(found.operators),
        subnormal_weights=sum(t.subnormal for t in found.tensors),
        facts=found.facts,
        metadata=found.metadata,
    )


def _share(operators: Iterable[Operator], chosen: Callable[[Operator], bool]) -> float | None:
    counted = [(op.macs, chosen(op)) for op in operators if op.macs]
    total = sum(macs for macs, _ in counted)
    return sum(macs for macs, yes in counted if yes) / total if total else None


def _operator_rows(operators: Sequence[Operator]) -> tuple[OperatorRow, ...]:
    counts: Counter[tuple[str, str, str | None, str | None, str | None]] = Counter()
    macs: Counter[tuple[str, str, str | None, str | None, str | None]] = Counter()
    for op in operators:
        key = (op.kind, op.place, op.weights, op.activations, op.computes)
        counts[key] += 1
        macs[key] += op.macs or 0
    rows = (OperatorRow(*key, count=count, macs=macs[key]) for key, count in counts.items())
    return tuple(sorted(rows, key=lambda r: (-r.macs, -r.count, r.kind)))


def _weight_rows(found: ModelStructure) -> tuple[WeightRow, ...]:
    counts: Counter[tuple[str, str | None]] = Counter()
    sizes: Counter[tuple[str, str | None]] = Counter()
    for tensor in found.tensors:
        key = (tensor.dtype, None if not tensor.scales else "per channel" if tensor.scales > 1 else "per tensor")
        counts[key] += 1
        sizes[key] += tensor.stored_bytes
    rows = (WeightRow(dtype, count, sizes[dtype, q], q) for (dtype, q), count in counts.items())
    return tuple(sorted(rows, key=lambda r: -r.stored_bytes))
