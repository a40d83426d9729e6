"""ONNX, run by ONNX Runtime: fp32, weights in fp16, and int8 in QDQ form.

Each file states its opset and carries its preprocessing and labels in `metadata_props`. Images go in one at a time: the
batch is fixed at 1, as on a phone.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import ExportError, RunError
from udacisense.foreign import in_brief
from udacisense.formats.fmt_onnx.int8 import INPUT, RECIPES, smaller
from udacisense.formats.fmt_onnx.weights import weights_to_half
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
    Platform,
    Precision,
    Session,
    android,
)

OPSET = 18
"""Read by ONNX Runtime Mobile 1.14 and later, and by onnxruntime-web."""
OUTPUT = "logits"
IR_VERSION = 10
"""Of the file format: newer than this is refused by runtimes that are still in the field."""
_MISSING = "{name} is not installed. Install it: pip install -r requirements.txt (or the extra onnx)"


def _unavailable(capability: Capability) -> str | None:
    needed = {"export": ("torch", "onnx", "onnxscript", "onnxruntime"), "run": ("onnxruntime",)}[capability]
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    return _MISSING.format(name=" and ".join(missing)) if missing else None


# --- export --------------------------------------------------------------------------------------------------------------


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    import onnx

    writers: Mapping[Precision, Callable[[Any], tuple[Any, dict[str, object]]]] = {
        "fp32": lambda model: (model, {}),
        "fp16": lambda model: (weights_to_half(model), {"arithmetic": "float32"}),
        "int8": lambda model: smaller(checkpoint, model, asked),
    }
    if asked.precision not in writers:
        raise ExportError(f"ONNX files are written in {', '.join(writers)}, {asked.precision} was asked for. Choose one.")
    with quiet():
        report(0.0, "exporting the network to ONNX")
        model = onnx.load_from_string(_exported(checkpoint))
        report(0.5, f"writing it in {asked.precision}")
        model, how = writers[asked.precision](model)
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, _metadata(checkpoint))
        onnx.checker.check_model(model)
        out.write_bytes(model.SerializeToString(deterministic=True))
    return Exported({"opset": OPSET, "ir_version": model.ir_version, "batch": 1, **how}, _warnings(asked))


def _warnings(asked: Conversion) -> tuple[str, ...]:
    narrowed = "fp16" if asked.precision == "fp16" else "int8" if "weights" in asked.recipe.options else None
    if narrowed is None:
        return ()
    return (f"Only the weights are {narrowed}, and they are widened when the file is loaded: smaller, and as fast as fp32.",)


def _metadata(checkpoint: Checkpoint) -> dict[str, str]:
    """What an app needs to know, as the file's metadata_props: text only, so values are JSON."""
    plain = {key: json.dumps(value) for key, value in describe_preprocessing(checkpoint).items()}
    return {**plain, "checkpoint": checkpoint.id, "checkpoint_sha256": checkpoint.sha256}


@lru_cache(maxsize=1)
def _exported(checkpoint: Checkpoint) -> bytes:
    """The fp32 model that all precisions and recipes start from; the last checkpoint's is kept."""
    import torch

    from udacisense.models.capture import exported_program

    program = torch.onnx.export(
        exported_program(checkpoint),
        (),
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise ExportError("the ONNX exporter returned no model")
    model = program.model_proto
    model.ir_version = min(model.ir_version, IR_VERSION)
    _forget_sources(model)
    return bytes(model.SerializeToString(deterministic=True))


def _forget_sources(model: Any) -> None:
    """Drop the source positions that the exporter writes beside each operator: they name folders of this machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
        value.doc_string = ""
    del model.graph.metadata_props[:]


@contextmanager
def quiet() -> Iterator[None]:
    """Without the exporter's and the quantiser's notices to their own developers."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


# --- run -----------------------------------------------------------------------------------------------------------------


class OnnxSession:
    """A loaded model; the file takes one image at a time."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the images have another shape than the file takes, or the runtime fails on them.
        """
        import numpy as np

        wanted = self._session.get_inputs()[0].shape
        if images.ndim != 4 or len(images) == 0 or list(images.shape[1:]) != wanted[1:]:
            raise RunError(f"Images must have the shape (N, {', '.join(map(str, wanted[1:]))}), got {images.shape}.")
        images = np.require(images, np.float32, ["C"])
        try:
            answers: Logits = np.concatenate([self._session.run([OUTPUT], {INPUT: image[None]})[0] for image in images])
        except Exception as exc:  # onnxruntime's errors share no class below Exception
            raise RunError(f"ONNX Runtime failed on images of shape {images.shape}: {in_brief(exc)}.") from exc
        return answers


def _load(file: ModelFile, threads: int) -> Session:
    try:
        return OnnxSession(file.path, threads)
    except ImportError:
        raise
    except Exception as exc:  # onnxruntime's errors share no class below Exception
        raise RunError(
            f"{file.path.name} is no ONNX model that this runtime can load: {in_brief(exc)}. Convert it again."
        ) from exc


FORMAT = Format(
    name="onnx",
    title="ONNX",
    file_name="optimized_model_mobile.onnx",
    precisions=("fp32", "fp16", "int8"),
    runtime="onnxruntime",
    target="Android, iOS and desktop apps with ONNX Runtime, and browsers with onnxruntime-web",
    runtime_version=lambda: version("onnxruntime"),
    unavailable=_unavailable,
    export=_export,
    load=_load,
    notes=(f"Opset {OPSET}. The file takes one image at a time: its batch is fixed at 1.",),
    recipes={"int8": RECIPES},
    color="#CC79A7",  # reddish purple
    libraries=("onnx", "onnxscript", "onnxruntime"),
    signs=FileSigns(suffixes=(".onnx",)),
    reader="udacisense.formats.fmt_onnx.reader:read",
    intermediates="udacisense.formats.fmt_onnx.intermediates:read",
    app_code=AppCode(
        home="udacisense.formats.fmt_onnx",
        runtime="onnxruntime",
        platforms=(
            android("android/OnnxClassifier.kt"),
            Platform("the browser", ("web/picture.js", "web/classifier.js", "web/index.html", "web/package.json")),
        ),
        # released apart from Python's: the newest that the code was held to
        values={"onnxruntime_web": "1.30.0", "onnxruntime_android": "1.27.0"},
    ),
)
