"""Size: of the file against a reference, and of the package that an app developer gets."""

from __future__ import annotations

from functools import partial

from udacisense.number_format import MB, change_percent, mb
from udacisense.readiness.measures.measure import RUN, Measure, Measurement
from udacisense.records import queries
from udacisense.types import Artifact, Checkpoint

SMALLER = "Convert at a lower precision, or compress the checkpoint further."


def size(artifact: Artifact, reference: Checkpoint, sign: float) -> Measurement:
    """How much larger (`sign` 1) or smaller (-1) the artifact's file is than the reference's, in percent of the reference."""
    change = (artifact.size_bytes / reference.size_bytes - 1) * 100
    return Measurement(
        f"The file has {mb(artifact.size_bytes)} against {mb(reference.size_bytes)} of {reference.id}: "
        f"{change_percent(change / 100)}.",
        measured=sign * change,
        evidence=(artifact.id, reference.id),
        if_failed=SMALLER,
    )


def package_size(artifact: Artifact) -> Measurement:
    """Size of the newest package that was made of this file, unpacked."""
    newest = queries.packages_of(artifact.sha256).newest()
    if newest is None:
        return Measurement(f"Not packaged yet. Run: {RUN} package {artifact.id}")
    return Measurement(
        f"The package has {newest.files} files with {mb(newest.size_bytes)} together, unpacked.",
        measured=newest.size_bytes / MB,
        evidence=(newest.id,),
        if_failed=SMALLER,
    )


SIZE_INCREASE = Measure(
    "size_increase",
    "Size increase",
    "How much larger the file is than the reference's.",
    "%",
    "convert",
    partial(size, sign=1.0),
    "below",
    (-100.0, 10_000.0),
    ("checkpoint", "baseline"),
)
SIZE_SAVING = Measure(
    "size_saving",
    "Size reduction",
    "How much smaller the file is than the reference's.",
    "%",
    "convert",
    partial(size, sign=-1.0),
    "at_least",
    (-10_000.0, 100.0),
    ("checkpoint", "baseline"),
)
PACKAGE_SIZE = Measure(
    "package_size",
    "Package size",
    "All files of the newest package for an app together, unpacked; exact, so it has no interval.",
    "MB",
    "package",
    package_size,
    "below",
    (0.0, 1_000_000.0),
)
