"""`convert`: a checkpoint in, an artifact out, once for each checkpoint, format, precision and recipe."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

import numpy as np

from udacisense import store
from udacisense.artifacts import check_unchanged, mobile_dir, read_artifact
from udacisense.errors import ExportError, StoreError, UdaciSenseError, UnavailableError
from udacisense.formats import get_format
from udacisense.progress import report
from udacisense.provenance import here
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, Conversion, Exported, Format, Precision

REVISION = 1
"""Raised when the converters change what they write, so that older files are not taken for what would be made now."""

LABELS = "labels.txt"


def convert(checkpoint: Checkpoint, format: str, precision: Precision = "fp32") -> Artifact:
    """The artifact of a checkpoint in a format: the one made before if nothing changed, else a new one.

    The file counts only after its own runtime has loaded it from disk and answered a picture with finite logits.

    Raises:
        FormatError: no such format. UnavailableError: its tools or runtime are missing here.
        ExportError: the precision is not offered, the conversion failed, or the written file does not run.
        CheckpointError: the checkpoint cannot be loaded, or changed since it was recorded.
        StoreError: the disk refuses.
    """
    fmt = get_format(format)
    _check_possible(checkpoint, fmt, precision)
    asked = recipe(fmt, precision)
    folder = mobile_dir() / artifact_id(checkpoint, fmt, precision)
    return _made_before(folder) or _make(folder, checkpoint, fmt, precision, asked)


def artifact_id(checkpoint: Checkpoint, fmt: Format, precision: Precision) -> str:
    """The id that the artifact has or would have: "torchscript-fp32-<checkpoint sha[:8]>-<recipe digest[:6]>"."""
    digest = hashlib.sha256(json.dumps(recipe(fmt, precision), sort_keys=True).encode()).hexdigest()
    return f"{fmt.name}-{precision}-{checkpoint.sha256[:8]}-{digest[:6]}"


def recipe(fmt: Format, precision: Precision) -> dict[str, object]:
    """What is asked for; the version is the tool's public one, because "+cpu" and "+cu130" write the same file."""
    return {
        "format": fmt.name,
        "precision": precision,
        "tool_version": fmt.runtime_version().partition("+")[0],
        "revision": REVISION,
    }


def publish(artifact: Artifact) -> Path:
    """Copy the artifact's file to the place where apps expect it, models/mobile/<file name>; returns that path.

    Raises:
        RunError: the file changed since it was made. StoreError: the disk refuses.
    """
    check_unchanged(artifact)
    place = mobile_dir() / artifact.path.name
    with store.replace_file(place) as part:
        shutil.copyfile(artifact.path, part)
    return place


def _check_possible(checkpoint: Checkpoint, fmt: Format, precision: Precision) -> None:
    for capability in ("export", "run"):  # a file that cannot be run here cannot be proved here
        reason = fmt.unavailable(capability)
        if reason is not None:
            raise UnavailableError(f"{checkpoint.id} cannot be converted to {fmt.name} here. {reason}")
    if precision not in fmt.precisions:
        raise ExportError(f"{fmt.name} offers {', '.join(fmt.precisions)}, not {precision}. Choose one of those.")
    check_unchanged(checkpoint)


def _made_before(folder: Path) -> Artifact | None:
    """The artifact in its folder, if record and file are whole."""
    try:
        artifact = read_artifact(folder)
        return artifact if store.sha256_of(artifact.path) == artifact.sha256 else None
    except StoreError:
        return None


def _make(folder: Path, checkpoint: Checkpoint, fmt: Format, precision: Precision, asked: dict[str, object]) -> Artifact:
    made = here(f"python -m udacisense convert {checkpoint.id} --format {fmt.name} --precision {precision}")
    started = time.perf_counter()
    with store.replace_folder(folder) as part:
        written = part / fmt.file_name
        report(0.05, f"converting to {fmt.title}")
        exported = _export(checkpoint, fmt, precision, written)
        seconds = time.perf_counter() - started
        report(0.8, f"loading it again with {fmt.runtime}")
        _check_runs(checkpoint, fmt, written)
        artifact = Artifact(
            id=folder.name,
            checkpoint_id=checkpoint.id,
            format=fmt.name,
            precision=precision,
            path=folder / fmt.file_name,
            sha256=store.sha256_of(written),
            size_bytes=written.stat().st_size,
            recipe=asked | dict(exported.recipe),
            warnings=exported.warnings,
            made=made,
            seconds=round(seconds, 3),
        )
        store.write_text(part / LABELS, "".join(f"{name}\n" for name in checkpoint.classes))
        store.write_text(part / store.ARTIFACT_RECORD, store.dump(artifact, "artifact"))
    report(1.0, "converted")
    return artifact


def _export(checkpoint: Checkpoint, fmt: Format, precision: Precision, out: Path) -> Exported:
    try:
        exported = fmt.export(checkpoint, Conversion(precision), out)
    except UdaciSenseError:
        raise
    except Exception as exc:  # the seam: every converter has errors of its own
        raise _failed(checkpoint, fmt, f"{type(exc).__name__}: {exc}") from exc
    if not out.is_file() or out.stat().st_size == 0:
        raise _failed(checkpoint, fmt, "the converter wrote no file")
    return exported


def _check_runs(checkpoint: Checkpoint, fmt: Format, written: Path) -> None:
    """The file from disk, in its own runtime, once."""
    probe = np.random.default_rng(0).standard_normal((1, 3, *checkpoint.input_px), dtype=np.float32)
    try:
        logits = fmt.load(written, settings().threads).predict(probe)
    except Exception as exc:  # the seam: every runtime has errors of its own
        raise _failed(checkpoint, fmt, f"{fmt.runtime} does not run the written file: {exc}") from exc
    if logits.shape != (1, len(checkpoint.classes)):
        raise _failed(checkpoint, fmt, f"the written file answers {logits.shape}, not (1, {len(checkpoint.classes)})")
    if not np.isfinite(logits).all():
        raise _failed(checkpoint, fmt, "the written file answers with values that are not finite numbers")


def _failed(checkpoint: Checkpoint, fmt: Format, why: str) -> ExportError:
    return ExportError(
        f"{checkpoint.id} -> {fmt.name} failed: {why.strip()[:600]}. Nothing was kept. "
        "Check the checkpoint's summary, or choose another format."
    )
