"""Verbs for whoever receives a converted file: look inside it, and pack it with all that an app needs."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from udacisense.types import Artifact

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.inspection.inspection import Inspection
    from udacisense.packaging.build import Package


def inspect(artifact: Artifact | str | Path) -> Inspection:
    """Inspect an artifact, by record, id or path, or any other file of a known format, by path.

    >>> verbs.inspect("model.tflite").int8_share

    Raises:
        NotFoundError: neither. InspectError: the file is of no known format, cut off, damaged or hostile.
    """
    from udacisense.artifacts import find_artifact
    from udacisense.errors import NotFoundError
    from udacisense.inspection.advice import changed_since
    from udacisense.inspection.inspect_file import inspect_file

    named = artifact.path.parent if isinstance(artifact, Artifact) else artifact
    path = Path(named)
    with suppress(NotFoundError):
        found = find_artifact(named, changed=True)
        seen = inspect_file(found.path, found.format, found.precision)
        if seen.sha256 != found.sha256:
            seen = dataclasses.replace(seen, findings=(changed_since(found.id), *seen.findings))
        return seen
    if not path.exists():
        find_artifact(named)  # raises, and names what comes close
    return inspect_file(path)


def package(artifact: Named, out: Path | None = None, labels_anyway: bool = False) -> Package:
    """Pack an artifact for an app developer into a zip, or into a folder inside `out`; by default <artifact id>.zip here.

    >>> verbs.package("onnx-int8-4ce2fa81-e2cad3", Path("packages")).path

    Args:
        labels_anyway: pack class names that an evaluation questions.

    Raises:
        NotFoundError: no such artifact, no checkpoint of it, or damaged golden images. FormatError: it does not run.
        MeasureError: an evaluation questions its class names.
    """
    from udacisense.artifacts import named_artifact
    from udacisense.packaging.build import build

    found = named_artifact(artifact)
    return build(found, out or Path(f"{found.id}.zip"), labels_anyway=labels_anyway)
