"""Names of checkpoints and converted files as people say them: "ExecuTorch int8 (baseline)", "PyTorch (baseline)"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from udacisense.formats import FORMATS
from udacisense.models.checkpoint import PREFIXES, list_checkpoints
from udacisense.types import Artifact, Checkpoint, Subject

DIGEST_DIGITS = 8


def techniques(subjects: Iterable[Subject]) -> dict[str, str]:
    """Id of each checkpoint among some subjects -> its name, such as "baseline" or "pipeline_03"."""
    return {s.id: s.technique for s in subjects if isinstance(s, Checkpoint)}


def subject_name(subject: Subject, known: Mapping[str, str]) -> str:
    """The name of a subject; a file whose checkpoint is not here goes by the digits that the checkpoint's id ends with.

    Args:
        known: `techniques` of the checkpoints that are here.
    """
    if isinstance(subject, Checkpoint):
        return f"PyTorch ({subject.technique})"
    source = known.get(subject.checkpoint_id, subject.checkpoint_id[-DIGEST_DIGITS:])
    return f"{format_title(subject.format)} {subject.precision} ({source})"


def role_name(role: str) -> str:
    """The name of a role in the history where no file of it is here: "PyTorch (Channel pruning)", "ExecuTorch int8"."""
    prefix = next((prefix for prefix in PREFIXES.values() if role.startswith(f"{prefix}-")), None)
    if prefix:
        return f"PyTorch ({role.removeprefix(f'{prefix}-').replace('_', ' ')})"
    format = max((name for name in FORMATS if role.startswith(f"{name}-")), key=len, default=None)
    return f"{format_title(format)} {role.removeprefix(f'{format}-')}" if format else role


def format_title(name: str) -> str:
    """The short title of a format, "ExecuTorch"; the plain name where this version does not know it."""
    return FORMATS[name].title.partition(" (")[0] if name in FORMATS else name


def artifact_name(artifact: Artifact) -> str:
    """The name of one converted file, by the checkpoints that are here."""
    return subject_name(artifact, techniques(list_checkpoints().records))
