"""Contents of a package, format by format: platforms, code, and what the self-test installs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from udacisense.errors import FormatError
from udacisense.types import Artifact, Checkpoint


@dataclass(frozen=True, slots=True)
class Platform:
    """Code for one platform."""

    name: str  # for people
    places: tuple[str, ...]  # files of the package


_ANDROID = ("android/Picture.kt", "android/SelfTest.kt")
_IOS = ("ios/Picture.swift", "ios/SelfTest.swift")
PLATFORMS: Mapping[str, tuple[Platform, ...]] = {
    "executorch": (
        Platform("Android", (*_ANDROID, "android/ExecuTorchClassifier.kt")),
        Platform("iOS", (*_IOS, "ios/ExecuTorchClassifier.swift")),
    ),
    "litert": (Platform("Android", (*_ANDROID, "android/LiteRtClassifier.kt")),),
    "onnx": (
        Platform("Android", (*_ANDROID, "android/OnnxClassifier.kt")),
        Platform("the browser", ("web/picture.js", "web/classifier.js", "web/index.html", "web/package.json")),
    ),
    "coreml": (Platform("iOS", (*_IOS, "ios/CoreMLClassifier.swift")),),
    "torchscript": (Platform("Android", (*_ANDROID, "android/PyTorchMobileClassifier.kt")),),
    "torchscript-lite": (Platform("Android", (*_ANDROID, "android/PyTorchMobileClassifier.kt")),),
}
RUNTIME_PACKAGES = {
    "executorch": "executorch",
    "litert": "ai-edge-litert",
    "onnx": "onnxruntime",
    "coreml": "coremltools",
    "torchscript": "torch",
    "torchscript-lite": "torch",
}
PLATFORM_VERSIONS = {"onnxruntime_web": "1.30.0", "onnxruntime_android": "1.27.0", "litert_android": "1.4.2"}
"""Runtimes of phones and browsers, which are released apart from those of Python: the newest that the code was held to."""

LITE = {
    "loader": "LiteModuleLoader",
    "pytorch_android": "pytorch_android_lite",
    "loader_import": "import org.pytorch.LiteModuleLoader\n",
}
STANDARD = {"loader": "Module", "pytorch_android": "pytorch_android", "loader_import": ""}


NAMEABLE = re.compile(r"\w[\w .+-]*")
"""What a package's code, which people run, can carry between quotation marks in each of its languages."""


def check_names(artifact: Artifact, checkpoint: Checkpoint) -> None:
    """See to it that the names which go into code and into file names are names and nothing else.

    Raises:
        FormatError: one is not.
    """
    for what, name in (("file", artifact.path.name), *(("class", name) for name in checkpoint.classes)):
        if not NAMEABLE.fullmatch(name):
            raise FormatError(
                f"The {what} {name!r} has a name that cannot stand in an app's code. Use letters, digits, spaces and . _ + - "
                "in it, convert again and pack again."
            )


def template(place: str) -> str:
    """The text of a file that a package is made from."""
    return files("udacisense.packaging").joinpath("files", *place.split("/")).read_text(encoding="utf-8")


def filled(text: str, values: Mapping[str, str]) -> str:
    """A template with its {{names}} replaced.

    Raises:
        KeyError: a name has no value.
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def values(artifact: Artifact, checkpoint: Checkpoint) -> dict[str, str]:
    """Values of the templates."""
    height, width = checkpoint.input_px
    return {
        "file": artifact.path.name,
        "height": str(height),
        "width": str(width),
        "mean": ", ".join(map(str, checkpoint.mean)),
        "std": ", ".join(map(str, checkpoint.std)),
        "mean_f": ", ".join(f"{n}f" for n in checkpoint.mean),
        "std_f": ", ".join(f"{n}f" for n in checkpoint.std),
        "labels": ", ".join(json.dumps(name) for name in checkpoint.classes),
        "runtime_package": RUNTIME_PACKAGES[artifact.format],
        "load": template(f"load/{artifact.format}.py").rstrip(),
        "executorch": _version("executorch", artifact),
        **PLATFORM_VERSIONS,
        **(LITE if artifact.format == "torchscript-lite" else STANDARD),
    }


def code(artifact: Artifact, checkpoint: Checkpoint) -> dict[str, str]:
    """Every file of code of a package: its place and its text."""
    known = values(artifact, checkpoint)
    places = [place for platform in PLATFORMS[artifact.format] for place in platform.places]
    return {"selftest.py": filled(template("selftest.py"), known)} | {p: filled(template(p), known) for p in places}


def _version(name: str, artifact: Artifact) -> str:
    """The version that made the file, else the one that is here."""
    made = artifact.made.versions.get(name)
    if made and NAMEABLE.fullmatch(made):
        return made.partition("+")[0]
    try:
        return version(name)
    except PackageNotFoundError:
        return "LATEST"
