"""Evidence on one artifact: the newest record of each kind, gathered once so that what follows is pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from udacisense.records import queries
from udacisense.records.queries import Row
from udacisense.types import Artifact, Benchmark, Checkpoint, Evaluation, Localisation, Readiness, Subject, Verification
from udacisense.verify import TopK

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ArtifactEvidence:
    """The newest record of each kind on one artifact and on what it came from; None = there is none.

    Where there is evidence on real images, what rests on the rendered sample stands in `on_the_sample` only.
    """

    artifact: Artifact
    checkpoint: Checkpoint | None
    baseline: Checkpoint | None
    evaluation: Evaluation | None
    checkpoint_evaluation: Evaluation | None  # on the same images
    baseline_evaluation: Evaluation | None  # on the same images
    verification: Verification | None
    benchmarks: tuple[Benchmark, ...]  # every subject of the newest run that timed the artifact
    readiness: Readiness | None
    location: Localisation | None = None  # the layer at which it diverges
    on_the_sample: Verification | None = None  # where real images have the say: a limit beside the verification
    top_classes: Mapping[str, TopK] = field(default_factory=dict)  # of the changed answers, by the image's id
    images: Mapping[str, bytes] = field(default_factory=dict)  # PNGs of changed answers that may be shown, by id

    def timing_of(self, subject: Subject | None) -> Benchmark | None:
        """The benchmark of a subject in the artifact's run."""
        return None if subject is None else newest(self.benchmarks, lambda b: _is_of(b.subject_sha256, b.subject_id, subject))


def newest(found: Sequence[R], fits: Callable[[R], bool]) -> R | None:
    """The last record that fits; records come oldest first."""
    return next((record for record in reversed(found) if fits(record)), None)


def collect(artifact: Artifact) -> ArtifactEvidence:
    """Gather the records on an artifact; only those that belong to the file's present bytes count."""
    from udacisense.models.checkpoint import baseline_for, list_checkpoints

    checkpoint = newest(list_checkpoints().records, lambda c: c.id == artifact.checkpoint_id)
    baseline = baseline_for(artifact.spec)
    evaluation = queries.standing_evaluation(artifact.sha256)
    return ArtifactEvidence(
        artifact=artifact,
        checkpoint=checkpoint,
        baseline=baseline,
        evaluation=evaluation,
        checkpoint_evaluation=_same_images(checkpoint, evaluation),
        baseline_evaluation=_same_images(baseline, evaluation),
        verification=queries.standing_verification(artifact.sha256),
        benchmarks=_newest_run(artifact),
        readiness=queries.newest_readiness(artifact.sha256),
        location=queries.locations_of(artifact.sha256).newest(),
        on_the_sample=queries.verification_on_the_sample(artifact.sha256),
    )


def _same_images(subject: Checkpoint | None, beside: Evaluation | None) -> Evaluation | None:
    if subject is None:
        return None
    if beside is None:
        return queries.standing_evaluation(subject.sha256)
    return queries.newest_evaluation(subject.sha256, beside.data.dataset_id)


def _is_of(sha256: str, subject_id: str, subject: Subject) -> bool:
    """Whether a record is about this very file: the bytes must be the same, and an artifact's id too.

    A checkpoint's id changes with its place, all but the end that says its bytes.
    """
    if sha256 != subject.sha256:
        return False
    return subject_id == subject.id if isinstance(subject, Artifact) else subject_id.endswith(subject.sha256[:8])


def _newest_run(artifact: Artifact) -> tuple[Benchmark, ...]:
    """The newest run that timed the artifact as rules speak of it, and of that run what was timed under the same setting."""
    timed = queries.benchmarks_of(artifact.sha256).where(lambda row: _is_of(row.sha256, row["subject_id"], artifact))
    own = max(reversed(timed.rows), key=_order, default=None)
    if own is None:
        return ()
    run = queries.benchmarks_of_run(own["run_id"]).where(queries.is_plain)
    return tuple(run.where(lambda row: bool(row["setting"] == own["setting"])).sorted_by(_order))


def _order(row: Row) -> tuple[str, int]:
    return row.created, -row["threads"]
