"""TorchScript, twice: the standard file (torch.jit.save) and the one for PyTorch Mobile's lite interpreter.

Both are captured alike: traced, or scripted where tracing fails or answers otherwise; then `optimize_for_mobile` where this
build of torch has XNNPACK, else `freeze`, which folds batch norm too. Every step is kept only if its answer is still the
checkpoint's, because a trace of bilinear resizing under `optimize_for_mobile` has been seen to answer wrongly. The source
positions that torch writes beside the code are left out.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from udacisense.archives import ArchiveError
from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import ExportError, RunError
from udacisense.foreign import in_brief
from udacisense.formats.fmt_torchscript.capture import capture, optimise
from udacisense.formats.fmt_torchscript.int8 import INT8, engine, quantise
from udacisense.processes import limits
from udacisense.remote import RemoteModel
from udacisense.torchscript.archive import is_torchscript
from udacisense.types import (
    AppCode,
    Capability,
    Checkpoint,
    Conversion,
    Exported,
    FileSigns,
    Format,
    ModelFile,
    Session,
    android,
)

HOME = "udacisense.formats.fmt_torchscript"
INTERMEDIATES = f"{HOME}.intermediates:read"
LABELS, PREPROCESSING = "labels.txt", "preprocessing.json"
_NO_TORCH = "PyTorch is not installed. Install it: pip install -r requirements.txt"
NOTES = (
    "PyTorch calls TorchScript and its lite interpreter deprecated: they still run, new work goes to ExecuTorch.",
    "int8 needs a quantised engine in the build that runs it: QNNPACK on phones, and here where this build has it.",
)


def _unavailable(_capability: Capability) -> str | None:
    return None if importlib.util.find_spec("torch") else _NO_TORCH


# --- export --------------------------------------------------------------------------------------------------------------


def _export_standard(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    import torch

    return _export(checkpoint, asked, out, lambda module, path, told: torch.jit.save(module, path, told))


def _export_lite(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    return _export(checkpoint, asked, out, lambda module, path, told: module._save_for_lite_interpreter(path, told))


def _export(
    checkpoint: Checkpoint, asked: Conversion, out: Path, write: Callable[[Any, str, dict[str, str]], object]
) -> Exported:
    from udacisense.models.loading import load_network
    from udacisense.torchscript.load import quiet_jit

    if asked.precision not in FORMAT.precisions:
        raise ExportError(f"TorchScript files are written in fp32 and int8, {asked.precision} was asked for. Choose one.")
    network, recipe = quantise(checkpoint, asked) if asked.precision == "int8" else (load_network(checkpoint), {})
    if is_torchscript(checkpoint.path) and not limits.is_bound():  # the file carries code, which is not here
        raise ExportError(f"{checkpoint.path.name} is TorchScript, which is converted in a bound process only.")
    probe = _probe(checkpoint)
    with quiet_jit():
        captured, captured_by, why_capture = capture(network, probe)
        module, optimised_by, why_optimiser = optimise(captured, network, probe)
        write(module, str(out), _told(checkpoint))
    _drop_debug_records(out)
    recipe |= {"capture": captured_by, "optimiser": optimised_by, "input_px": list(checkpoint.input_px)}
    if why_capture:
        recipe["capture_reason"] = why_capture
    if why_optimiser:
        recipe["optimiser_reason"] = why_optimiser
    return Exported(recipe=recipe, warnings=tuple(reason for reason in (why_capture, why_optimiser) if reason))


def _told(checkpoint: Checkpoint) -> dict[str, str]:
    """What the app must know, as texts by their names in the file."""
    told = json.dumps(describe_preprocessing(checkpoint), indent=1)
    return {LABELS: "".join(f"{name}\n" for name in checkpoint.classes), PREPROCESSING: told}


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
    """Two seeded random images: enough to tell a broken capture from a sound one, and the same ones each time."""
    import torch

    return torch.randn(2, 3, *checkpoint.input_px, generator=torch.Generator().manual_seed(0))


# --- run -----------------------------------------------------------------------------------------------------------------


def _load_standard(file: ModelFile, threads: int) -> Session:
    from udacisense.torchscript.load import load_script

    return _session(file, threads, load_script)


def _load_lite(file: ModelFile, threads: int) -> Session:
    from udacisense.torchscript.load import load_lite

    return _session(file, threads, load_lite)


def _session(file: ModelFile, threads: int, load: Callable[[Path], Any]) -> Session:
    if not limits.is_bound():  # the file carries code
        return RemoteModel(file, threads).open()
    import torch

    from udacisense.models.torchscript_session import NetworkSession

    torch.backends.quantized.engine = engine() or "none"  # a file's int8 weights are packed for it now
    try:
        return NetworkSession(load(file.path), threads)
    except (ArchiveError, RuntimeError) as exc:
        raise RunError(
            f"{file.path.name} is no TorchScript file that this runtime can load: {in_brief(exc)}. Convert it again."
        ) from exc


FORMAT = Format(
    name="torchscript",
    title="TorchScript (PyTorch Mobile)",
    file_name="optimized_model_mobile.ptl",
    precisions=("fp32", "int8"),
    runtime="torch.jit",
    target="Android and iOS apps with the full PyTorch runtime, and servers without Python",
    runtime_version=lambda: version("torch"),
    unavailable=_unavailable,
    export=_export_standard,
    load=_load_standard,
    notes=NOTES,
    recipes={"int8": INT8},
    color="#E69F00",  # orange
    libraries=("torch", "torchvision"),
    signs=FileSigns(suffixes=(".ptl",), member=""),
    reader="udacisense.formats.fmt_torchscript.reader:read",
    intermediates=INTERMEDIATES,
    app_code=AppCode(
        home=HOME,
        runtime="torch",
        platforms=(android("android/PyTorchMobileClassifier.kt"),),
        values={"loader": "Module", "pytorch_android": "pytorch_android", "loader_import": ""},
    ),
)

LITE = Format(
    name="torchscript-lite",
    title="TorchScript Lite (.ptl)",
    file_name="optimized_model_mobile_lite.ptl",
    precisions=("fp32", "int8"),
    runtime="torch lite interpreter",
    target="Android and iOS apps with PyTorch Mobile's small runtime (pytorch_android_lite, LibTorch-Lite)",
    runtime_version=lambda: version("torch"),
    unavailable=_unavailable,
    export=_export_lite,
    load=_load_lite,
    notes=NOTES,
    recipes={"int8": INT8},
    color="#009E73",  # bluish green
    libraries=("torch", "torchvision"),
    signs=FileSigns(member="bytecode.pkl"),
    reader="udacisense.formats.fmt_torchscript.reader:read_lite",
    intermediates=INTERMEDIATES,
    app_code=AppCode(
        home=HOME,
        runtime="torch",
        platforms=(android("android/PyTorchMobileClassifier.kt"),),
        load="load-lite.py",
        values={
            "loader": "LiteModuleLoader",
            "pytorch_android": "pytorch_android_lite",
            "loader_import": "import org.pytorch.LiteModuleLoader\n",
        },
    ),
)
