"""How a converted file did on the rendered sample, where real images have the say: a limit to know, which no rule counts."""

from __future__ import annotations

from udacisense.number_format import count, percent
from udacisense.records import queries
from udacisense.types import Artifact, Verification
from udacisense.verdict_words import EQUIVALENCE


def on_the_sample(artifact: Artifact) -> str:
    """The sentence of an artifact that was verified on the sample and on real images; empty where it was not on both."""
    return limit(queries.verification_on_the_sample(artifact.sha256))


def limit(record: Verification | None) -> str:
    """The sentence of a verification on the sample."""
    if record is None:
        return ""
    return (
        f"On the rendered sample: {_equal(record)} of {record.images} images get the checkpoint's answer "
        f"({percent(record.agreement)}). Rendered images are no evidence for photographs, so no rule counts "
        "this; it is a limit to know."
    )


def what_counts(record: Verification) -> str:
    """Of a verification on the sample, which one on real images counts instead; empty where this one counts."""
    standing = queries.standing_verification(record.artifact_sha256, record.checkpoint_sha256)
    if record.data.source != "sample" or standing is None or standing.data.source == "sample":
        return ""
    return (
        f"This is a limit on the rendered sample. What counts is the newest verification on real images, {standing.id}: "
        f"{EQUIVALENCE[standing.verdict]}, {count(_equal(standing))} of {count(standing.images)} answers are equal."
    )


def _equal(record: Verification) -> int:
    return record.images - len(record.flips)
