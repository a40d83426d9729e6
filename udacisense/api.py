"""The functions that `import udacisense` offers: the verbs, on records. What they are for stands in the package's docstring."""

from __future__ import annotations

from pathlib import Path

from udacisense import verbs
from udacisense.artifacts import Named, find_subject
from udacisense.classify import classify
from udacisense.types import Artifact, Benchmark, Precision, Readiness, Subject, Verification

__all__ = ["benchmark", "classify", "convert", "judge", "open", "verify"]


def open(path_or_id: str | Path) -> Subject:
    """The record of a checkpoint or artifact, by the path of its file or by its id; nothing is loaded yet.

    >>> checkpoint = udacisense.open("models/baseline_mobilenet/checkpoints/model.pth")

    Raises:
        NotFoundError: there is neither; the message names what comes close.
    """
    return find_subject(path_or_id)


def convert(checkpoint: Named, format: str = "torchscript", precision: Precision = "fp32") -> Artifact:
    """The artifact of a checkpoint in a phone format, published in models/mobile; what was made before is not made again.

    >>> artifact = udacisense.convert(checkpoint, "onnx", "int8")

    Raises:
        NotFoundError: no such checkpoint. FormatError: it is an artifact, there is no such format, its tools are missing,
        or the conversion failed.
    """
    return verbs.convert(checkpoint, format, precision)


def verify(artifact: Named) -> Verification:
    """Verify on every test image of the data source whether an artifact is equivalent to its checkpoint.

    >>> udacisense.verify(artifact).verdict

    Raises:
        NotFoundError: no such artifact, or its checkpoint is gone. DataError: no images. FormatError: it does not run.
    """
    return verbs.verify(artifact)


def benchmark(*subjects: Named, protocol: str = "standard") -> tuple[Benchmark, ...]:
    """The times of checkpoints and artifacts, taken side by side; only times of one call may be compared.

    >>> udacisense.benchmark(checkpoint, artifact, protocol="quick")

    Args:
        protocol: quick, standard, soak, or a .toml file.

    Raises:
        NotFoundError: no such subject. MeasureError: no subject, no such protocol, or one gave no usable number.
    """
    return verbs.benchmark(subjects, protocol)


def judge(artifact: Named) -> Readiness:
    """The verdict on an artifact by the rules of readiness.toml, from the newest records; nothing is measured.

    >>> udacisense.judge(artifact).status

    Raises:
        NotFoundError: no such artifact. RecipeError: a mistake in the rules.
    """
    return verbs.ready(artifact).readiness[0]
