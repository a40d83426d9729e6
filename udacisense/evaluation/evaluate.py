"""`evaluate`: one subject on one split -> accuracy, per class and confusion, with the raw logits kept beside it."""

from __future__ import annotations

from collections.abc import Iterable

from udacisense.artifacts import source_checkpoint
from udacisense.data.dataset import LOST, Dataset
from udacisense.data.health import overlap
from udacisense.errors import MeasureError, NotFoundError
from udacisense.evaluation.plausibility import doubts
from udacisense.evaluation.predictions import data_options, predict_all, predictions_path
from udacisense.metrics.logits import confusion, topk_accuracy
from udacisense.models.checkpoint import trained_hashes
from udacisense.number_format import count
from udacisense.provenance import here
from udacisense.records import store
from udacisense.records.queries import newest_evaluation
from udacisense.settings import settings
from udacisense.types import Checkpoint, Evaluation, Subject


def evaluate(subject: Subject, data: Dataset, *, fresh: bool = False, known: Iterable[Checkpoint] = ()) -> Evaluation:
    """Judge a checkpoint or artifact on a split and save the record; the same file on the same images keeps its record.

    Args:
        fresh: run the file again and add a new record.
        known: checkpoints that the caller has; the subject's is looked for among them first.

    Raises:
        RunError: the file cannot be loaded or run. MeasureError: an answer is not a number, or no image has a label.
    """
    kept = None if fresh else newest_evaluation(subject.sha256, data.ref.dataset_id)
    if kept is not None and _stands(kept, subject, data) and predictions_path(subject, data.ref.dataset_id).is_file():
        return kept
    made = here(f"python -m udacisense evaluate {subject.id} {data_options(data.ref)}")
    found = predict_all(subject, data, fresh=fresh)
    labelled = int(found.labelled.sum())
    top1, top5 = (topk_accuracy(found.logits, found.labels, k) for k in (1, 5))
    if top1 is None or top5 is None:
        raise MeasureError(f"None of the {len(data)} images has a label, so there is no accuracy. Use a labelled split.")
    seen = overlap_with_training(subject, data, known)
    counts = confusion(found.logits, found.labels, len(data.classes))
    record = Evaluation(
        id=store.new_id(f"eval-{subject.id}"),
        subject_id=subject.id,
        subject_sha256=subject.sha256,
        data=data.ref,
        images=labelled,
        top1=top1,
        top5=top5,
        per_class=recall_per_class(counts),
        confusion=counts,
        overlap_images=seen,
        predictions_path=found.path.relative_to(settings().results_dir).as_posix(),
        preprocess_s=found.preprocess_s,
        forward_s=found.forward_s,
        made=made,
        spec=subject.spec,
        warnings=(*_warnings(data, labelled, seen), *(doubt.said for doubt in doubts(counts, data.classes))),
    )
    store.save(record)
    return record


def _stands(kept: Evaluation, subject: Subject, data: Dataset) -> bool:
    """Whether a record says of these images all that one made now would: older ones do not question themselves."""
    asked = all(doubt.said in kept.warnings for doubt in doubts(kept.confusion, kept.classes))
    return asked and (kept.spec, kept.data.same) == (subject.spec, data.ref.same)


def recall_per_class(counts: tuple[tuple[int, ...], ...]) -> tuple[float | None, ...]:
    """Share (0..1) of each class's images answered right; None where the split has none."""
    return tuple(row[i] / sum(row) if sum(row) else None for i, row in enumerate(counts))


def overlap_with_training(subject: Subject, data: Dataset, known: Iterable[Checkpoint] = ()) -> int | None:
    """Number of images of the split that the weights were trained on; None = not recorded."""
    try:
        checkpoint = source_checkpoint(subject, known)
    except NotFoundError:
        return None
    trained = trained_hashes(checkpoint)
    return None if trained is None else overlap(data, trained)


def _warnings(data: Dataset, labelled: int, seen: int | None) -> tuple[str, ...]:
    said = []
    if seen:
        said.append(
            f"{seen} of {len(data)} images were in this model's training, so the accuracy is too high. "
            "Evaluate on the household-v1 test split, or train without them."
        )
    if seen is None:
        said.append(
            "It is not known which images this model was trained on, so some of these may be among them. "
            "Keep the list that training writes beside the checkpoint."
        )
    if labelled < len(data):
        said.append(f"{len(data) - labelled} of {len(data)} images have no label and do not count.")
    lost = sum(skipped.kind in LOST for skipped in data.skipped)
    if lost:
        said.append(f"{count(lost, 'file')} of the split could not be used. The Dataset page names them.")
    said.extend(data.notes)
    if data.ref.source == "sample":
        said.append(
            f"These are the {len(data)} rendered images of the sample pack: good for trying things out, no evidence for real "
            "photographs. Set UDACISENSE_DATA_DIR or download CIFAR-100, then evaluate again."
        )
    return tuple(said)
