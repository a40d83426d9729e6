"""Class names in a package: an app shows them, so names that an evaluation questions are not packed unasked."""

from __future__ import annotations

from udacisense.evaluation.plausibility import doubts
from udacisense.records.queries import evaluation_on_any_split
from udacisense.types import Artifact, Checkpoint


def label_doubt(artifact: Artifact, checkpoint: Checkpoint) -> str | None:
    """Why the class names may be wrong, by the newest evaluation of the file or its checkpoint; None = nothing says so."""
    for subject in (artifact, checkpoint):
        found = evaluation_on_any_split(subject.sha256)
        for doubt in doubts(found.confusion, checkpoint.classes) if found else ():
            if found and doubt.of_labels:
                return f"The class names of {subject.id} are in doubt. {doubt.said} (Evidence: {found.id}.)"
    return None
