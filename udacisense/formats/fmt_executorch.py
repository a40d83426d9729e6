"""ExecuTorch (.pte), lowered to XNNPACK: fp32, and int8 with weights per channel.

What hurts an int8 MobileNetV3 is its activations, not its weights: each convolution before a hard-swish is rounded twice,
before and after it. The recipes take that back step by step. Cross-layer equalisation is not among them: it moves scale through
layers that are positively homogeneous, as ReLU is and hard-swish is not.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from udacisense.errors import ExportError, RunError
from udacisense.progress import part, report
from udacisense.types import Capability, Checkpoint, Conversion, Exported, Format, Images, Logits, Pictures, Recipe, Session

if TYPE_CHECKING:
    from torch.fx import Node

INT8: tuple[Recipe, ...] = (
    Recipe(
        "static",
        "Weights and activations in int8; activation ranges from histograms that minimise the error.",
        {"activations": "static", "observer": "histogram", "images": 100, "cut": False, "float": []},
        calibrated=True,
    ),
    Recipe(
        "static-cut",
        "As static, with ranges averaged over more pictures and cut where hard-swish and hard-sigmoid see no difference.",
        {"activations": "static", "observer": "moving-average", "images": 300, "cut": True, "float": []},
        calibrated=True,
    ),
    Recipe(
        "static-se-float",
        "As static-cut, with the squeeze-excite blocks in float: they multiply two activations of different range.",
        {"activations": "static", "observer": "moving-average", "images": 300, "cut": True, "float": ["squeeze-excite"]},
        calibrated=True,
    ),
    Recipe(
        "static-ends-float",
        "As static-se-float, with the first and the last two blocks in float too; a larger file.",
        {
            "activations": "static",
            "observer": "moving-average",
            "images": 300,
            "cut": True,
            "float": ["squeeze-excite", "first", "last"],
        },
        calibrated=True,
    ),
    Recipe(
        "dynamic",
        "Weights in int8, activations rounded picture by picture just before each matrix product; depthwise layers in float.",
        {"activations": "dynamic"},
    ),
)
"""The int8 ladder, the fastest first."""

GROUPS = {
    "first": ("model.features.0", "model.features.1"),
    "last": ("model.features.11", "model.features.12", "model.classifier"),
}
"""Parts of the network that a recipe keeps in float."""
SQUEEZE_EXCITE = "SqueezeExcitation"
SEES_NOTHING_BELOW = -3.0
"""Hard-swish and hard-sigmoid are 0 below this, and hard-sigmoid 1 above its opposite."""

_NO_EXECUTORCH = "ExecuTorch is not installed. Install it: pip install -r requirements.txt"


def _unavailable(_capability: Capability) -> str | None:
    found = all(importlib.util.find_spec(name) for name in ("torch", "executorch"))
    return None if found else _NO_EXECUTORCH


# --- export --------------------------------------------------------------------------------------------------------------


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    if asked.precision not in ("fp32", "int8"):
        raise ExportError(f"ExecuTorch files are written in fp32 and int8 here, {asked.precision} was asked for. Choose one.")
    with _quiet():
        from udacisense.models.capture import exported_program

        report(0.0, "exporting the network")
        program = exported_program(checkpoint)
        done: dict[str, object] = {"backend": "xnnpack", "batch": 1, "input_px": list(checkpoint.input_px)}
        if asked.precision == "int8":
            with part(0.1, 0.5):
                program, images = _quantise(checkpoint, asked)
            done |= {"per_channel": True, **asked.recipe.options, "calibration_images": images}
        with part(0.5, 1.0):
            lowered, outside = _lower(program)
        report(1.0, "writing the file")
        out.write_bytes(lowered)
    done["portable_kernels"] = outside
    return Exported(done, _warnings(outside))


def _lower(program: Any) -> tuple[bytes, list[str]]:
    """The program's bytes, and the operators that XNNPACK did not take."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    report(0.0, "lowering to XNNPACK")
    edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    left = [str(n.target) for n in edge.exported_program().graph.nodes if n.op == "call_function"]
    outside = sorted({name for name in left if "executorch_call_delegate" not in name and "getitem" not in name})
    report(0.9, "writing the program")
    return bytes(edge.to_executorch().buffer), outside


def _warnings(outside: Sequence[str]) -> tuple[str, ...]:
    if not outside:
        return ()
    return (
        f"XNNPACK did not take {', '.join(outside)}: portable kernels run them, which is slow. "
        "Inspect the file, and measure it beside the fp32 one.",
    )


def _quantise(checkpoint: Checkpoint, asked: Conversion) -> tuple[Any, list[str]]:
    """The exported network with its quantisation written into the graph, and the calibration pictures' ids."""
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    from udacisense.models.capture import example_input, exported_program

    options: Any = asked.recipe.options
    dynamic = options["activations"] == "dynamic"
    prepared = prepare_pt2e(exported_program(checkpoint).module(), _quantiser(options))
    with torch.no_grad():
        if dynamic:
            pictures = None
            prepared(example_input(checkpoint))
        else:
            pictures = asked.pictures(options["images"])
            _calibrate(prepared, pictures)
            if options["cut"]:
                _cut_ranges(prepared)
    report(0.8, "writing the quantisation into the graph")
    quantised = convert_pt2e(prepared)
    return torch.export.export(quantised, (example_input(checkpoint),)), list(pictures.hashes) if pictures else []


def _quantiser(options: Any) -> Any:
    import dataclasses

    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
    from torchao.quantization.pt2e import MovingAverageMinMaxObserver

    config = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=options["activations"] == "dynamic")
    if options.get("observer") == "moving-average":
        averaged = MovingAverageMinMaxObserver
        config = dataclasses.replace(
            config,
            input_activation=dataclasses.replace(config.input_activation, observer_or_fake_quant_ctr=averaged),
            output_activation=dataclasses.replace(config.output_activation, observer_or_fake_quant_ctr=averaged),
        )
    kept = options.get("float", [])
    return XNNPACKQuantizer().set_global(config).set_filter_function(lambda node: not _stays_float(node, kept))


def _stays_float(node: Node, groups: Sequence[str]) -> bool:
    """Whether a node of the graph belongs to a part that stays in float."""
    modules = (node.meta.get("nn_module_stack") or {}).values()
    prefixes = tuple(prefix for group in groups for prefix in GROUPS.get(group, ()))
    for path, kind in modules:
        if path.endswith(prefixes) and prefixes and path.split("L['self'].")[-1] in prefixes:
            return True
        if "squeeze-excite" in groups and SQUEEZE_EXCITE in (kind if isinstance(kind, str) else kind.__name__):
            return True
    return False


def _calibrate(prepared: Any, pictures: Pictures) -> None:
    import torch

    images = torch.from_numpy(pictures.images)
    for done in range(len(pictures)):
        if done % 20 == 0:
            report(0.8 * done / len(pictures), f"calibrating, {done} of {len(pictures)} pictures")
        prepared(images[done : done + 1])


def _cut_ranges(prepared: Any) -> None:
    """Leave out of each range what the activation after it cannot tell apart: finer steps for the rest."""
    for node in prepared.graph.nodes:
        observer = _observer(prepared, node)
        after = {str(user.target) for user in node.users}
        if observer is None or not after:
            continue
        if all("hardswish" in name or "hardsigmoid" in name for name in after):
            observer.min_val.clamp_(min=SEES_NOTHING_BELOW)
        if all("hardsigmoid" in name for name in after):
            observer.max_val.clamp_(max=-SEES_NOTHING_BELOW)


def _observer(prepared: Any, node: Node) -> Any | None:
    if node.op != "call_module" or "activation_post_process" not in str(node.target):
        return None
    found = prepared.get_submodule(str(node.target))
    return found if hasattr(found, "min_val") else None


@contextmanager
def _quiet() -> Iterator[None]:
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
    """A loaded program; the file takes one picture at a time."""

    def __init__(self, path: Path) -> None:
        from executorch.runtime import Runtime

        self._program = Runtime.get().load_program(path)  # the method's memory belongs to it
        self._method = self._program.load_method("forward")

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the images have another shape than the file takes, or the runtime fails on them.
        """
        import numpy as np
        import torch

        answers = []
        for image in np.require(images, np.float32, ["C", "W"]):
            try:
                found = self._method.execute([torch.from_numpy(image[None])])[0]
            except RuntimeError as exc:
                raise RunError(f"ExecuTorch failed on an image of shape {image.shape}: {exc}") from exc
            answers.append(found.numpy().copy())  # the runtime writes its next answer to the same place
        return np.concatenate(answers)


def _load(path: Path, threads: int) -> Session:
    with _quiet():
        from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool

        _unsafe_reset_threadpool(threads)  # one pool for the whole process: whoever loads, sets it
        try:
            return ExecuTorchSession(path)
        except RuntimeError as exc:
            raise RunError(
                f"{path.name} is no ExecuTorch program that this runtime can load: {exc}. Convert it again."
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
    notes=("The file takes one picture at a time: its batch is fixed at 1.",),
    recipes={"int8": INT8},
)
