"""Advice on a file for whoever ships it: what was found, why it matters, what to do. Each finding is one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from udacisense.file_structure import structure as a
from udacisense.file_structure.structure import ModelStructure, Operator
from udacisense.formats.fmt_executorch.xnnpack import XNNPACK
from udacisense.inspection.graph import float_islands
from udacisense.inspection.inspection import Advice, Inspection
from udacisense.number_format import percent

NARROW = {"int8": a.INTEGERS, "fp16": frozenset({"float16", "bfloat16"}), "fp32": frozenset({"float32", "float64"})}
NO_HARD_SWISH = {  # what to do in formats whose runtime has none
    "coreml": "Nothing in the file: Core ML has no such operator. A timing on the phone tells what it costs.",
    "onnx": "Nothing for the speed: ONNX Runtime takes it apart anyway. Where int8 loses answers, leave the steps in float.",
}
MUCH = 0.01
"""Share of all values from which operators that XNNPACK left behind are worth a warning."""


def judge(found: ModelStructure, about: Inspection) -> tuple[Advice, ...]:
    """Every finding, warnings first."""
    findings = [finding for rule in RULES for finding in rule(found, about)]
    return tuple(sorted(findings, key=lambda f: f.weight != "warning"))


def changed_since(artifact_id: str) -> Advice:
    """The finding on a file that is not the one that its record speaks of."""
    return Advice(
        "warning",
        f"It is not the file that was recorded as {artifact_id}: its sha256 is another.",
        "No accuracy, latency or verdict that is recorded under this name is this file's.",
        "Convert the checkpoint again.",
    )


def _named_wrong(found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    wanted = NARROW.get(about.precision or "")
    weights = [t for t in found.tensors if len(t.shape) > 1]
    total = sum(t.stored_bytes for t in weights)
    if wanted is None or not total:
        return
    fitting = sum(t.stored_bytes for t in weights if t.dtype in wanted)
    if fitting * 2 < total:
        kept = ", ".join(sorted({t.dtype for t in weights if t.dtype not in wanted}))
        yield Advice(
            "warning",
            f"It is called {about.precision}, but only {percent(fitting / total, 0)} of its weights' bytes are; the rest is "
            f"{kept}.",
            "Size, speed and accuracy are not those of the precision that its name promises.",
            "Convert again at that precision, and publish no figure of this file under that name.",
        )


def _float_arithmetic(found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    """Weights that are stored narrow and computed with wide."""
    work = sum(op.macs or 0 for op in found.operators)
    widened = sum(op.macs or 0 for op in found.operators if _widened(op))
    if not work or widened * 2 < work:
        return
    narrow = max((op for op in found.operators if _widened(op)), key=lambda op: op.macs or 0)
    yield Advice(
        "note",
        f"{_share(widened / work)} of its multiplications take {narrow.weights} weights, and run in {narrow.computes}.",
        "The weights are widened before they are used: the file is smaller, not faster.",
        "Take it for its size, and time it beside the fp16 file on the phone."
        if about.format == "coreml"
        else "Benchmark it beside the fp32 file. For speed, convert with static int8.",
    )


def _widened(op: Operator) -> bool:
    narrow = op.weights is not None and (op.weights in {*a.INTEGERS, "float16"} or "palette" in op.weights)
    return narrow and op.computes != op.weights and (op.computes or "").startswith(("float", "bfloat"))


def _share(share: float) -> str:
    return "All" if share == 1 else percent(share, 0)


def _half_arithmetic(found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    half = sum(op.macs or 0 for op in found.operators if op.computes == "float16")
    if about.format == "onnx" and half:
        yield Advice(
            "note",
            "It computes in float16, for which ONNX Runtime has kernels on few processors.",
            "On the others it puts a cast before and after each operator: the file is smaller, and slower than fp32.",
            "Benchmark it beside the fp32 file on the device that it is for, and ship the faster one.",
        )


def _dynamic_depthwise(found: ModelStructure, _about: Inspection) -> Iterator[Advice]:
    hit = [op for op in found.operators if op.kind == a.DEPTHWISE and "while it runs" in (op.activations or "")]
    if hit:
        yield Advice(
            "warning",
            f"{len(hit)} depthwise convolutions quantise their activations while they run (dynamic int8).",
            "Channels of very different range share one scale then; networks like this one have lost most of their answers so.",
            "Verify it on real images before anything else. Static int8, or weights only, keeps the answers better.",
        )


def _per_tensor(found: ModelStructure, _about: Inspection) -> Iterator[Advice]:
    coarse = [t for t in found.tensors if t.dtype in a.INTEGERS and t.scales == 1 and len(t.shape) == 4]
    if coarse:
        yield Advice(
            "warning",
            f"{len(coarse)} convolutions have one scale for all their weights (per tensor).",
            "Folding batch norm gives the channels very different ranges; one scale for all wipes out the small ones.",
            "Convert with one scale for each channel.",
        )


def _left_behind(found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    left = [op for op in found.operators if op.place != XNNPACK]
    if about.format != "executorch" or not left:
        return
    values, every = sum(op.values for op in left), sum(op.values for op in found.operators)
    slow = any(op.kind in a.HEAVY for op in left) or values > MUCH * every
    names = ", ".join(sorted({op.name.rpartition("::")[2] for op in left})[:6])
    yield Advice(
        "warning" if slow else "note",
        f"{len(left)} of {len(found.operators)} operators are left to portable kernels ({names}); they write {values:,} of "
        f"the {every:,} values an image{_work_left(about.delegated_share)}.",
        "Portable kernels are written to be right on any processor: 10 to 100 times slower than XNNPACK's.",
        "Lower the program with the XNNPACK partitioner, and look which operator it refuses."
        if slow
        else "Nothing while they touch so little; a benchmark tells.",
    )


def _work_left(delegated_share: float | None) -> str:
    return "" if delegated_share in (None, 1.0) else f" and do {percent(1 - delegated_share, 0)} of the multiplications"


def _hard_swish(_found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    if about.hard_swish_decomposed:
        total = about.hard_swish_decomposed + about.hard_swish_whole
        yield Advice(
            "warning" if about.int8_share else "note",
            f"{about.hard_swish_decomposed} of {total} hard-swishes are taken apart into single steps.",
            "Each step reads and writes the whole activation, and in an int8 file each is rounded by itself.",
            NO_HARD_SWISH.get(about.format)
            or "Convert with a version of the tools that keeps hard-swish whole, or leave those steps in float.",
        )


def _islands(found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    if not about.float_islands:
        return
    kinds = sorted({found.operators[i].kind for island in float_islands(found.operators) for i in island})
    yield Advice(
        "note",
        f"{about.float_islands} groups of float operators stand between int8 ones ({', '.join(kinds[:6])}).",
        "The data is widened before each group and narrowed after it; that can cost more than int8 saves.",
        "Benchmark it beside the fp32 file. Keep a group in float only where it saves the accuracy.",
    )


def _batch_norm(_found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    if about.unfolded_batch_norms:
        yield Advice(
            "warning",
            f"{about.unfolded_batch_norms} batch norms were not folded into their convolutions.",
            "Each is one more pass over the activation, and it spoils the ranges that int8 is calibrated on.",
            "Convert in evaluation mode, with a converter that folds them.",
        )


def _subnormal(_found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    if about.subnormal_weights:
        yield Advice(
            "warning",
            f"{about.subnormal_weights} weights are subnormal: closer to 0 than 1.2e-38.",
            "Many processors take a hundred times longer for them: a trained file can be slower than an untrained one.",
            "Set them to 0 in the checkpoint and convert again: no answer changes.",
        )


def _not_finite(found: ModelStructure, _about: Inspection) -> Iterator[Advice]:
    broken = [t for t in found.tensors if t.not_finite]
    if broken:
        yield Advice(
            "warning",
            f"{sum(t.not_finite for t in broken)} weights are NaN or infinite, the first in {broken[0].name!r}.",
            "One of them is enough to make every answer NaN; in fp16 they come from weights above 65,504.",
            "Check the checkpoint's training, or convert in fp32.",
        )


def _ports(_found: ModelStructure, about: Inspection) -> Iterator[Advice]:
    for port, side in [(p, "input") for p in about.inputs] + [(p, "output") for p in about.outputs]:
        if port.dtype in a.INTEGERS:
            yield Advice(
                "warning",
                f"Its {side} {port.name!r} is {port.dtype}, not float.",
                "An app must quantise by the file's own scale and zero point; one that hands over floats gets noise.",
                "Convert with float inputs and outputs, or apply the scale that the file names.",
            )
    if about.layout == "NHWC":
        yield Advice(
            "note",
            "Its input is channels-last (1, height, width, 3).",
            "PyTorch's order is channels-first; an image in the wrong order gives confident nonsense.",
            "Feed rows of pixels with their three colours side by side.",
        )
    elif about.layout == "NCHW" and about.format == "litert":
        yield Advice(
            "note",
            "Its input is channels-first (1, 3, height, width), as in PyTorch.",
            "Most LiteRT samples feed channels-last; an image in the wrong order gives confident nonsense.",
            "Feed the red plane, then the green, then the blue one.",
        )


def _silent(found: ModelStructure, _about: Inspection) -> Iterator[Advice]:
    text = " ".join([*found.metadata.keys(), *found.metadata.values()]).lower()
    missing = [word for word in ("labels", "mean") if word not in text]
    if missing:
        yield Advice(
            "note",
            "It does not say its labels and preprocessing.",
            "Wrong preprocessing looks like a bad conversion: it costs points of accuracy and raises no error.",
            "Convert again with this version, which writes both into the file, or ship labels.txt and the record beside it.",
        )


RULES: tuple[Callable[[ModelStructure, Inspection], Iterator[Advice]], ...] = (
    _not_finite,
    _named_wrong,
    _left_behind,
    _dynamic_depthwise,
    _per_tensor,
    _batch_norm,
    _subnormal,
    _hard_swish,
    _float_arithmetic,
    _half_arithmetic,
    _islands,
    _ports,
    _silent,
)
