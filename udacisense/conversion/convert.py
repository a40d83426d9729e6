"""`convert`: a checkpoint in, an artifact out, once for each checkpoint, format, precision and recipe.

The converter works in a process of its own, because converters crash. Where a precision has more than one recipe they are a
ladder: each is tried in the order in which the format writes them, its file measured on validation images, and the first
that passes is kept together with what all of them measured.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import ExitStack, suppress
from difflib import get_close_matches
from pathlib import Path

from udacisense import formats
from udacisense.artifacts import check_unchanged, mobile_dir, read_artifact
from udacisense.conversion.build import ConversionBackend, ConversionRun
from udacisense.conversion.calibration_data import VALIDATION_PER_CLASS, training_set_id
from udacisense.conversion.recipe_search import MAX_LOSS, MIN_AGREEMENT
from udacisense.conversion.worker_client import ConverterClient
from udacisense.errors import ExportError, FormatError, RecipeError, StoreError, UnavailableError
from udacisense.formats import get_format
from udacisense.progress import part
from udacisense.records import store
from udacisense.types import HOUSEHOLD, REFERENCE, Artifact, Checkpoint, ConversionRecipe, Format, ModelSpec, Precision

REVISION = 2
"""Raised when the converters change what they write, so that older files are not taken for what would be made now."""


def convert(
    checkpoint: Checkpoint,
    format: str,
    precision: Precision = "fp32",
    recipe: str | None = None,
    *,
    converter: ConversionBackend | None = None,
) -> Artifact:
    """The artifact of a checkpoint in a format: the one made before if nothing changed, else a new one.

    The file counts only after its own runtime has loaded it from disk and answered images with finite logits.

    Args:
        recipe: the name of the one recipe to use; None = the first of the format's that passes.
        converter: the process to convert in, kept for the next conversion; None = one of its own.

    Raises:
        FormatError: no such format. UnavailableError: its tools are missing here. RecipeError: no such recipe.
        ExportError: the precision is not offered, the conversion failed, or the written file does not run.
        CheckpointError: the checkpoint cannot be loaded, or changed since it was recorded.
        StoreError: the disk refuses.
    """
    made = made_before(checkpoint, format, precision, recipe)
    if made is not None:
        return made
    fmt = get_format(format)
    recipes = _recipes(fmt, precision, recipe)
    folder = mobile_dir() / artifact_id(checkpoint, fmt, precision, recipe)
    with ExitStack() as stack:
        maker = converter or stack.enter_context(open_converter())
        start = 0.0
        fp32_path = None
        if len(recipes) > 1 and "fp32" in fmt.precisions:
            start = 0.2
            with part(0.0, start, "fp32 to compare with: "), suppress(ExportError):
                fp32_path = convert(checkpoint, format, converter=maker).path
        with part(start, 1.0):
            return ConversionRun(
                checkpoint, fmt, precision, recipes, asked_for(fmt, precision, recipe, checkpoint.spec), maker, fp32_path
            ).make(folder)


def made_before(
    checkpoint: Checkpoint, format: str, precision: Precision = "fp32", recipe: str | None = None
) -> Artifact | None:
    """The artifact that `convert` would give without converting anything; None where it has to be made.

    Raises:
        As `convert`, as far as it concerns what is asked for.
    """
    fmt = target(format)
    _check_possible(checkpoint, fmt, precision)
    return _whole(mobile_dir() / artifact_id(checkpoint, fmt, precision, recipe))


def targets() -> dict[str, Format]:
    """The formats that a checkpoint can become; all but the one that runs checkpoints."""
    return {name: fmt for name, fmt in formats.FORMATS.items() if name != REFERENCE}


def target(name: str) -> Format:
    """The format of that name.

    Raises:
        FormatError: there is none; the message names those that a checkpoint can become.
    """
    if name in formats.FORMATS:
        return formats.FORMATS[name]
    close = get_close_matches(name, targets(), n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    raise FormatError(f"There is no format {name!r} to convert to.{meant} Pick one of: {', '.join(targets())}.")


def open_converter() -> ConverterClient:
    """A process to convert in; close it when all is converted."""
    return ConverterClient()


def artifact_id(checkpoint: Checkpoint, fmt: Format, precision: Precision, recipe: str | None = None) -> str:
    """The id that the artifact has or would have: "torchscript-fp32-<checkpoint sha[:8]>-<recipe digest[:6]>".

    Raises:
        RecipeError: no such recipe. DataError: the images that it would be calibrated by cannot be read.
    """
    digest = hashlib.sha256(json.dumps(asked_for(fmt, precision, recipe, checkpoint.spec), sort_keys=True).encode()).hexdigest()
    return f"{fmt.name}-{precision}-{checkpoint.sha256[:8]}-{digest[:6]}"


def asked_for(fmt: Format, precision: Precision, recipe: str | None = None, spec: ModelSpec = HOUSEHOLD) -> dict[str, object]:
    """Inputs that an id depends on; the version is the tool's public one, because "+cpu" and "+cu130" write the same file."""
    recipes = _recipes(fmt, precision, recipe)
    asked: dict[str, object] = {
        "format": fmt.name,
        "precision": precision,
        "tool_version": fmt.runtime_version().partition("+")[0],
        "revision": REVISION,
    }
    if precision in fmt.recipes:
        asked["recipes"] = {r.name: dict(r.options) for r in recipes}
    if len(recipes) > 1:
        asked["rules"] = {"agreement": MIN_AGREEMENT, "loss": MAX_LOSS, "validation_per_class": VALIDATION_PER_CLASS}
    if len(recipes) > 1 or recipes[0].calibrated:
        asked["pictures"] = training_set_id(spec)
    if spec.digest:
        asked["model"] = spec.digest
    return asked


def publish(artifact: Artifact) -> Path:
    """Copy the artifact's file to the place where apps expect it, models/mobile/<file name>; returns that path.

    Raises:
        RunError: the file changed since it was made. StoreError: the disk refuses.
    """
    check_unchanged(artifact)
    place = mobile_dir() / artifact.path.name
    with store.replace_file(place) as written:
        shutil.copyfile(artifact.path, written)
    return place


def _recipes(fmt: Format, precision: Precision, name: str | None) -> tuple[ConversionRecipe, ...]:
    offered = fmt.recipes_for(precision)
    if name is None:
        return offered
    chosen = tuple(r for r in offered if r.name == name)
    if not chosen:
        names = ", ".join(r.name for r in offered)
        raise RecipeError(f"{fmt.name} has no recipe {name!r} for {precision}. Choose one of: {names}.")
    return chosen


def _check_possible(checkpoint: Checkpoint, fmt: Format, precision: Precision) -> None:
    reason = fmt.unavailable("export")
    if reason is not None:
        raise UnavailableError(f"{checkpoint.id} cannot be converted to {fmt.name} here. {reason}")
    if precision not in fmt.precisions:
        raise ExportError(f"{fmt.name} offers {', '.join(fmt.precisions)}, not {precision}. Choose one of those.")
    check_unchanged(checkpoint)


def _whole(folder: Path) -> Artifact | None:
    """The artifact in its folder, if record and file are as they were written."""
    try:
        artifact = read_artifact(folder)
        return artifact if store.sha256_of(artifact.path) == artifact.sha256 else None
    except StoreError:
        return None
