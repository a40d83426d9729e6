"""`add`: a model file of somebody else described, so that it can be evaluated, converted and judged; nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from udacisense import files
from udacisense.errors import CheckpointError
from udacisense.labels import CLASSES
from udacisense.models.card import card_path
from udacisense.models.described import NOT_DESCRIBED
from udacisense.remote import RemoteModel
from udacisense.types import Checkpoint, Images, Logits

PROBES = 5
"""Different images that must give different answers: a network that was saved broken answers all alike."""
MAX_BYTES = 1 << 20


def add(file: Path, classes: str) -> Checkpoint:
    """Describe a TorchScript file by writing its card, once it has been seen to answer.

    >>> verbs.add(Path("model.pt"), "clock,keyboard,lamp,telephone,television,bed,chair,couch,table,wardrobe").described

    Args:
        classes: the names in the order of the logits, with commas between them, or a file that holds one a line.

    Raises:
        NotFoundError: no such file. CheckpointError: it cannot be loaded, its answers are not logits of these classes, or
            these are not the classes that this version measures. StoreError: the disk refuses.
    """
    from udacisense.models.checkpoint import read_checkpoint, with_classes
    from udacisense.models.summary import told_summary
    from udacisense.models.writing import write_card

    found = read_checkpoint(file)
    if found.described:
        raise CheckpointError(_described_already(found))
    names = class_names(classes)
    _check_names(found.path.name, names)
    subject = with_classes(found, names)
    with closing(RemoteModel(subject)) as remote:
        _check_answers(subject.path.name, remote.predict(_noise(subject)))
        return write_card(subject, told_summary(remote))


def _described_already(found: Checkpoint) -> str:
    card = card_path(found.path)
    way_out = f" To say something else, remove {card.name} first." if card.exists() else ""
    return f"{found.path.name} is described already: it answers {', '.join(found.classes)}.{way_out}"


def class_names(told: str) -> tuple[str, ...]:
    """The names in a text with commas, or in the file that it names, one a line.

    Raises:
        StoreError: the file cannot be read.
    """
    path = Path(told)
    if "," not in told and path.is_file():
        return tuple(line.strip() for line in files.read_text(path, MAX_BYTES).splitlines() if line.strip())
    return tuple(name.strip() for name in told.split(",") if name.strip())


def _check_names(name: str, names: Sequence[str]) -> None:
    if tuple(names) == CLASSES:
        return
    ours = ", ".join(CLASSES)
    if sorted(names) == sorted(CLASSES):
        raise CheckpointError(
            f"{name} answers the ten classes in another order, and this version measures them in one order only: {ours}. "
            "Put its last layer's rows into that order, and save it again."
        )
    raise CheckpointError(
        f"{name} answers {len(names)} classes ({', '.join(names[:12])}), and this version measures networks "
        f"of ten classes: {ours}. It stays listed as {NOT_DESCRIBED}."
    )


def _noise(subject: Checkpoint) -> Images:
    return np.random.default_rng(0).standard_normal((PROBES, 3, *subject.input_px), dtype=np.float32)


def _check_answers(name: str, answers: Logits) -> None:
    if answers.shape != (PROBES, len(CLASSES)):
        raise CheckpointError(f"{name} answers {PROBES} images in the shape {answers.shape}, not with {len(CLASSES)} logits.")
    if not np.isfinite(answers).all():
        raise CheckpointError(f"{name} answers with values that are not finite numbers. Pick an earlier checkpoint.")
    if len(np.unique(answers, axis=0)) < PROBES:
        raise CheckpointError(f"{name} gives different images the same answer, so it was saved broken. Save it again.")
