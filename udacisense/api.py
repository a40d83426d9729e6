"""The functions that `import udacisense` offers: the verbs, on records. What they are for stands in the package's docstring."""

from __future__ import annotations

from pathlib import Path

from udacisense import verbs
from udacisense.artifacts import find_subject
from udacisense.classify import classify
from udacisense.errors import FormatError
from udacisense.types import Artifact, Benchmark, Checkpoint, Precision, Readiness, Subject, Verification

__all__ = ["benchmark", "classify", "convert", "judge", "open", "verify"]

Named = Subject | str | Path
"""A checkpoint or artifact: its record, its id, or the path of its file."""


def open(path_or_id: str | Path) -> Subject:
    """The record of a checkpoint or artifact, by the path of its file or by its id; nothing is loaded yet.

    Raises:
        NotFoundError: there is neither; the message names what comes close.
    """
    return find_subject(path_or_id)


def convert(checkpoint: Named, format: str = "torchscript", precision: Precision = "fp32") -> Artifact:
    """The artifact of a checkpoint in a phone format, published in models/mobile; what was made before is not made again.

    Raises:
        NotFoundError: no such checkpoint. FormatError: it is an artifact, there is no such format, its tools are missing,
        or the conversion failed.
    """
    return verbs.convert(_checkpoint(checkpoint), format, precision)


def verify(artifact: Named) -> Verification:
    """Verify on every test image of the data source whether an artifact is equivalent to its checkpoint.

    Raises:
        NotFoundError: no such artifact, or its checkpoint is gone. DataError: no images. FormatError: it does not run.
    """
    return verbs.verify(_artifact(artifact))


def benchmark(*subjects: Named, protocol: str = "standard") -> tuple[Benchmark, ...]:
    """The times of checkpoints and artifacts, taken side by side; only times of one call may be compared.

    Args:
        protocol: quick, standard, soak, or a .toml file.

    Raises:
        NotFoundError: no such subject. MeasureError: no subject, no such protocol, or one gave no usable number.
    """
    return verbs.benchmark([_key(subject) for subject in subjects], protocol)


def judge(artifact: Named) -> Readiness:
    """The verdict on an artifact by the rules of readiness.toml, from the newest records; nothing is measured.

    Raises:
        NotFoundError: no such artifact. RecipeError: a mistake in the rules.
    """
    return verbs.ready(_artifact(artifact)).readiness[0]


def _checkpoint(named: Named) -> str | Path:
    if isinstance(named, Artifact):
        raise FormatError(f"{named.id} is an artifact already. Convert its checkpoint, {named.checkpoint_id}.")
    return _key(named)


def _artifact(named: Named) -> str | Path:
    if isinstance(named, Checkpoint):
        raise FormatError(f"{named.id} is a checkpoint, not an artifact. Convert it first, then name what comes out.")
    return _key(named)


def _key(named: Named) -> str | Path:
    """Key that finds a record again: a checkpoint's file, an artifact's folder; each also outside of models/."""
    if isinstance(named, str | Path):
        return named
    return named.path if isinstance(named, Checkpoint) else named.path.parent
