"""LiteRT (TensorFlow Lite), run by its interpreter: fp32, fp16 weights, and int8 by a ladder of recipes.

The network is converted once for each process; the other precisions are made from that file by Google's AI Edge Quantizer.
Input and output stay float32 and channels-first, so that one preprocessing serves every format.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from udacisense import scratch
from udacisense.errors import ExportError, RunError
from udacisense.foreign import in_brief
from udacisense.formats.fmt_litert.int8 import RECIPES, quantised
from udacisense.formats.fmt_litert.packing import packed
from udacisense.progress import report
from udacisense.types import (
    AppCode,
    Capability,
    Checkpoint,
    Conversion,
    Exported,
    FileSigns,
    Format,
    Images,
    Logits,
    ModelFile,
    Session,
    android,
)

_NEEDED = {"export": ("torch", "litert_torch", "ai_edge_quantizer", "ai_edge_litert"), "run": ("ai_edge_litert",)}
_MISSING = "{name} is not installed. Install it: pip install -r requirements.txt (or the extra litert)"


def _unavailable(capability: Capability) -> str | None:
    missing = [name for name in _NEEDED[capability] if importlib.util.find_spec(name) is None]
    return _MISSING.format(name=" and ".join(missing)) if missing else None


# --- export --------------------------------------------------------------------------------------------------------------


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    if asked.precision not in FORMAT.precisions:
        offered = ", ".join(FORMAT.precisions)
        raise ExportError(f"LiteRT files are written in {offered}, not {asked.precision}. Choose one of those.")
    told: dict[str, object] = {"layout": "NCHW", "batch": 1, "converter": f"litert-torch {version('litert-torch')}"}
    with _quiet():
        model = _float_model(checkpoint)
        if asked.precision != "fp32":
            report(0.7, f"quantising to {asked.precision}")
            told["quantizer"] = f"ai-edge-quantizer {version('ai-edge-quantizer')}"
        if asked.precision == "fp16":
            model = _halved(model)
        elif asked.precision == "int8":
            model, images = quantised(model, asked, checkpoint.sha256)
            told |= {"per_channel": True, **asked.recipe.options, "calibration_images": images}
        report(0.95, "writing labels and preprocessing into the file")
        out.write_bytes(packed(model, checkpoint))
    return Exported(told, _warnings(asked))


def _warnings(asked: Conversion) -> tuple[str, ...]:
    if asked.recipe.name == "weight-only":
        return ("Only the weights are int8: the file is small, and computes as fp32 does.",)
    if asked.recipe.name == "static-integer":
        return ("Every operator is int8: meant for accelerators. Measure it on the device before a processor gets it.",)
    return ()


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tools warn of each other's deprecated parts
        yield


@lru_cache(maxsize=1)
def _float_model(checkpoint: Checkpoint) -> bytes:
    """The fp32 file that every other precision is made from; the last checkpoint's is kept."""
    import tempfile

    report(0.05, "exporting the network")
    from udacisense.models.capture import example_input, exported_program

    program = exported_program(checkpoint)
    report(0.2, "lowering to LiteRT")
    import litert_torch

    network = program.module()
    network.training = False  # what was exported in evaluation mode stays so, whatever the flag of the copy says
    converted = litert_torch.convert(network, (example_input(checkpoint),))
    with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:
        file = Path(folder) / "model.tflite"
        converted.export(str(file))
        return file.read_bytes()


def _halved(model: bytes) -> bytes:
    """Weights as float16; the runtime widens them, so the arithmetic stays float32."""
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.qtyping import TFLOperationName as Op
    from ai_edge_quantizer.quantizer import Quantizer

    work = Quantizer(bytearray(model))
    for operation in (Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED):
        work.add_weight_only_config(".*", operation, num_bits=16, algorithm_key=AlgorithmName.FLOAT_CASTING)
    return bytes(work.quantize(enable_progress_bar=False, enable_progress_report=False).quantized_model)


# --- run -----------------------------------------------------------------------------------------------------------------


class LiteRTSession:
    """A loaded model; the file takes one image at a time."""

    def __init__(self, path: Path, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._one(self._interpreter.get_input_details(), "input")
        self._output = self._one(self._interpreter.get_output_details(), "output")["index"]

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the images have another shape than the file takes, or the runtime fails on them.
        """
        shape = tuple(int(n) for n in self._input["shape"])
        if images.ndim != 4 or len(images) == 0 or images.shape[1:] != shape[1:]:
            raise RunError(f"Images must have the shape (N, {', '.join(map(str, shape[1:]))}), got {images.shape}.")
        try:
            return np.concatenate([self._answer(image) for image in np.require(images, np.float32, ["C"])])
        except (RuntimeError, ValueError) as exc:
            raise RunError(f"LiteRT failed on images of shape {images.shape}: {in_brief(exc)}.") from exc

    def _answer(self, image: Images) -> Logits:
        self._interpreter.set_tensor(self._input["index"], image[None])
        self._interpreter.invoke()
        logits: Logits = self._interpreter.get_tensor(self._output)
        return logits

    @staticmethod
    def _one(ports: list[dict[str, Any]], what: str) -> dict[str, Any]:
        if len(ports) != 1 or ports[0]["dtype"] is not np.float32:
            found = ", ".join(f"{port['name']} {np.dtype(port['dtype']).name}" for port in ports)
            raise ValueError(f"it has not one float32 {what} but {found or 'none'}")
        return ports[0]


def _load(file: ModelFile, threads: int) -> Session:
    try:
        return LiteRTSession(file.path, threads)
    except (ValueError, RuntimeError) as exc:
        raise RunError(f"LiteRT cannot load {file.path.name}: {in_brief(exc)}. Convert its checkpoint again.") from exc


FORMAT = Format(
    name="litert",
    title="LiteRT (TensorFlow Lite)",
    file_name="optimized_model_mobile.tflite",
    precisions=("fp32", "fp16", "int8"),
    runtime="LiteRT",
    target="Android apps with Google Play services or the LiteRT library, iOS apps, and small Linux boards",
    runtime_version=lambda: version("ai-edge-litert"),
    unavailable=_unavailable,
    export=_export,
    load=_load,
    notes=(
        "Input and output are float32 and channels-first (NCHW) in every precision, as in PyTorch.",
        "fp16 halves the file; phones compute it in float32 on the processor and in float16 on the GPU.",
    ),
    recipes={"int8": RECIPES},
    color="#56B4E9",  # sky blue
    libraries=("litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
    signs=FileSigns(suffixes=(".tflite",), magic=b"TFL3"),
    reader="udacisense.formats.fmt_litert.reader:read",
    intermediates="udacisense.formats.fmt_litert.intermediates:read",
    app_code=AppCode(
        home="udacisense.formats.fmt_litert",
        runtime="ai-edge-litert",
        platforms=(android("android/LiteRtClassifier.kt"),),
        values={"litert_android": "1.4.2"},  # released apart from Python's: the newest that the code was held to
    ),
)
