"""The logits of a subject on a split: computed once by the file's own runtime, kept on disk, shared by all who judge.

A file's answers are kept under the hash of its bytes and the digest of the images, so nothing stale can be read.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from udacisense import archives, files
from udacisense.archives import ArchiveError
from udacisense.artifacts import open_session
from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import batches
from udacisense.errors import MeasureError, NotFoundError, RunError, StoreError, UdaciSenseError
from udacisense.foreign import in_brief
from udacisense.metrics import logits as measure
from udacisense.progress import report
from udacisense.records.store import replace_file
from udacisense.settings import settings
from udacisense.types import DatasetRef, Evaluation, Images, Logits, ModelSpec, Session, Subject

T = TypeVar("T")
MAX_BYTES = 256 * 1024**2  # of raw predictions; a million images need less


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Logits of a subject for each image, in the order of the dataset."""

    hashes: tuple[str, ...]  # N, the images' ids
    labels: NDArray[np.int64]  # N; negative = no label
    logits: Logits  # N, classes
    preprocess_s: float  # spent on preprocessing, beside the forward passes
    forward_s: float  # spent in the session's predict
    path: Path

    @property
    def answers(self) -> NDArray[np.int64]:
        """The top-1 class of each image."""
        return measure.answers(self.logits)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """True where the image has a label."""
        return self.labels >= 0

    @property
    def correct(self) -> NDArray[np.bool_]:
        """True where the answer is the label."""
        correct: NDArray[np.bool_] = self.answers == self.labels
        return correct


def predict_all(subject: Subject, data: Dataset, *, fresh: bool = False) -> Predictions:
    """The subject's logits on every image: those kept from before, unless `fresh` or there are none.

    Raises:
        RunError: the file cannot be loaded or run, or answers in another shape. MeasureError: an answer is not a number.
    """
    _check_shown(subject, data)
    path = predictions_path(subject, data.ref.dataset_id)
    if not fresh:
        try:
            kept = _read(path)
        except StoreError:
            kept = None  # nothing there, or damaged: computed again
        if kept is not None and kept.hashes == data.hashes:
            return kept
    found = _compute(subject, data, path)
    _write(found)
    return found


def load_predictions(evaluation: Evaluation) -> Predictions:
    """The raw answers behind an evaluation.

    Raises:
        NotFoundError: the file is not here (a clone without it). StoreError: it is damaged.
    """
    root = settings().results_dir
    path = root / evaluation.predictions_path
    files.check_place(path, root)
    return _read(path)


def kept_predictions(sha256: str, spec: ModelSpec, ref: DatasetRef) -> Predictions:
    """The raw answers of a file, described so, on a split that were kept; nothing is run.

    Raises:
        NotFoundError: they are not here. StoreError: they are damaged.
    """
    return _read(_path(sha256, spec, ref.dataset_id))


def predictions_path(subject: Subject, dataset_id: str) -> Path:
    """Path of the kept logits of a subject on a split."""
    return _path(subject.sha256, subject.spec, dataset_id)


def _path(sha256: str, spec: ModelSpec, dataset_id: str) -> Path:
    described = f"-{spec.digest}" if spec.digest else ""  # the same bytes see other images where they are described otherwise
    return settings().results_dir / "predictions" / f"{sha256[:12]}-{dataset_id}{described}.npz"


def _check_shown(subject: Subject, data: Dataset) -> None:
    if (data.classes, data.preprocessing) != (subject.spec.classes, subject.spec.preprocessing):
        raise MeasureError(
            f"The images were prepared for a model of other classes or another input than {subject.id}'s. "
            "Load them for this one: load_dataset(..., spec=subject.spec)."
        )


def data_options(ref: DatasetRef) -> str:
    """The command line's options that name a split again."""
    return f"--source {ref.source} --scheme {ref.scheme} --split {ref.split}"


def run_session(session: Session, images: Images, classes: int, name: str) -> Logits:
    """One call of the session, checked: the shape that was asked for, and finite.

    Raises:
        RunError: the runtime failed or answered in another shape. MeasureError: a pixel or an answer is not a number.
    """
    if not np.isfinite(images).all():  # an int8 runtime rounds them to finite answers, which would look like a measurement
        raise MeasureError(f"{name} was given values that are not numbers. Check how the images were preprocessed.")
    try:
        logits = np.asarray(session.predict(images), dtype=np.float32)
    except UdaciSenseError:
        raise
    except Exception as exc:  # the seam: every runtime has errors of its own
        raise RunError(f"{name} failed on {len(images)} images: {in_brief(exc)}. Convert its checkpoint again.") from exc
    if logits.shape != (len(images), classes):
        raise RunError(
            f"{name} answered in shape {logits.shape} where {(len(images), classes)} was asked for. "
            "Convert its checkpoint again, or check that it is a classifier of these classes."
        )
    if not np.isfinite(logits).all():
        bad = int((~np.isfinite(logits)).any(axis=1).sum())
        raise MeasureError(
            f"{name} answered {bad} of {len(images)} images with values that are not numbers, so nothing can be measured. "
            "Check the checkpoint for the same, then convert it again at a higher precision."
        )
    return logits


def answer_all(session: Session, data: Dataset, name: str) -> tuple[Logits, float, float]:
    """Logits (N, classes) of a loaded session on every image, and the seconds of preprocessing and of forward passes.

    While the session answers one batch, the next is preprocessed in a thread, so the two times overlap.

    Raises:
        RunError: the session fails or answers in another shape. MeasureError: an answer is not a number, or no image.
    """
    if not len(data):
        raise MeasureError("The split has no image, so there is nothing to answer. Pick another split or data source.")
    answered: list[Logits] = []
    forward_s = preprocess_s = 0.0
    done = 0
    for (images, _), seconds in _ahead(_timed(batches(data, settings().eval_batch))):
        started = time.perf_counter()
        answered.append(run_session(session, images, len(data.classes), name))
        forward_s += time.perf_counter() - started
        preprocess_s += seconds
        done += len(images)
        report(done / len(data), f"{done} of {len(data)} images")
    return np.concatenate(answered), preprocess_s, forward_s


def _compute(subject: Subject, data: Dataset, path: Path) -> Predictions:
    # one core is left to the preprocessing, and the figures do not depend on how many there are
    session = open_session(subject, threads=settings().threads)
    logits, preprocess_s, forward_s = answer_all(session, data, subject.id)
    return Predictions(data.hashes, data.labels, logits, preprocess_s, forward_s, path)


def _timed(items: Iterator[T]) -> Iterator[tuple[T, float]]:
    """Each item with the seconds that it took to make."""
    while True:
        started = time.perf_counter()
        try:
            item = next(items)
        except StopIteration:
            return
        yield item, time.perf_counter() - started


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each made in a thread of its own while the one before is being used."""
    nothing = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="preprocess") as pool:
        coming: Future[T | object] = pool.submit(next, items, nothing)
        while (item := coming.result()) is not nothing:
            coming = pool.submit(next, items, nothing)
            yield item  # type: ignore[misc]


def _write(found: Predictions) -> None:
    with replace_file(found.path) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            hashes=np.array(found.hashes, dtype="S16"),
            labels=found.labels,
            logits=found.logits,
            seconds=np.array([found.preprocess_s, found.forward_s]),
        )


def _read(path: Path) -> Predictions:
    try:
        found = files.check_regular(path)
    except NotFoundError as exc:
        raise NotFoundError(f"The raw predictions {path} are not here. Evaluate again to make them.") from exc
    if found.st_size > MAX_BYTES:
        raise StoreError(f"The raw predictions {path} are larger than {MAX_BYTES >> 20} MB. Evaluate again to make them.")
    try:
        archives.check_arrays(path)
        with files.open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            hashes = tuple(str(h) for h in archive["hashes"].astype("U16"))
            labels, logits = archive["labels"].astype(np.int64), archive["logits"].astype(np.float32)
            seconds = archive.get("seconds", (0.0, 0.0))
    except (ArchiveError, OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as exc:
        raise StoreError(f"The raw predictions {path} are damaged ({in_brief(exc)}). Evaluate again to make them.") from exc
    if logits.shape != (len(hashes), logits.shape[-1]) or labels.shape != (len(hashes),) or not np.isfinite(logits).all():
        raise StoreError(f"The raw predictions {path} are damaged: they do not fit together. Evaluate again to make them.")
    return Predictions(hashes, labels, logits, float(seconds[0]), float(seconds[1]), path)
