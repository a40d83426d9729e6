"""ExecuTorch (.pte), lowered to XNNPACK: fp32, and int8 with weights per channel.

Images go in one at a time: the batch is fixed at 1, as on a phone. Beside `forward` the program has methods without input
that answer with a text, what an app must know: `labels` (one a line) and `preprocessing` (JSON).
"""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import ExportError, RunError
from udacisense.foreign import in_brief
from udacisense.formats.fmt_executorch.int8 import INT8, quantise
from udacisense.formats.fmt_executorch.light import light_lowering
from udacisense.progress import part, report
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
    ios,
)

_NO_EXECUTORCH = "ExecuTorch is not installed. Install it: pip install -r requirements.txt (or the extra executorch)"


def _unavailable(_capability: Capability) -> str | None:
    found = all(importlib.util.find_spec(name) for name in ("torch", "executorch"))
    return None if found else _NO_EXECUTORCH


# --- export --------------------------------------------------------------------------------------------------------------


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    if asked.precision not in ("fp32", "int8"):
        raise ExportError(f"ExecuTorch files are written in fp32 and int8 here, {asked.precision} was asked for. Choose one.")
    with quiet():
        from udacisense.models.capture import exported_program

        report(0.0, "exporting the network")
        program = exported_program(checkpoint)
        done: dict[str, object] = {"backend": "xnnpack", "batch": 1, "input_px": list(checkpoint.input_px)}
        if asked.precision == "int8":
            with part(0.1, 0.5):
                program, how = quantise(checkpoint, asked)
            done |= how
        with part(0.5, 1.0):
            lowered, outside = _lower(program, _told(checkpoint))
        report(1.0, "writing the file")
        out.write_bytes(lowered)
    done["portable_kernels"] = outside
    return Exported(done, _warnings(outside))


def _told(checkpoint: Checkpoint) -> dict[str, object]:
    """What the app must know, as methods of the program that answer with a text."""
    return {
        "labels": "\n".join(checkpoint.classes),
        "preprocessing": json.dumps(describe_preprocessing(checkpoint)),
        "checkpoint_sha256": checkpoint.sha256,
    }


def _lower(program: Any, told: Mapping[str, object]) -> tuple[bytes, list[str]]:
    """The program's bytes, and the operators that XNNPACK did not take."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    report(0.0, "lowering to XNNPACK")
    with light_lowering(program):
        edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()], constant_methods=dict(told))
    outside = _outside(edge.exported_program().graph.nodes)
    report(0.9, "writing the program")
    return bytes(edge.to_executorch().buffer), outside


def _outside(nodes: Iterable[Any]) -> list[str]:
    """Names of the operators that XNNPACK left to portable kernels; copies of single numbers, which cost nothing, left out."""
    found = set()
    for node in nodes:
        value = node.meta.get("val")
        if node.op == "call_function" and hasattr(node.target, "_schema") and getattr(value, "ndim", 1) > 0:
            found.add(str(node.target._schema.name).replace("::", "."))
    return sorted(found)


def _warnings(outside: Sequence[str]) -> tuple[str, ...]:
    if not outside:
        return ()
    return (
        f"XNNPACK did not take {', '.join(outside)}: portable kernels run them, which is slow. "
        "Inspect the file, and measure it beside the fp32 one.",
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the notices that torchao and ExecuTorch give to their own developers."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


# --- run -----------------------------------------------------------------------------------------------------------------


class ExecuTorchSession:
    """A loaded program; the file takes one image at a time."""

    def __init__(self, path: Path) -> None:
        runtime = _runtime()
        # the method's memory belongs to the program
        self._program = runtime._load_program(str(path), program_verification=runtime.Verification.InternalConsistency)
        self._method = self._program.load_method("forward")
        self._shape = tuple(self._method.method_meta().input_tensor_meta(0).sizes())

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the images have another shape than the file takes, or the runtime fails on them.
        """
        import numpy as np

        if images.ndim != 4 or len(images) == 0 or images.shape[1:] != self._shape[1:]:
            wanted = ", ".join(map(str, self._shape[1:]))
            raise RunError(f"Images must have the shape (N, {wanted}) with N of at least 1, got {images.shape}.")
        return np.concatenate([self._one(image) for image in np.require(images, np.float32, ["C", "W"])])

    def _one(self, image: Images) -> Logits:
        import torch

        try:
            answer: Logits = self._method([torch.from_numpy(image[None])])[0].numpy()
        except RuntimeError as exc:
            raise RunError(f"ExecuTorch failed on an image of shape {image.shape}: {in_brief(exc)}.") from exc
        return answer.copy()  # the runtime writes its next answer to the same place


def _runtime() -> Any:
    """What `executorch.runtime` wraps. That module brings the whole exporter (torchao, torch's compiler) along for one warning:
    three times the time of this, and memory that no running file needs."""
    import torch  # noqa: F401 - its libraries are what the next one is linked to
    from executorch.extension.pybindings import _portable_lib

    return _portable_lib


def _load(file: ModelFile, threads: int) -> Session:
    with quiet():
        _runtime()._unsafe_reset_threadpool(threads)  # one pool for the whole process: whoever loads, sets it
        try:
            return ExecuTorchSession(file.path)
        except RuntimeError as exc:
            raise RunError(
                f"{file.path.name} is no ExecuTorch program that this runtime can load: {in_brief(exc)}. Convert it again."
            ) from exc


FORMAT = Format(
    name="executorch",
    title="ExecuTorch (XNNPACK)",
    file_name="optimized_model_mobile.pte",
    precisions=("fp32", "int8"),
    runtime="executorch.runtime",
    target="Android and iOS apps with ExecuTorch and its XNNPACK backend, PyTorch's own runtime for phones",
    runtime_version=lambda: version("executorch"),
    unavailable=_unavailable,
    export=_export,
    load=_load,
    notes=("The file takes one image at a time: its batch is fixed at 1.",),
    recipes={"int8": INT8},
    color="#A98600",  # dark yellow: the bright one cannot be seen on white
    libraries=("executorch", "torchao"),
    signs=FileSigns(suffixes=(".pte",), magic=b"ET12"),
    reader="udacisense.formats.fmt_executorch.reader:read",
    # No intermediates: its released wheels are built without the event tracer that its Inspector needs, and XNNPACK takes the
    # whole network as one operator, whose inside the tracer would not see.
    app_code=AppCode(
        home="udacisense.formats.fmt_executorch",
        runtime="executorch",
        platforms=(android("android/ExecuTorchClassifier.kt"), ios("ios/ExecuTorchClassifier.swift")),
    ),
)
