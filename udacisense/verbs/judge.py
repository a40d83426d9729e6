"""Verbs `ready` and `report`: verdicts and documents from the records on disk, without any measurement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from udacisense.errors import NotFoundError, StoreError
from udacisense.records.queries import one_look
from udacisense.records.store import write_text
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, Readiness, Status
from udacisense.writable import why_not

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.report import ArtifactEvidence


@dataclass(frozen=True, slots=True)
class Judgement:
    """Answer of `ready`: pass only if every artifact asked for passes."""

    status: Status
    readiness: tuple[Readiness, ...]
    limits: Mapping[str, str] = field(
        default_factory=dict
    )  # artifact id -> how it did on the rendered sample, where real count
    notes: tuple[str, ...] = ()  # why a verdict could not be kept as a record


def ready(artifact: Named | None = None, known: Sequence[Checkpoint] = ()) -> Judgement:
    """Judge one artifact, or every one, by the rules of readiness.toml from the newest records.

    Args:
        known: checkpoints that the caller has, so that they need not be looked up.

    >>> verbs.ready("onnx-int8-4ce2fa81-e2cad3").status

    Raises:
        NotFoundError: no such artifact, or none at all. RecipeError: a mistake in the rules.
    """
    from udacisense.models.checkpoint import list_checkpoints

    notes: list[str] = []
    found = _artifacts(artifact)
    checkpoints = known or (list_checkpoints().records if len(found) > 1 else ())
    with one_look():
        judged = tuple(_judged(one, notes, checkpoints) for one in found)
        return Judgement(worst([r.status for r in judged]), judged, sample_limits(found), tuple(dict.fromkeys(notes)))


def sample_limits(artifacts: Iterable[Artifact]) -> dict[str, str]:
    """Id -> how the file did on the rendered sample, of those that real images have the say on."""
    from udacisense.report.sample_limit import on_the_sample

    return {artifact.id: said for artifact in artifacts if (said := on_the_sample(artifact))}


def _judged(artifact: Artifact, notes: list[str], known: Sequence[Checkpoint]) -> Readiness:
    """The judgement of an artifact, kept as a record; where nothing can be written it is returned all the same, with a note."""
    from udacisense.readiness.judge import as_last, judge, keep, newest_readiness

    record, last = judge(artifact, save=False, known=known), newest_readiness(artifact)
    reason = why_not(settings().results_dir / "readiness")
    try:
        if reason is None:
            return keep(record, last)
    except StoreError as exc:
        reason = str(exc)
    reached = as_last(record, last)
    if reached is record:
        notes.append(f"The verdict was reached and not kept as a record. {reason}")
    return reached


def worst(statuses: list[Status]) -> Status:
    """Worst of some statuses: a failure if there is one, else unknown if there is one, else pass."""
    order: tuple[Status, ...] = ("fail", "unknown")
    return next((status for status in order if status in statuses), "pass")


def report(artifact: Named | None = None, format: str = "markdown", images: bool = False) -> str:
    """Report on one artifact, or on all, as "markdown" or "html" text; the verdict is that of the records as they are now.

    >>> verbs.report(format="html")

    Args:
        images: put photographs of the data source into the HTML, not the sample pack's images alone.

    Raises:
        NotFoundError: no such artifact, or no such format of a report.
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
    artifact: Named | None = None, format: str = "markdown", out: Path | None = None, images: bool = False
) -> Report:
    """`report`, written to `out` where that is given.

    >>> verbs.write_report(format="html", out=Path("report.html")).path
    """
    text = report(artifact, format, images)
    return Report(text, None if out is None else write_text(out, text))


def _artifacts(artifact: Named | None) -> tuple[Artifact, ...]:
    from udacisense.artifacts import list_artifacts, named_artifact

    if artifact is not None:
        return (named_artifact(artifact),)
    found = list_artifacts().records
    if not found:
        raise NotFoundError("There is no artifact yet. Convert a checkpoint first: python -m udacisense convert CHECKPOINT")
    return found
