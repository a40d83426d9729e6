"""Core ML, an ML Program in a zipped .mlpackage: fp16, int8 weights, and a 6-bit palette. It runs on Apple's systems only.

An .mlpackage is a folder; an artifact is one file, so the folder is packed into a zip with fixed dates and sorted names. Unzip
it and drag it into Xcode.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import sys
import tempfile
import warnings
import zipfile
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from udacisense import scratch
from udacisense.errors import ExportError, RunError
from udacisense.foreign import in_brief
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
    ios,
)

PACKAGE = "optimized_model_mobile.mlpackage"
INPUT, OUTPUT = "image", "logits"
MANIFEST = "Manifest.json"
PALETTE_BITS = 6
MACOS = 13
"""The first that reads ML Programs of iOS 16's kind."""
_PACKED = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same package gives the same file
_MISSING = "{name} is not installed. Install it: pip install -r requirements.txt (or the extra coreml)"
_APPLE_ONLY = "Core ML predicts on macOS and iOS only, and this machine runs {system}."
_TOO_OLD = "Core ML reads this kind of file from macOS {needed} on, and this machine has {version}. Update macOS."
_NO_BINDINGS = "This coremltools came without its link to Core ML. Reinstall it from its macOS wheel: pip install coremltools"


def _unavailable(capability: Capability) -> str | None:
    needed = ("torch", "coremltools") if capability == "export" else ("coremltools",)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        return _MISSING.format(name=" and ".join(missing))
    return _cannot_run() if capability == "run" else None


def _cannot_run() -> str | None:
    if sys.platform != "darwin":
        return _APPLE_ONLY.format(system=sys.platform)
    found = platform.mac_ver()[0]
    if int(found.split(".")[0] or 0) < MACOS:
        return _TOO_OLD.format(needed=MACOS, version=found or "an unknown version")
    package = importlib.util.find_spec("coremltools")
    folders = package.submodule_search_locations or [] if package is not None else []
    return None if any(list(Path(f).glob("libcoremlpython*")) for f in folders) else _NO_BINDINGS


# --- export --------------------------------------------------------------------------------------------------------------


def _export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coremltools warns of every torch that is newer than itself
        model = _half_model(checkpoint)
        if asked.precision in ("int8", "palette6"):
            report(0.6, f"quantising the weights to {asked.precision}")
            model = _int8(model) if asked.precision == "int8" else _palette(model)
        elif asked.precision != "fp16":
            offered = ", ".join(FORMAT.precisions)
            raise ExportError(f"Core ML files are written in {offered}, not {asked.precision}. Choose one of those.")
        report(0.9, "writing labels and preprocessing into the package")
        _describe(model, checkpoint)
        with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:
            package = Path(folder) / PACKAGE
            model.save(str(package))
            _pack(package, out)
    return Exported(
        recipe={
            "converter": f"coremltools {version('coremltools')}",
            "deployment_target": "iOS 16, macOS 13",
            "arithmetic": "float16",
            "layout": "NCHW",
        }
    )


@lru_cache(maxsize=1)
def _half_model(checkpoint: Checkpoint) -> Any:
    """The fp16 ML Program that the narrower ones are made from; the last checkpoint's is kept."""
    report(0.05, "exporting the network")
    from udacisense.models.capture import exported_program

    program = exported_program(checkpoint)
    report(0.2, "converting to an ML Program")
    import coremltools as ct

    return ct.convert(
        program.run_decompositions({}),
        inputs=[ct.TensorType(name=INPUT, shape=(1, 3, *checkpoint.input_px), dtype=np.float32)],
        outputs=[ct.TensorType(name=OUTPUT, dtype=np.float32)],
        minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT16,
        skip_model_load=True,
    )


def _int8(model: Any) -> Any:
    """Weights in int8, one scale a channel; they are widened to float16 before they are used."""
    import coremltools.optimize.coreml as optimize

    how = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", granularity="per_channel")
    return optimize.linear_quantize_weights(model, config=optimize.OptimizationConfig(global_config=how))


def _palette(model: Any) -> Any:
    """Each weight tensor as 64 values of its own and 6 bits a weight that choose among them, found by k-means."""
    import coremltools.optimize.coreml as optimize

    how = optimize.OpPalettizerConfig(mode="kmeans", nbits=PALETTE_BITS)
    return optimize.palettize_weights(model, config=optimize.OptimizationConfig(global_config=how))


def _describe(model: Any, checkpoint: Checkpoint) -> None:
    """What the app must do, where Xcode shows it."""
    from udacisense.data.preprocess import describe_preprocessing
    from udacisense.models.checkpoint import licence_of

    told = describe_preprocessing(checkpoint)
    what = "household objects" if checkpoint.ours else "classes"
    model.short_description = f"Tells {len(checkpoint.classes)} {what} apart. Answers with logits, before softmax."
    model.license = licence_of(checkpoint) or "not known"
    model.user_defined_metadata["labels"] = ",".join(checkpoint.classes)
    model.user_defined_metadata["preprocessing"] = json.dumps(told)
    model.user_defined_metadata["source_sha256"] = checkpoint.sha256
    model.user_defined_metadata.pop("com.github.apple.coremltools.conversion_date", None)  # the same model, the same file
    model.input_description[INPUT] = "RGB image, channels first, minus mean, by standard deviation."
    model.output_description[OUTPUT] = "One logit a label."


def _pack(package: Path, out: Path) -> None:
    """Not compressed, so that the file's size is the one that the model has in an app; without coremltools' debugging notes."""
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted([*(p for p in (package / "Data").rglob("*") if p.is_file()), package / MANIFEST]):
            content = file.read_bytes() if file.name != MANIFEST else _fixed_identifiers(file.read_bytes())
            place = f"{package.name}/{file.relative_to(package).as_posix()}"
            archive.writestr(zipfile.ZipInfo(place, _PACKED), content)


def _fixed_identifiers(manifest: bytes) -> bytes:
    """The manifest with the same identifiers each time, by the places in the package; coremltools draws new ones each time."""
    text = manifest.decode()
    entries: dict[str, dict[str, str]] = json.loads(text)["itemInfoEntries"]
    for index, drawn in enumerate(sorted(entries, key=lambda identifier: entries[identifier]["path"])):
        text = text.replace(drawn, f"00000000-0000-4000-8000-{index:012d}")
    return json.dumps(json.loads(text), indent=4, sort_keys=True).encode()


# --- run -----------------------------------------------------------------------------------------------------------------


class CoreMLSession:
    """One image at a time, on the processor alone: the one place where every Apple device computes alike."""

    def __init__(self, path: Path) -> None:
        self._folder = tempfile.mkdtemp(prefix=scratch.prefix())
        try:
            import coremltools as ct

            package = _unpack(path, Path(self._folder))
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)  # coremltools only warns where Core ML refuses a model
                self._model = ct.models.MLModel(str(package), compute_units=ct.ComputeUnit.CPU_ONLY)
        except BaseException:
            self.close()
            raise

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the images have another shape than the file takes, or Core ML fails on them.
        """
        if images.ndim != 4 or len(images) == 0 or images.shape[1] != 3:
            raise RunError(f"Images must have the shape (N, 3, H, W) with N of at least 1, got {images.shape}.")
        try:
            answers = [self._model.predict({INPUT: image[None]})[OUTPUT] for image in np.require(images, np.float32, ["C"])]
        except Exception as exc:  # Core ML has an error class for each of its compilers
            raise RunError(f"Core ML failed on images of shape {images.shape}: {in_brief(exc)}.") from exc
        logits: Logits = np.concatenate(answers).astype(np.float32)
        return logits

    def close(self) -> None:
        """Remove the unpacked package."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __del__(self) -> None:
        self.close()


def _unpack(path: Path, folder: Path) -> Path:
    """The package that the file holds, in a folder; nothing else is taken out of it.

    Raises:
        ValueError: it holds something else, or is packed so that it could grow.
    """
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            place = entry.filename.split("/")
            if entry.compress_type != zipfile.ZIP_STORED or place[0] != PACKAGE or ".." in place:
                raise ValueError(f"it holds {entry.filename!r}, which is no part of a package as UdaciSense writes it")
        archive.extractall(folder)
    if not (folder / PACKAGE / MANIFEST).is_file():
        raise ValueError("it holds no package")
    return folder / PACKAGE


def _load(file: ModelFile, threads: int) -> Session:
    reason = _unavailable("run")
    if reason is not None:
        raise RunError(f"{file.path.name} cannot run here. {reason} Verify it on a Mac.")
    del threads  # Core ML chooses by itself
    try:
        return CoreMLSession(file.path)
    except Exception as exc:  # Core ML has an error class for each of its compilers
        raise RunError(f"Core ML cannot load {file.path.name}: {in_brief(exc)}. Convert its checkpoint again.") from exc


FORMAT = Format(
    name="coreml",
    title="Core ML",
    file_name=f"{PACKAGE}.zip",
    precisions=("fp16", "int8", "palette6"),
    runtime="Core ML",
    target="iPhone, iPad and Mac apps, on processor, GPU and Neural Engine",
    runtime_version=lambda: version("coremltools"),
    unavailable=_unavailable,
    export=_export,
    load=_load,
    notes=(
        "Converted on any system, run on Apple's only: elsewhere its verification stays unknown.",
        "int8 and the 6-bit palette make the file smaller; the arithmetic stays float16.",
    ),
    color="#D55E00",  # vermillion
    libraries=("coremltools",),
    signs=FileSigns(suffixes=(".mlpackage",), member=MANIFEST),
    reader="udacisense.formats.fmt_coreml.reader:read",
    app_code=AppCode(
        home="udacisense.formats.fmt_coreml",
        runtime="coremltools",
        platforms=(ios("ios/CoreMLClassifier.swift"),),
    ),
)
