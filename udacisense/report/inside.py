"""Contents of a converted file in sentences, shared by the command line and the Convert page."""

from __future__ import annotations

from udacisense.inspection.inspection import Inspection
from udacisense.inspection.structure import Port
from udacisense.report.blocks import megabytes, percent


def inspected(found: Inspection) -> tuple[str, ...]:
    """One line each: bytes, ports, arithmetic, hard-swish, what the file says of itself."""
    return tuple(filter(None, (_bytes(found), _ports(found), _arithmetic(found), _activations(found), _facts(found))))


def _bytes(found: Inspection) -> str:
    return (
        f"weights {megabytes(found.weights_bytes)} · graph {megabytes(found.graph_bytes)} · "
        f"metadata {found.metadata_bytes} bytes"
    )


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
    return f"{found.macs / 1e6:.1f} M multiply-adds an image, {', '.join(shares)}"


def _activations(found: Inspection) -> str:
    return (
        f"hard-swish: {found.hard_swish_whole} whole, {found.hard_swish_decomposed} taken apart · "
        f"quantize and dequantize steps: {found.quantize_steps} · float islands: {found.float_islands}"
    )


def _facts(found: Inspection) -> str:
    return " · ".join(f"{name}: {text}" for name, text in found.facts.items() if text)
