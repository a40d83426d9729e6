"""LiteRT (TensorFlow Lite), run by its interpreter: fp32, fp16 weights, and int8 by a ladder of recipes.

The network is converted once for each process; the other precisions are made from that file by Google's AI Edge Quantizer.
Input and output stay float32 and channels-first, so that one preprocessing serves every format. Labels and preprocessing are
packed behind the model as a zip, where LiteRT's metadata readers look for them: `unzip -p model.tflite labels.txt`.
"""

from __future__ import annotations

import importlib.util
import io
import json
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from udacisense.errors import ExportError, RunError
from udacisense.progress import report
from udacisense.types import Capability, Checkpoint, Conversion, Exported, Format, Images, Logits, Recipe, Session

SQUEEZE = "SqueezeExcitation"
FIRST = r"Sequential_features/torchvision\.(ops\.misc\.Conv2dNormActivation_0|models\.mobilenetv3\.InvertedResidual_1)/"
LAST = r"Sequential_features/torchvision\.ops\.misc\.Conv2dNormActivation_12/|Sequential_classifier/"
"""What the names of the tensors in those parts of the network look like."""

STATIC: tuple[Recipe, ...] = (
    Recipe(
        "static",
        "Weights per channel and activations in int8; activation ranges averaged over 200 pictures.",
        {"images": 200, "float": []},
        calibrated=True,
    ),
    Recipe(
        "static-percentile",
        "As static, with ranges that leave out the most extreme 0.05 % of each picture's values.",
        {"images": 200, "float": [], "percentile": 99.95},
        calibrated=True,
    ),
    Recipe(
        "static-se-float",
        "As static, with float arithmetic in the squeeze-excite blocks: they multiply two activations of different range.",
        {"images": 200, "float": [SQUEEZE]},
        calibrated=True,
    ),
    Recipe(
        "static-ends-float",
        "As static-se-float, with float arithmetic in the first two and the last blocks and the classifier too: slower.",
        {"images": 400, "float": [SQUEEZE, FIRST, LAST]},
        calibrated=True,
    ),
    Recipe("weight-only", "Weights in int8 per channel, widened before they are used: as small, about as fast as fp32."),
    Recipe("dynamic", "Weights in int8, activations quantised while it runs: no calibration, but slow and the least faithful."),
)
"""The int8 ladder: the fastest first, the least faithful last."""

LABELS, PREPROCESSING = "labels.txt", "preprocessing.json"
_MISSING = "{name} is not installed. Install it: pip install -r requirements.txt"
_PACKED = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same model gives the same file


def _unavailable(capability: Capability) -> str | None:
    needed = {"export": ("torch", "litert_torch", "ai_edge_quantizer", "ai_edge_litert"), "run": ("ai_edge_litert",)}[
        capability
    ]
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    return _MISSING.format(name=" and ".join(missing)) if missing else None


# --- export --------------------------------------------------------------------------------------------------------------


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tools warn of each other's deprecated parts
        return _convert(checkpoint, asked, out)


def _convert(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    model = _float_model(str(checkpoint.path), checkpoint.sha256)
    told: dict[str, object] = {"layout": "NCHW", "converter": f"litert-torch {version('litert-torch')}"}
    if asked.precision != "fp32":
        report(0.7, f"quantising to {asked.precision}")
        told["quantizer"] = f"ai-edge-quantizer {version('ai-edge-quantizer')}"
    if asked.precision == "fp16":
        model = _halved(model)
    elif asked.precision == "int8":
        model = _quantised(model, asked, told)
    elif asked.precision != "fp32":
        raise ExportError(
            f"LiteRT files are written in {', '.join(FORMAT.precisions)}, not {asked.precision}. Choose one of those."
        )
    report(0.95, "writing labels and preprocessing into the file")
    out.write_bytes(_short_names(model) + _attachment(checkpoint))
    return Exported(recipe=told)


@lru_cache(maxsize=2)
def _float_model(path: str, _sha256: str) -> bytes:
    """The fp32 file that every other precision is made from."""
    import tempfile

    report(0.05, "exporting the network")
    from udacisense.models.capture import example_input, exported_program
    from udacisense.models.checkpoint import read_checkpoint

    checkpoint = read_checkpoint(Path(path))
    program = exported_program(checkpoint)
    report(0.2, "lowering to LiteRT")
    import litert_torch

    network = program.module()
    network.training = False  # what was exported in evaluation mode stays so, whatever the flag of the copy says
    converted = litert_torch.convert(network, (example_input(checkpoint),))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.tflite"
        converted.export(str(file))
        return file.read_bytes()


def _quantizer(model: bytes) -> Any:
    from ai_edge_quantizer import quantizer

    return quantizer.Quantizer(bytearray(model))


def _halved(model: bytes) -> bytes:
    """Weights as float16; the runtime widens them, so the arithmetic stays float32."""
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    work = _quantizer(model)
    weights = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=weights, compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True
    )
    work.update_quantization_recipe(".*", qtyping.TFLOperationName.ALL_SUPPORTED, config, AlgorithmName.FLOAT_CASTING)
    return bytes(work.quantize().quantized_model)


def _quantised(model: bytes, asked: Conversion, told: dict[str, object]) -> bytes:
    from ai_edge_quantizer import recipe as ready_made

    work, name, options = _quantizer(model), asked.recipe.name, asked.recipe.options
    if name == "weight-only":
        work.load_quantization_recipe(ready_made.weight_only_wi8_afp32())
        return bytes(work.quantize().quantized_model)
    if name == "dynamic":
        work.load_quantization_recipe(ready_made.dynamic_wi8_afp32())
        return bytes(work.quantize().quantized_model)
    work.load_quantization_recipe(ready_made.static_wi8_ai8())
    _keep_in_float(work, _strings(options["float"]))
    pictures = asked.pictures(int(str(options["images"])))
    told["calibration_images"] = list(pictures.hashes)
    report(0.75, f"calibrating on {len(pictures.images)} pictures")
    ranges = _ranges(work, model, pictures.images)
    if "percentile" in options:
        ranges |= _percentiles(model, pictures.images, float(str(options["percentile"])), ranges)
    return bytes(work.quantize(ranges).quantized_model)


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, Sequence) else []


def _keep_in_float(work: Any, scopes: Sequence[str]) -> None:
    """Input and output always, and the arithmetic of the operators whose tensors are named so; their weights stay int8."""
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.qtyping import TFLOperationName as Op

    regexes = [f".*({scope}).*" for scope in scopes]
    kept = [(".*", Op.INPUT), (".*", Op.OUTPUT), *((regex, Op.ALL_SUPPORTED) for regex in regexes)]
    for regex, operation in kept:
        work.update_quantization_recipe(regex, operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
    for regex in regexes:
        for operation in (Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED):
            work.add_weight_only_config(regex, operation, num_bits=8)


def _ranges(work: Any, model: bytes, images: Images) -> dict[str, Any]:
    """Smallest and largest value of every activation, as the quantizer averages them over the pictures."""
    signature, given = next(iter(_interpreter(model, 1).get_signature_list().items()))
    data = {signature: [{given["inputs"][0]: image[None]} for image in images]}
    return dict(work.calibrate(data))


def _percentiles(model: bytes, images: Images, percentile: float, ranges: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges of the activations without their most extreme values, averaged over the pictures; same form as `_ranges`."""
    interpreter = _interpreter(model, 1, experimental_preserve_all_tensors=True)
    wanted = {d["name"]: d["index"] for d in interpreter.get_tensor_details() if d["name"] in ranges}
    given = interpreter.get_input_details()[0]["index"]
    sums = {name: np.zeros(2) for name in wanted}
    for image in images:
        interpreter.set_tensor(given, image[None])
        interpreter.invoke()
        for name, index in wanted.items():
            values = interpreter.get_tensor(index)
            sums[name] += np.percentile(values, [100 - percentile, percentile])
    found: dict[str, Any] = {}
    for name, (low, high) in ((n, s / len(images)) for n, s in sums.items()):
        shape = np.shape(ranges[name]["min"])
        if low < high:  # a constant keeps what it has
            found[name] = {"min": np.full(shape, low, np.float32), "max": np.full(shape, high, np.float32)}
    return found


def _short_names(model: bytes) -> bytes:
    """The model with short names for its inner tensors: the converter's spell out the whole module path, 0.1 MB of it."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    tree = schema.ModelT.InitFromPackedBuf(bytearray(model), 0)
    for buffer in tree.buffers:
        if buffer.offset > 1:  # the quantizer puts the weights behind the tables; here they go inside again
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    for graph in tree.subgraphs:
        kept = {*map(int, graph.inputs), *map(int, graph.outputs)}
        for index, tensor in enumerate(graph.tensors):
            tensor.name = tensor.name if index in kept else b"%d" % index
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _attachment(checkpoint: Checkpoint) -> bytes:
    """Labels and preprocessing as a zip, to stand behind the model."""
    from udacisense.data.preprocess import describe_preprocessing

    texts = {
        LABELS: "".join(f"{name}\n" for name in checkpoint.classes),
        PREPROCESSING: json.dumps(describe_preprocessing(checkpoint), indent=1),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _PACKED), text)
    return buffer.getvalue()


# --- run -----------------------------------------------------------------------------------------------------------------


def _interpreter(model: str | bytes, threads: int, **more: bool) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    held = {"model_path": model} if isinstance(model, str) else {"model_content": model}
    interpreter = Interpreter(**held, num_threads=threads, **more)
    interpreter.allocate_tensors()
    return interpreter


class _Session:
    """One picture at a time: the file's batch is 1."""

    def __init__(self, path: Path, threads: int) -> None:
        self._interpreter = _interpreter(str(path), threads)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W)."""
        shape = tuple(int(n) for n in self._input["shape"])
        if images.ndim != 4 or len(images) == 0 or images.shape[1:] != shape[1:]:
            raise RunError(f"Images must have the shape (N, {', '.join(map(str, shape[1:]))}), got {images.shape}.")
        return np.concatenate([self._one(image) for image in np.asarray(images, np.float32)])

    def _one(self, image: Images) -> Logits:
        self._interpreter.set_tensor(self._input["index"], image[None])
        self._interpreter.invoke()
        logits: Logits = self._interpreter.get_tensor(self._output)
        return logits


def _load(path: Path, threads: int) -> Session:
    try:
        return _Session(path, threads)
    except (ValueError, RuntimeError) as exc:
        raise RunError(f"LiteRT cannot load {path.name}: {exc}. Convert its checkpoint again.") from exc


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
    recipes={"int8": STATIC},
)
