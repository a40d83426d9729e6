"""All that the store knows about one artifact, gathered once so that what follows is pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from udacisense.readiness import standing
from udacisense.store import newest_evidence, records
from udacisense.types import Artifact, Benchmark, Checkpoint, Evaluation, Location, Readiness, Subject, Verification
from udacisense.verify import Thought

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Dossier:
    """The newest record of each kind on one artifact and on what it came from; None = there is none.

    Where there is evidence on real pictures, what rests on the rendered sample is left out.
    """

    artifact: Artifact
    checkpoint: Checkpoint | None
    baseline: Checkpoint | None
    evaluation: Evaluation | None
    checkpoint_evaluation: Evaluation | None  # on the same pictures
    baseline_evaluation: Evaluation | None  # on the same pictures
    verification: Verification | None
    benchmarks: tuple[Benchmark, ...]  # every subject of the newest run that timed the artifact
    readiness: Readiness | None
    location: Location | None = None  # where along the network it departs
    thoughts: Mapping[str, Thought] = field(default_factory=dict)  # of the changed answers, by the picture's id
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # PNGs of changed answers that may be shown, by id

    def timing_of(self, subject: Subject | None) -> Benchmark | None:
        """The benchmark of a subject in the artifact's run."""
        return None if subject is None else newest(self.benchmarks, lambda b: _is_of(b, subject))


def newest(found: Sequence[R], fits: Callable[[R], bool]) -> R | None:
    """The last record that fits; records come oldest first."""
    return next((record for record in reversed(found) if fits(record)), None)


def collect(artifact: Artifact) -> Dossier:
    """Gather the records on an artifact; only those that belong to the file's present bytes count."""
    from udacisense.models.checkpoint import baseline_checkpoint, list_checkpoints

    checkpoint = newest(list_checkpoints().records, lambda c: c.id == artifact.checkpoint_id)
    baseline = baseline_checkpoint()
    evaluations = records(Evaluation).records
    evaluation = newest_evidence([e for e in evaluations if _is_of(e, artifact) and e.data.split == "test"])
    return Dossier(
        artifact=artifact,
        checkpoint=checkpoint,
        baseline=baseline,
        evaluation=evaluation,
        checkpoint_evaluation=_same_pictures(evaluations, checkpoint, evaluation),
        baseline_evaluation=_same_pictures(evaluations, baseline, evaluation),
        verification=newest_evidence([v for v in records(Verification).records if v.artifact_sha256 == artifact.sha256]),
        benchmarks=_newest_run(artifact),
        readiness=newest(standing(), lambda r: r.artifact_sha256 == artifact.sha256),
        location=newest(records(Location).records, lambda r: r.artifact_sha256 == artifact.sha256),
    )


def _same_pictures(
    evaluations: Sequence[Evaluation], subject: Checkpoint | None, beside: Evaluation | None
) -> Evaluation | None:
    if subject is None:
        return None
    own = [e for e in evaluations if _is_of(e, subject)]
    if beside is None:
        return newest_evidence([e for e in own if e.data.split == "test"])
    return newest(own, lambda e: e.data.dataset_id == beside.data.dataset_id)


def _is_of(record: Evaluation | Benchmark, subject: Subject) -> bool:
    """Whether a record is about this very file: the bytes must be the same, and an artifact's id too.

    A checkpoint's id changes with its place, all but the end that says its bytes.
    """
    if record.subject_sha256 != subject.sha256:
        return False
    return record.subject_id == subject.id if isinstance(subject, Artifact) else record.subject_id.endswith(subject.sha256[:8])


def _newest_run(artifact: Artifact) -> tuple[Benchmark, ...]:
    """The newest run that timed the artifact as rules speak of it, and of that run what was timed under the same setting."""
    found = sorted((b for b in records(Benchmark).records if b.plain), key=lambda b: (b.made.created, -b.threads))
    own = newest(found, lambda b: _is_of(b, artifact))
    return () if own is None else tuple(b for b in found if (b.run_id, b.setting) == (own.run_id, own.setting))
