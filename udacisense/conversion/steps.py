"""Steps of a conversion, with what the conversions of one process share: images and the checkpoint's answers.

This is what the child process does; `ConverterClient` has the same methods and passes them on to it.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udacisense.conversion.calibration_data import CalibrationSplit, draw, golden_images
from udacisense.conversion.recipe_search import Measured
from udacisense.data.sources import load_dataset
from udacisense.errors import ExportError
from udacisense.evaluation.predictions import run_session
from udacisense.foreign import in_brief
from udacisense.formats import get_format
from udacisense.progress import report
from udacisense.records import store
from udacisense.types import (
    REFERENCE,
    Checkpoint,
    Conversion,
    ConversionRecipe,
    Exported,
    ImageSet,
    Logits,
    Precision,
    Session,
    WrittenFile,
)

TIMED_RUNS = 30


class ConversionSteps:
    """Converts, checks and measures in this process; holds what it found out about one checkpoint at a time."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._of = ""  # the checkpoint that the rest belongs to
        self._draw: CalibrationSplit | None = None
        self._golden: tuple[ImageSet, Logits] | None = None
        self._answers: NDArray[np.int64] | None = None

    def export(
        self, checkpoint: Checkpoint, format: str, precision: Precision, recipe: ConversionRecipe, out: Path
    ) -> Exported:
        """Write one file by one recipe.

        Raises:
            ExportError: the converter wrote nothing; and whatever the converter raises.
        """
        report(0.0, f"{format}: starting the converter")
        calibration = self._drawn(checkpoint).calibrate if recipe.calibrated else None
        exported = get_format(format).export(checkpoint, Conversion(precision, recipe, calibration), out)
        if not out.is_file() or out.stat().st_size == 0:
            raise ExportError("the converter wrote no file")
        return exported

    def check(self, checkpoint: Checkpoint, format: str, path: Path) -> float:
        """Run a written file from disk on the golden images; returns its largest difference from the checkpoint's logits.

        Raises:
            ExportError: the runtime does not load or run it, or it answers in another shape or not with finite numbers.
        """
        fmt = get_format(format)
        report(0.0, f"loading it again with {fmt.runtime}")
        images, expected = self._golden_of(checkpoint)
        try:
            found = np.asarray(fmt.load(WrittenFile(path, format), self.threads).predict(images.images))
        except Exception as exc:  # the seam: every runtime has errors of its own
            raise ExportError(f"{fmt.runtime} does not run the written file: {in_brief(exc)}.") from exc
        if found.shape != expected.shape:
            raise ExportError(f"the written file answers {found.shape}, not {expected.shape}")
        if not np.isfinite(found).all():
            raise ExportError("the written file answers with values that are not finite numbers")
        return float(np.abs(found - expected).max())

    def measure(self, checkpoint: Checkpoint, format: str, path: Path, fp32_path: Path | None) -> Measured:
        """The file beside its checkpoint on the validation images, timed in turn with the format's fp32 file."""
        fmt, drawn = get_format(format), self._drawn(checkpoint)
        session = fmt.load(WrittenFile(path, format), self.threads)
        report(0.1, "answering the validation images")
        expected = self._expected(checkpoint)
        found = _answers(session, drawn, path.name)
        labels = drawn.data.labels[drawn.validation]
        report(0.9, "timing")
        fp32 = fmt.load(WrittenFile(fp32_path, format), self.threads) if fp32_path else None
        timed, reference = _time(session, fp32, checkpoint)
        return Measured(
            images=len(labels),
            agreement=float((found == expected).mean()),
            top1=_share_right(found, labels),
            top1_checkpoint=_share_right(expected, labels),
            latency_s=timed,
            latency_fp32_s=reference,
        )

    def write_golden(self, checkpoint: Checkpoint, out: Path) -> None:
        """The golden images, preprocessed, with the checkpoint's logits, as .npz."""
        images, logits = self._golden_of(checkpoint)
        with out.open("wb") as file:
            hashes = np.array(images.hashes, "S16")
            np.savez_compressed(file, images=images.images, logits=logits, labels=images.labels, hashes=hashes)

    def describe_data(self, checkpoint: Checkpoint) -> dict[str, object]:
        """Source of the images, and whether the checkpoint was trained on the validation images."""
        drawn = self._drawn(checkpoint)
        return {"source": drawn.data.ref.source, "dataset_id": drawn.data.ref.dataset_id, "unseen": drawn.unseen}

    def log(self) -> str:
        """Log of the converter: nothing is held back here."""
        return ""

    def stage(self) -> str:
        """What it was doing last."""
        return "converting"

    def _switch(self, checkpoint: Checkpoint) -> None:
        if self._of != checkpoint.sha256:
            self._of, self._draw, self._golden, self._answers = checkpoint.sha256, None, None, None

    def _drawn(self, checkpoint: Checkpoint) -> CalibrationSplit:
        self._switch(checkpoint)
        if self._draw is None:
            self._draw = draw(checkpoint, load_dataset("train", spec=checkpoint.spec))
        return self._draw

    def _golden_of(self, checkpoint: Checkpoint) -> tuple[ImageSet, Logits]:
        self._switch(checkpoint)
        if self._golden is None:
            images = golden_images(checkpoint)
            session = self._reference(checkpoint)
            self._golden = images, run_session(session, images.images, len(checkpoint.classes), checkpoint.id)
        return self._golden

    def _expected(self, checkpoint: Checkpoint) -> NDArray[np.int64]:
        if self._answers is None:
            self._answers = _answers(self._reference(checkpoint), self._drawn(checkpoint), checkpoint.id)
        return self._answers

    def _reference(self, checkpoint: Checkpoint) -> Session:
        return get_format(REFERENCE).load(checkpoint, self.threads)


def _share_right(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> float | None:
    """Share of the labelled images that are answered right; None where none of them has a label of this model."""
    known = labels >= 0
    return float((answers[known] == labels[known]).mean()) if known.any() else None


def _answers(session: Session, drawn: CalibrationSplit, name: str) -> NDArray[np.int64]:
    classes = len(drawn.checkpoint.classes)
    parts = [run_session(session, images, classes, name).argmax(axis=1) for images, _ in drawn.validate()]
    return np.concatenate(parts).astype(np.int64)


def _time(session: Session, reference: Session | None, checkpoint: Checkpoint) -> tuple[float, float | None]:
    """Median seconds of one image for both, run in turn so that a busy moment hits both alike."""
    probe = np.random.default_rng(0).standard_normal((1, 3, *checkpoint.input_px), dtype=np.float32)
    sessions = [session] if reference is None else [session, reference]
    times: list[list[float]] = [[] for _ in sessions]
    for _ in range(TIMED_RUNS):
        for one, seconds in zip(sessions, times, strict=True):
            started = time.perf_counter()
            one.predict(probe)
            seconds.append(time.perf_counter() - started)
    medians = [float(np.median(seconds[5:])) for seconds in times]
    return medians[0], medians[1] if reference is not None else None


def check_same(checkpoint: Checkpoint) -> None:
    """Nothing, if the checkpoint's file is still the one that its record describes.

    Raises:
        ExportError: the file changed in between. NotFoundError: it is gone.
    """
    if store.sha256_of(checkpoint.path) != checkpoint.sha256:
        raise ExportError(f"{checkpoint.path.name} changed while it was being converted. Convert it again.")
