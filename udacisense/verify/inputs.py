"""The small inputs of a verification: the notebook's random images, and the golden images that travel with a file."""

from __future__ import annotations

import zipfile

import numpy as np

from udacisense import archives
from udacisense.archives import ArchiveError
from udacisense.artifacts import open_session
from udacisense.conversion.build import GOLDEN as GOLDEN_FILE
from udacisense.evaluation.predictions import run_session
from udacisense.foreign import in_brief
from udacisense.metrics import logits as measure
from udacisense.settings import settings
from udacisense.types import TOLERANCE, Artifact, Checkpoint, Images, Logits, TensorCheck

RANDOM_INPUTS: tuple[tuple[str, int], ...] = (("single", 1), ("batch of 4", 4))
"""The notebook's inputs: name and number of random images."""
GOLDEN = "golden images"
"""Name of the check on the images that conversion put beside the file."""
FORMER_GOLDEN = "golden pictures"
"""What records from before this name call it."""


def input_name(check: TensorCheck) -> str:
    """Name of a check's input; the golden images have one name, whatever the age of the record."""
    return GOLDEN if check.name == FORMER_GOLDEN else check.name


def random_checks(checkpoint: Checkpoint, artifact: Artifact, tolerance: float = TOLERANCE) -> tuple[TensorCheck, ...]:
    """The notebook's checks: one random image and a batch of four, from the fixed seed, through both files."""
    old, new = (open_session(s, threads=settings().threads) for s in (checkpoint, artifact))
    rng = np.random.default_rng(settings().seed)
    checks = []
    for name, n in RANDOM_INPUTS:
        images: Images = rng.standard_normal((n, 3, *checkpoint.input_px)).astype(np.float32)
        classes = len(checkpoint.classes)
        before = run_session(old, images, classes, checkpoint.id)
        after = run_session(new, images, classes, artifact.id)
        checks.append(check_tensors(name, before, after, tolerance))
    return tuple(checks)


def golden_check(
    checkpoint: Checkpoint, artifact: Artifact, tolerance: float = TOLERANCE
) -> tuple[tuple[TensorCheck, ...], str | None]:
    """The images beside the file against the checkpoint's logits that were kept with them; or why they say nothing."""
    path = artifact.path.with_name(GOLDEN_FILE)
    advice = f"Convert {artifact.checkpoint_id} again to get them."
    if not path.is_file():
        return (), f"No golden images lie beside the file, so they were not compared. {advice}"
    try:
        archives.check_arrays(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            images, expected = archive["images"].astype(np.float32), archive["logits"].astype(np.float32)
        if images.shape[1:] != (3, *checkpoint.input_px) or expected.shape != (len(images), len(checkpoint.classes)):
            raise ValueError(f"images {images.shape} and logits {expected.shape}")
    except (ArchiveError, OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as exc:
        return (), f"The golden images beside the file are damaged ({in_brief(exc)}), so they were not compared. {advice}"
    session = open_session(artifact, threads=settings().threads)
    found = run_session(session, images, len(checkpoint.classes), artifact.id)
    return (check_tensors(GOLDEN, expected, found, tolerance),), None


def check_tensors(name: str, before: Logits, after: Logits, tolerance: float) -> TensorCheck:
    """Two sets of logits (N, classes) of the same inputs, compared as the notebook does."""
    gap = measure.gaps(before, after)
    return TensorCheck(
        name=name,
        inputs=len(before),
        max_abs_diff=float(gap.max()),
        mean_abs_diff=float(gap.mean()),
        predictions_match=measure.agreement(before, after) == 1.0,
        tolerance=tolerance,
        outputs_match=bool(gap.max() < tolerance),
    )
