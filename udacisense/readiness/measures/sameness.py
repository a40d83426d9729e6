"""Sameness: whether the file is proved to be the same model as its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

from udacisense.metrics.stats import wilson_interval
from udacisense.readiness.measures.measure import RUN, Measure, Measurement
from udacisense.records import queries
from udacisense.types import TOLERANCE, Artifact, Checkpoint, Equivalence, Status
from udacisense.verify import agreement_limit, reason_of

STATUSES: Mapping[Equivalence, Status] = {"same": "pass", "different": "fail", "unknown": "unknown"}


def sameness(artifact: Artifact, checkpoint: Checkpoint) -> Measurement:
    """The verdict of the newest verification of these two files, real images before rendered ones."""
    newest = queries.standing_verification(artifact.sha256, checkpoint.sha256)
    limit = 100 * agreement_limit(artifact.precision)
    if newest is None:
        loose = queries.verifications_of(artifact.sha256, checkpoint.sha256, exploratory=True)
        only = f"Verified only with a looser tolerance than the {TOLERANCE:g} of the rule, which counts for nothing."
        return Measurement(f"{only if loose else 'Not verified yet.'} Run: {RUN} verify {artifact.id}", limit=limit)
    share = wilson_interval(newest.images - len(newest.flips), newest.images)
    return Measurement(
        reason_of(newest, artifact.precision),
        measured=newest.agreement * 100,
        interval=(share.low * 100, share.high * 100),
        evidence=(newest.id,),
        data=newest.data,
        decided=STATUSES[newest.verdict],
        limit=limit,
    )


SAMENESS = Measure(
    "sameness",
    "Agreement",
    "The verdict of the newest verification: the share of images that file and checkpoint answer alike.",
    "% equal answers",
    "verify",
    sameness,
    references=("checkpoint",),
)
