"""Verbs for whoever receives a converted file: look inside it, and pack it with all that an app needs."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from udacisense.inspection.inspection import Inspection
    from udacisense.packaging.build import Package


def inspect(artifact: str | Path) -> Inspection:
    """Inspect an artifact, by id or path, or any other file of a known format, by path.

    Raises:
        NotFoundError: neither. InspectError: the file is of no known format, cut off, damaged or hostile.
    """
    from udacisense.artifacts import find_artifact
    from udacisense.errors import NotFoundError
    from udacisense.inspection.advice import changed_since
    from udacisense.inspection.inspect_file import inspect_file

    path = Path(artifact)
    with suppress(NotFoundError):
        found = find_artifact(artifact, changed=True)
        seen = inspect_file(found.path, found.format, found.precision)
        if seen.sha256 != found.sha256:
            seen = dataclasses.replace(seen, findings=(changed_since(found.id), *seen.findings))
        return seen
    if not path.exists():
        find_artifact(artifact)  # raises, and names what comes close
    return inspect_file(path)


def package(artifact: str | Path, out: Path | None = None) -> Package:
    """Pack an artifact for an app developer into a zip, or into a folder inside `out`; by default <artifact id>.zip here.

    Raises:
        NotFoundError: no such artifact, no checkpoint of it, or damaged golden images. FormatError: it does not run.
    """
    from udacisense.artifacts import find_artifact
    from udacisense.packaging.build import build

    found = find_artifact(artifact)
    return build(found, out or Path(f"{found.id}.zip"))
