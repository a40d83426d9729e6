"""Verbs `ready` and `report`: verdicts and documents from the records on disk, without any measurement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from udacisense.errors import NotFoundError, StoreError
from udacisense.records.queries import one_look
from udacisense.records.store import write_text
from udacisense.settings import settings
from udacisense.types import Artifact, Readiness, Status
from udacisense.writable import why_not

if TYPE_CHECKING:
    from udacisense.report import ArtifactEvidence


@dataclass(frozen=True, slots=True)
class Judgement:
    """Answer of `ready`: pass only if every artifact asked for passes."""

    status: Status
    readiness: tuple[Readiness, ...]
    notes: tuple[str, ...] = ()  # why a verdict could not be kept as a record


def ready(artifact: str | Path | None = None) -> Judgement:
    """Judge one artifact, or every one, by the rules of readiness.toml from the newest records.

    Raises:
        NotFoundError: no such artifact, or none at all. RecipeError: a mistake in the rules.
    """
    notes: list[str] = []
    with one_look():
        judged = tuple(_judged(found, notes) for found in _artifacts(artifact))
    return Judgement(worst([r.status for r in judged]), judged, tuple(dict.fromkeys(notes)))


def _judged(artifact: Artifact, notes: list[str]) -> Readiness:
    """The judgement of an artifact, kept as a record; where nothing can be written it is returned all the same, with a note."""
    from udacisense.readiness.judge import as_last, judge, keep, newest_readiness

    record, last = judge(artifact, save=False), newest_readiness(artifact)
    reason = why_not(settings().results_dir / "readiness")
    try:
        if reason is None:
            return keep(record, last)
    except StoreError as exc:
        reason = str(exc)
    known = as_last(record, last)
    if known is record:
        notes.append(f"The verdict was reached and not kept as a record. {reason}")
    return known


def worst(statuses: list[Status]) -> Status:
    """Worst of some statuses: a failure if there is one, else unknown if there is one, else pass."""
    order: tuple[Status, ...] = ("fail", "unknown")
    return next((status for status in order if status in statuses), "pass")


def report(artifact: str | Path | None = None, format: str = "markdown", images: bool = False) -> str:
    """Report on one artifact, or on all, as "markdown" or "html" text; the verdict is that of the records as they are now.

    Args:
        images: put photographs of the data source into the HTML, not the sample pack's images alone.
    """
    from udacisense.readiness.judge import as_last, judge, newest_readiness
    from udacisense.report import collect, html_report, markdown_report, with_flips

    writers = {"markdown": markdown_report, "html": html_report}
    if format not in writers:
        raise NotFoundError(f"There is no report format {format!r}. Pick one of: {', '.join(writers)}.")
    try:
        found = _artifacts(artifact)
    except NotFoundError:
        if artifact is not None:
            raise
        found = ()

    def evidence(a: Artifact) -> ArtifactEvidence:  # judged by the records as they are now, as on the Readiness page
        judged = as_last(judge(a, save=False), newest_readiness(a))
        return with_flips(replace(collect(a), readiness=judged), images)

    with one_look():
        return writers[format](tuple(map(evidence, found)))


@dataclass(frozen=True, slots=True)
class Report:
    """Text of a report, and the file that it was written to; None = none was asked for."""

    text: str
    path: Path | None


def write_report(
    artifact: str | Path | None = None, format: str = "markdown", out: Path | None = None, images: bool = False
) -> Report:
    """`report`, written to `out` where that is given."""
    text = report(artifact, format, images)
    return Report(text, None if out is None else write_text(out, text))


def _artifacts(artifact: str | Path | None) -> tuple[Artifact, ...]:
    from udacisense.artifacts import find_artifact, list_artifacts

    if artifact is not None:
        return (find_artifact(artifact),)
    found = list_artifacts().records
    if not found:
        raise NotFoundError("There is no artifact yet. Convert a checkpoint first: python -m udacisense convert CHECKPOINT")
    return found
