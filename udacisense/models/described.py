"""Checkpoints that nobody described: what their answers mean is never guessed, so nothing is measured of them."""

from __future__ import annotations

import shlex

from udacisense.errors import CheckpointError
from udacisense.models.checkpoint import WEIGHTS
from udacisense.types import Artifact, Checkpoint, ModelSpec, Subject

NOT_DESCRIBED = "not described yet"


def check_described(checkpoint: Checkpoint) -> None:
    """Nothing, if somebody said which classes a checkpoint answers.

    Raises:
        CheckpointError: nobody did; the message says how.
    """
    if not checkpoint.described:
        raise CheckpointError(how_to_describe(checkpoint))


def spec_of(subject: Subject) -> ModelSpec:
    """What is known of a subject, which it takes to measure it.

    Raises:
        CheckpointError: it is a checkpoint that nobody described.
    """
    if isinstance(subject, Checkpoint):
        check_described(subject)
    return subject.spec


def mark(subject: Subject) -> str:
    """What is put behind the name of a checkpoint that nobody described; nothing behind others."""
    return "" if isinstance(subject, Artifact) or subject.described else f" ({NOT_DESCRIBED})"


def how_to_describe(checkpoint: Checkpoint) -> str:
    """What is not known of a checkpoint that nobody described, and the command that says it."""
    bare = checkpoint.architecture == WEIGHTS
    command = f"python -m udacisense add {shlex.quote(str(checkpoint.path))}{' --architecture NAME' * bare}"
    return (
        f"{checkpoint.path.name} is {NOT_DESCRIBED}: the file does not say {'of which network it is and ' * bare}which classes "
        f"it answers, so it is not evaluated, converted or judged. Describe it: {command} --classes NAMES --input PIXELS "
        "--mean M --std S"
    )
