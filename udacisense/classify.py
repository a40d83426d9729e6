"""`classify`: one image through one model file, prepared as its checkpoint asks; out come classes with probabilities."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from udacisense.artifacts import Named, named_subject, open_session, source_checkpoint
from udacisense.data.images import Decoded, decode_upload
from udacisense.data.preprocess import preprocess
from udacisense.data.tree import MAX_FILE_BYTES
from udacisense.errors import ImageError, NotFoundError
from udacisense.evaluation.predictions import run_session
from udacisense.metrics.logits import probabilities
from udacisense.models.described import check_described
from udacisense.settings import settings
from udacisense.types import Checkpoint, Pixels, Session, Subject

OWN = "this process"
"""For whom an image is decoded that no visitor of the app has brought."""


@dataclass(frozen=True, slots=True)
class Classification:
    """Answer of a model to one image."""

    classes: tuple[str, ...]  # in the order of the logits
    probabilities: tuple[float, ...]  # of each class, together 1
    decode_s: float | None  # None = the image came decoded
    preprocess_s: float
    inference_s: float

    def top(self, number: int = 5) -> tuple[tuple[str, float], ...]:
        """The `number` likeliest classes with their probabilities, likeliest first."""
        ranked = sorted(zip(self.classes, self.probabilities, strict=True), key=lambda pair: -pair[1])
        return tuple(ranked[:number])


class Classifier:
    """A loaded model file with the classes and the preprocessing of its checkpoint."""

    def __init__(self, name: str, checkpoint: Checkpoint, session: Session) -> None:
        self._name, self._checkpoint, self._session = name, checkpoint, session

    def classify(self, pixels: Pixels, decode_s: float | None = None) -> Classification:
        """The classification of one image, with the times of this very run.

        Raises:
            RunError: the runtime failed. MeasureError: it gave no finite numbers. DataError: not uint8 (H, W, 3).
        """
        model = self._checkpoint
        start = time.perf_counter()
        images = preprocess([pixels], model.preprocessing)
        ready = time.perf_counter()
        logits = run_session(self._session, images, len(model.classes), self._name)
        end = time.perf_counter()
        shares = tuple(probabilities(logits)[0].tolist())
        return Classification(model.classes, shares, decode_s, ready - start, end - ready)

    def warm(self) -> Self:
        """Itself after one run on a black image: the first run of a file is much slower than every later one."""
        self.classify(np.zeros((*self._checkpoint.input_px, 3), np.uint8))
        return self


def classify(image: str | Path | bytes | Pixels, subject: Named) -> Classification:
    """The classification of one image by a checkpoint or artifact; for many images see `open_classifier`.

    >>> udacisense.classify("photo.png", artifact).top(1)

    Args:
        image: the path of an image file, its bytes, or its pixels, uint8 (H, W, 3).
        subject: the record, its id, or the path of its file.

    Raises:
        ImageError: the image cannot be read. NotFoundError: no such subject, or its checkpoint is gone.
        FormatError, CheckpointError: the subject does not load or run. MeasureError: it gave no finite numbers.
    """
    if isinstance(image, np.ndarray):
        return open_classifier(subject).classify(image)
    found = decode_upload(image, "The image", OWN) if isinstance(image, bytes) else read_image(image)
    return open_classifier(subject).classify(found.pixels, found.seconds)


def open_classifier(subject: Named, load: Callable[[Subject, int], Session] = open_session) -> Classifier:
    """A subject, by its record, id or path, loaded and ready to classify any number of images.

    Args:
        load: how to open the file with so many threads; `artifacts.open_apart` opens it in a process of its own.

    Raises:
        NotFoundError: no such subject, or its checkpoint is gone. FormatError, CheckpointError: it does not load or run.
    """
    found = named_subject(subject)
    checkpoint = checkpoint_of(found)
    session = load(found, settings().threads)
    check_described(checkpoint)  # after it was opened: that it is unsafe or damaged is the first thing to know
    return Classifier(found.id, checkpoint, session).warm()


def checkpoint_of(subject: Subject) -> Checkpoint:
    """The checkpoint that says how a subject's images are prepared and what its classes are called.

    Raises:
        NotFoundError: the checkpoint of the artifact is gone.
    """
    if isinstance(subject, Checkpoint):
        return subject
    try:
        return source_checkpoint(subject)
    except NotFoundError as exc:
        raise NotFoundError(
            f"{subject.id} cannot classify, because its checkpoint, which says how to prepare an image, is gone. "
            f"Put {subject.checkpoint_id} back into {settings().models_dir}."
        ) from exc


def read_image(path: str | Path) -> Decoded:
    """The image in a file, decoded within the bounds of an upload.

    Raises:
        ImageError: no such file, or one that cannot be read or decoded.
    """
    try:
        if not Path(path).is_file():
            raise ImageError(f"There is no image file {path}. Check the path.")
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise ImageError(f"{path} cannot be read: {exc.strerror}. Check its permissions.") from exc
    if len(raw) > MAX_FILE_BYTES:
        raise ImageError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB. Make it smaller.")
    return decode_upload(raw, str(path), OWN)
