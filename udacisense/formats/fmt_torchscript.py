"""TorchScript, twice: the standard file (torch.jit.save) and the one for PyTorch Mobile's lite interpreter.

Both are captured alike: traced, or scripted where tracing fails or answers otherwise; then `optimize_for_mobile` where this
build of torch has XNNPACK, else `freeze`, which folds batch norm too. Every step is kept only if its answer is still the
checkpoint's, because a trace of bilinear resizing under `optimize_for_mobile` has been seen to answer wrongly. The source
positions that torch writes beside the code are left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from udacisense.errors import ExportError
from udacisense.types import Capability, Checkpoint, Conversion, Exported, Format, Session

SAME_ANSWER = 1e-3
"""Largest logit difference from the checkpoint that a step of the conversion may make; float rounding stays below 1e-4."""

_NO_TORCH = "PyTorch is not installed. Install it: pip install -r requirements.txt"
_DEPRECATED = "PyTorch calls TorchScript and its lite interpreter deprecated: they still run, new work goes to ExecuTorch."


def _unavailable(_capability: Capability) -> str | None:
    return None if importlib.util.find_spec("torch") else _NO_TORCH


# --- export --------------------------------------------------------------------------------------------------------------


def _export_standard(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    import torch

    return _export(checkpoint, asked, out, lambda module, path: torch.jit.save(module, path))


def _export_lite(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    return _export(checkpoint, asked, out, lambda module, path: module._save_for_lite_interpreter(path))


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path, write: Callable[[Any, str], object]) -> Exported:
    from udacisense.models.jit import quiet_jit
    from udacisense.models.loading import load_network

    if asked.precision != "fp32":
        raise ExportError(f"TorchScript files are written in fp32 only, {asked.precision} was asked for. Choose fp32.")
    network = load_network(checkpoint)
    probe = _probe(checkpoint)
    with quiet_jit():
        captured, captured_by, why_capture = capture(network, probe)
        module, optimised_by, why_optimiser = optimise(captured, network, probe)
        write(module, str(out))
    _drop_debug_records(out)
    reasons = tuple(reason for reason in (why_capture, why_optimiser) if reason)
    recipe: dict[str, object] = {"capture": captured_by, "optimiser": optimised_by, "input_px": list(checkpoint.input_px)}
    if why_capture:
        recipe["capture_reason"] = why_capture
    if why_optimiser:
        recipe["optimiser_reason"] = why_optimiser
    return Exported(recipe=recipe, warnings=reasons)


def _drop_debug_records(path: Path) -> None:
    """Rewrite the archive without its source positions: they name folders of the machine that made the file."""
    import torch

    reader = torch._C.PyTorchFileReader(str(path))
    names = [n for n in reader.get_all_records() if not n.endswith(".debug_pkl") and not n.startswith(".data/")]
    records = {name: reader.get_record(name) for name in names}
    del reader
    with path.open("wb") as file:
        writer = torch._C.PyTorchFileWriter(file)
        for name, content in records.items():
            writer.write_record(name, content, len(content))
        writer.write_end_of_file()


def _probe(checkpoint: Checkpoint) -> Any:
    """Two seeded random pictures: enough to tell a broken capture from a sound one, and the same ones each time."""
    import torch

    return torch.randn(2, 3, *checkpoint.input_px, generator=torch.Generator().manual_seed(0))


def capture(network: Any, probe: Any) -> tuple[Any, str, str | None]:
    """The network as TorchScript, how it was captured, and why it was not traced."""
    import torch

    if isinstance(network, torch.jit.ScriptModule):
        return network, "none", "The checkpoint is TorchScript already, so it was taken as it is."
    try:
        traced = torch.jit.trace(network, probe[:1])  # type: ignore[no-untyped-call]
        if _difference(traced, network, probe) <= SAME_ANSWER:
            return traced, "trace", None
        why = "its trace answers otherwise than the network"
    except Exception as exc:  # whatever a network's Python may raise while it is traced
        why = f"tracing failed ({_first_line(exc)})"
    scripted = torch.jit.script(network)
    return scripted, "script", f"The network was scripted, because {why}. Verify the file on real images."


def optimise(captured: Any, network: Any, probe: Any) -> tuple[Any, str, str | None]:
    """The captured module made faster, by what, and why not by something better."""
    import torch
    from torch.utils.mobile_optimizer import optimize_for_mobile

    reasons: list[str] = []
    steps: dict[str, Callable[[Any], Any]] = {"optimize_for_mobile": optimize_for_mobile, "freeze": torch.jit.freeze}
    for name, step in steps.items():
        try:
            module = step(captured)
            difference = _difference(module, network, probe)
        except Exception as exc:
            reasons.append(f"{name} failed ({_first_line(exc)})")
            continue
        if difference <= SAME_ANSWER:
            return module, name, _instead(name, reasons)
        reasons.append(f"{name} changed the answers by up to {difference:.2g}")
    return captured, "none", _instead("no optimiser", reasons)


def _instead(used: str, reasons: list[str]) -> str | None:
    if not reasons:
        return None
    advice = " A build of PyTorch with XNNPACK can do it." if "XNNPACK" in reasons[0] else ""
    return f"{used[0].upper()}{used[1:]} was used, because {'; '.join(reasons)}.{advice}"


def _difference(module: Any, network: Any, probe: Any) -> float:
    """Largest absolute logit difference of two modules on the probe."""
    import torch

    with torch.no_grad():
        difference: float = (module(probe) - network(probe)).abs().max().item()
    return difference


def _first_line(exc: Exception) -> str:
    """What a torch error says, without the assertion around it and without the stack below it."""
    text = str(exc).split("please report a bug to PyTorch.")[-1].strip()
    return (text.splitlines() or [type(exc).__name__])[0].rstrip(".")[:160]


# --- run -----------------------------------------------------------------------------------------------------------------


def _load_standard(path: Path, threads: int) -> Session:
    import torch

    from udacisense.models.jit import NetworkSession, quiet_jit

    with quiet_jit():
        module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    return NetworkSession(module.eval(), threads)


def _load_lite(path: Path, threads: int) -> Session:
    from torch.jit.mobile import _load_for_lite_interpreter

    from udacisense.models.jit import NetworkSession, quiet_jit

    with quiet_jit():
        module = _load_for_lite_interpreter(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    return NetworkSession(module, threads)


FORMAT = Format(
    name="torchscript",
    title="TorchScript (PyTorch Mobile)",
    file_name="optimized_model_mobile.ptl",
    precisions=("fp32",),
    runtime="torch.jit",
    target="Android and iOS apps with the full PyTorch runtime, and servers without Python",
    runtime_version=lambda: version("torch"),
    unavailable=_unavailable,
    export=_export_standard,
    load=_load_standard,
    notes=(_DEPRECATED,),
)

LITE = Format(
    name="torchscript-lite",
    title="TorchScript for the lite interpreter",
    file_name="optimized_model_mobile_lite.ptl",
    precisions=("fp32",),
    runtime="torch lite interpreter",
    target="Android and iOS apps with PyTorch Mobile's small runtime (pytorch_android_lite, LibTorch-Lite)",
    runtime_version=lambda: version("torch"),
    unavailable=_unavailable,
    export=_export_lite,
    load=_load_lite,
    notes=(_DEPRECATED,),
)
