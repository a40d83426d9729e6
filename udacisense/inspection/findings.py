"""What in a file matters to whoever ships it: what it is, why it matters, what to do. Each finding is one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from udacisense.inspection import anatomy as a
from udacisense.inspection.anatomy import Anatomy
from udacisense.inspection.graph import float_islands
from udacisense.inspection.inspection import Finding, Inspection

NARROW = {"int8": a.INTEGERS, "fp16": frozenset({"float16", "bfloat16"}), "fp32": frozenset({"float32", "float64"})}
WITH_ROOM = frozenset({"litert", "onnx", "coreml"})
"""Formats whose files have room for labels and preprocessing."""


def judge(found: Anatomy, about: Inspection) -> tuple[Finding, ...]:
    """Every finding, warnings first."""
    findings = [finding for rule in RULES for finding in rule(found, about)]
    return tuple(sorted(findings, key=lambda f: f.weight != "warning"))


def changed_since(artifact_id: str) -> Finding:
    """The finding on a file that is not the one that its record speaks of."""
    return Finding(
        "warning",
        f"It is not the file that was recorded as {artifact_id}: its sha256 is another.",
        "No accuracy, latency or verdict that is recorded under this name is this file's.",
        "Convert the checkpoint again.",
    )


def _named_wrong(found: Anatomy, about: Inspection) -> Iterator[Finding]:
    wanted = NARROW.get(about.precision or "")
    weights = [t for t in found.tensors if len(t.shape) > 1]
    total = sum(t.stored_bytes for t in weights)
    if wanted is None or not total:
        return
    fitting = sum(t.stored_bytes for t in weights if t.dtype in wanted)
    if fitting * 2 < total:
        kept = ", ".join(sorted({t.dtype for t in weights if t.dtype not in wanted}))
        yield Finding(
            "warning",
            f"It is called {about.precision}, but only {fitting / total:.0%} of its weights' bytes are; the rest is {kept}.",
            "Size, speed and accuracy are not those of the precision that its name promises.",
            "Convert again at that precision, and publish no figure of this file under that name.",
        )


def _float_arithmetic(found: Anatomy, about: Inspection) -> Iterator[Finding]:
    narrow = sum(t.stored_bytes for t in found.tensors if t.dtype in a.INTEGERS or "palette" in t.dtype)
    if about.int8_share is not None and about.int8_share < 0.5 and 2 * narrow > about.weights_bytes:
        yield Finding(
            "note",
            f"Its weights are narrow, but only {about.int8_share:.0%} of its multiplications run in int8.",
            "The weights are widened before they are used: the file is smaller, not faster.",
            "Benchmark it beside the fp32 file. For speed, convert with static int8.",
        )


def _dynamic_depthwise(found: Anatomy, _about: Inspection) -> Iterator[Finding]:
    hit = [op for op in found.operators if op.kind == a.DEPTHWISE and "while it runs" in (op.activations or "")]
    if hit:
        yield Finding(
            "warning",
            f"{len(hit)} depthwise convolutions quantise their activations while they run (dynamic int8).",
            "Channels of very different range share one scale then; networks like this one have lost most of their answers so.",
            "Verify it on real pictures before anything else. Static int8, or weights only, keeps the answers better.",
        )


def _per_tensor(found: Anatomy, _about: Inspection) -> Iterator[Finding]:
    coarse = [t for t in found.tensors if t.dtype in a.INTEGERS and t.scales == 1 and len(t.shape) == 4]
    if coarse:
        yield Finding(
            "warning",
            f"{len(coarse)} convolutions have one scale for all their weights (per tensor).",
            "Folding batch norm gives the channels very different ranges; one scale for all wipes out the small ones.",
            "Convert with one scale for each channel.",
        )


def _left_behind(found: Anatomy, about: Inspection) -> Iterator[Finding]:
    if about.format != "executorch":
        return
    left = [op for op in found.operators if op.place != "XNNPACK" and op.kind != a.RESHAPE]
    if not left:
        return
    heavy = [op for op in left if op.kind in a.HEAVY]
    names = ", ".join(sorted({op.name.rpartition("::")[2] for op in left})[:6])
    share = f"; {1 - about.delegated_share:.0%} of the multiplications" if about.delegated_share is not None else ""
    yield Finding(
        "warning" if heavy else "note",
        f"{len(left)} of {len(found.operators)} operators are left to portable kernels ({names}{share}).",
        "Portable kernels are written to be right on any processor: 10 to 100 times slower than XNNPACK's.",
        "Lower the program with the XNNPACK partitioner, and look which operator it refuses."
        if heavy
        else "Nothing where they are few and small; a benchmark tells.",
    )


def _hard_swish(_found: Anatomy, about: Inspection) -> Iterator[Finding]:
    if about.hard_swish_decomposed:
        total = about.hard_swish_decomposed + about.hard_swish_whole
        yield Finding(
            "warning" if about.int8_share else "note",
            f"{about.hard_swish_decomposed} of {total} hard-swishes are taken apart into single steps.",
            "Each step reads and writes the whole activation, and in an int8 file each is rounded by itself.",
            "Convert with a version of the tools that keeps hard-swish whole, or leave those steps in float.",
        )


def _islands(found: Anatomy, about: Inspection) -> Iterator[Finding]:
    if not about.float_islands:
        return
    kinds = sorted({found.operators[i].kind for island in float_islands(found.operators) for i in island})
    yield Finding(
        "note",
        f"{about.float_islands} groups of float operators stand between int8 ones ({', '.join(kinds[:6])}).",
        "The data is widened before each group and narrowed after it; that can cost more than int8 saves.",
        "Benchmark it beside the fp32 file. Keep a group in float only where it saves the accuracy.",
    )


def _batch_norm(_found: Anatomy, about: Inspection) -> Iterator[Finding]:
    if about.unfolded_batch_norms:
        yield Finding(
            "warning",
            f"{about.unfolded_batch_norms} batch norms were not folded into their convolutions.",
            "Each is one more pass over the activation, and it spoils the ranges that int8 is calibrated on.",
            "Convert in evaluation mode, with a converter that folds them.",
        )


def _subnormal(_found: Anatomy, about: Inspection) -> Iterator[Finding]:
    if about.subnormal_weights:
        yield Finding(
            "warning",
            f"{about.subnormal_weights} weights are subnormal: closer to 0 than 1.2e-38.",
            "Many processors take a hundred times longer for them: a trained file can be slower than an untrained one.",
            "Set them to 0 in the checkpoint and convert again: no answer changes.",
        )


def _not_finite(found: Anatomy, _about: Inspection) -> Iterator[Finding]:
    broken = [t for t in found.tensors if t.not_finite]
    if broken:
        yield Finding(
            "warning",
            f"{sum(t.not_finite for t in broken)} weights are NaN or infinite, the first in {broken[0].name!r}.",
            "One of them is enough to make every answer NaN; in fp16 they come from weights above 65,504.",
            "Check the checkpoint's training, or convert in fp32.",
        )


def _ports(_found: Anatomy, about: Inspection) -> Iterator[Finding]:
    for port, side in [(p, "input") for p in about.inputs] + [(p, "output") for p in about.outputs]:
        if port.dtype in a.INTEGERS:
            yield Finding(
                "warning",
                f"Its {side} {port.name!r} is {port.dtype}, not float.",
                "An app must quantise by the file's own scale and zero point; one that hands over floats gets noise.",
                "Convert with float inputs and outputs, or apply the scale that the file names.",
            )
    if about.layout == "NHWC":
        yield Finding(
            "note",
            "Its input is channels-last (1, height, width, 3).",
            "PyTorch's order is channels-first; a picture in the wrong order gives confident nonsense.",
            "Feed rows of pixels with their three colours side by side.",
        )
    elif about.layout == "NCHW" and about.format == "litert":
        yield Finding(
            "note",
            "Its input is channels-first (1, 3, height, width), as in PyTorch.",
            "Most LiteRT samples feed channels-last; a picture in the wrong order gives confident nonsense.",
            "Feed the red plane, then the green, then the blue one.",
        )


def _silent(found: Anatomy, about: Inspection) -> Iterator[Finding]:
    text = " ".join([*found.metadata.keys(), *found.metadata.values()]).lower()
    missing = [word for word in ("labels", "mean") if word not in text]
    if about.format in WITH_ROOM and missing:
        yield Finding(
            "note",
            "It does not say its labels and preprocessing.",
            "Wrong preprocessing looks like a bad conversion: it costs points of accuracy and raises no error.",
            "Convert again with this version, which writes both into the file, or ship labels.txt and the record beside it.",
        )


RULES: tuple[Callable[[Anatomy, Inspection], Iterator[Finding]], ...] = (
    _not_finite,
    _named_wrong,
    _left_behind,
    _dynamic_depthwise,
    _per_tensor,
    _batch_norm,
    _subnormal,
    _hard_swish,
    _float_arithmetic,
    _islands,
    _ports,
    _silent,
)
