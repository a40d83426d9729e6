"""Contents of a converted file in sentences, shared by the command line and the Convert page."""

from __future__ import annotations

from collections.abc import Iterator

from udacisense.file_structure.structure import Port
from udacisense.inspection.inspection import Inspection
from udacisense.number_format import count, mb, millions, percent
from udacisense.report.blocks import Block, Bullets, Heading, Paragraph, Table, Warnings


def inspection_blocks(found: Inspection) -> list[Block]:
    """The file in sentences, its weights, its operators, and what to do about it."""
    weights = tuple((w.dtype, w.quantised or "–", count(w.tensors), mb(w.stored_bytes)) for w in found.weights)
    operators = tuple(
        (r.kind, r.place, r.weights or "–", r.activations or "–", r.computes or "–", count(r.count), _macs(r.macs))
        for r in found.operators
    )
    columns = ("operator", "run by", "weights", "activations", "computes in", "count", "multiply-adds")
    return [
        Paragraph(f"{found.file}: {found.format}, {mb(found.size_bytes)}"),
        *(Paragraph(said) for said in inspected(found)),
        Heading(2, "Weights"),
        Table(("type", "quantised", "tensors", "size"), weights),
        Heading(2, "Operators"),
        Table(columns, operators),
        Heading(2, "What to mind"),
        *(_advice(found) if found.findings else [Paragraph("Nothing in it asks for attention.")]),
    ]


def _advice(found: Inspection) -> Iterator[Block]:
    for advice in found.findings:
        yield Warnings((advice.what,)) if advice.weight == "warning" else Bullets((advice.what,))
        yield Paragraph(f"  Why: {advice.why}")
        yield Paragraph(f"  Do: {advice.what_to_do}")


def _macs(macs: int) -> str:
    return millions(macs) if macs else "–"


def inspected(found: Inspection) -> tuple[str, ...]:
    """One line each: bytes, ports, arithmetic, hard-swish, what the file says of itself."""
    return tuple(filter(None, (_bytes(found), _ports(found), _arithmetic(found), _activations(found), _facts(found))))


def _bytes(found: Inspection) -> str:
    return f"weights {mb(found.weights_bytes)} · graph {mb(found.graph_bytes)} · metadata {found.metadata_bytes} bytes"


def _ports(found: Inspection) -> str:
    layout = f", {found.layout}" if found.layout else ""
    inputs = ", ".join(map(port, found.inputs)) or "none"
    return f"input {inputs}{layout} · output {', '.join(map(port, found.outputs)) or 'none'}"


def port(found: Port) -> str:
    """Name, type and shape of an input or output: "x float32 1x3x224x224"."""
    shape = "x".join("any" if side < 0 else str(side) for side in found.shape)
    return f"{found.name} {found.dtype} {shape}".strip()


def _arithmetic(found: Inspection) -> str:
    if found.macs is None:
        return ""
    shares = [f"{percent(found.int8_share)} of them in int8"]
    if found.delegated_share is not None:
        shares.append(f"{percent(found.delegated_share)} run by XNNPACK")
    return f"{millions(found.macs)} multiply-adds an image, {', '.join(shares)}"


def _activations(found: Inspection) -> str:
    return (
        f"hard-swish: {found.hard_swish_whole} whole, {found.hard_swish_decomposed} taken apart · "
        f"quantize and dequantize steps: {found.quantize_steps} · float islands: {found.float_islands}"
    )


def _facts(found: Inspection) -> str:
    return " · ".join(f"{name}: {text}" for name, text in found.facts.items() if text)
