"""Records of measurements and of the verdicts from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from udacisense.types.base import (
    Amount,
    ClassIndex,
    Confusion,
    Count,
    DatasetRef,
    Equivalence,
    Fraction,
    Many,
    PerClass,
    Provenance,
    Seconds,
    Sha256,
    Status,
    require,
    require_fraction,
)
from udacisense.types.model import HOUSEHOLD, ModelSpec, check_per_class
from udacisense.types.proof import Measures


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Accuracy of one subject on one split. The raw logits are kept in predictions_path."""

    id: str
    subject_id: str
    subject_sha256: Sha256
    data: DatasetRef
    images: Count  # labelled images that were judged
    top1: Fraction  # 0..1
    top5: Fraction  # 0..1
    per_class: Annotated[Many[Fraction | None], PerClass]  # recall per class; None = the split has no image of it
    confusion: Confusion
    overlap_images: Count | None  # images of the split the checkpoint was trained on; None = not known
    predictions_path: str  # relative to results/
    preprocess_s: Seconds
    forward_s: Seconds
    made: Provenance
    warnings: Many[str] = ()
    spec: ModelSpec = HOUSEHOLD  # what the figures per class are called, and what was done to the images

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class, in the order of `per_class` and `confusion`."""
        return self.spec.classes

    def __post_init__(self) -> None:
        check_per_class(self.classes, self.per_class, self.confusion, *self.confusion)
        require(self.images > 0, "an evaluation needs at least one labelled image, got 0")
        require_fraction("top1", self.top1)
        require_fraction("top5", self.top5)


TOLERANCE = 1e-5
"""The notebook's, for every precision: the largest difference of a logit at which outputs match."""


@dataclass(frozen=True, slots=True)
class TensorCheck:
    """The notebook's check: the same random input through both models."""

    name: str  # "single", "batch of 4"
    inputs: Count
    max_abs_diff: Amount
    mean_abs_diff: Amount
    predictions_match: bool
    tolerance: Amount
    outputs_match: bool  # max_abs_diff < tolerance


@dataclass(frozen=True, slots=True)
class Flip:
    """One image whose answer changed."""

    image: str  # first 16 hex digits of the image's md5
    label: ClassIndex | None
    before: ClassIndex
    after: ClassIndex
    margin: float  # checkpoint's logit margin of its answer over the artifact's answer: what was lost
    margin_after: float | None = None  # artifact's margin of its answer over the checkpoint's; None = not kept


@dataclass(frozen=True, slots=True)
class Verification:
    """The same inputs through checkpoint and artifact."""

    id: str
    artifact_id: str
    artifact_sha256: Sha256
    checkpoint_id: str
    checkpoint_sha256: Sha256
    data: DatasetRef
    images: Count
    agreement: Fraction  # share of images with the same top-1, 0..1
    max_abs_diff: Amount  # in logits, over the real images
    mean_abs_diff: Amount
    psnr_db: float | None  # None = identical outputs
    accuracy_before: Fraction | None  # None = images had no labels
    accuracy_after: Fraction | None
    mcnemar_p: Fraction | None
    checks: Many[TensorCheck]
    flips: Many[Flip]
    verdict: Equivalence
    reason: str
    made: Provenance
    warnings: Many[str] = ()
    measures: Measures | None = None  # None = made before these were measured
    tolerance: float | None = None  # the largest logit difference that counted as equal; None = older, and its checks tell
    spec: ModelSpec = HOUSEHOLD  # what the figures per class are called, and what was done to the images

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class, in the order of the logits."""
        return self.spec.classes

    @property
    def exploratory(self) -> bool:
        """Whether a looser tolerance than the rule's was used: it shows something, and is evidence of nothing."""
        used = [check.tolerance for check in self.checks] + ([] if self.tolerance is None else [self.tolerance])
        return any(not tolerance <= TOLERANCE for tolerance in used)

    @property
    def exploratory_words(self) -> str:
        """A sentence that says so; empty for a verification that counts."""
        if not self.exploratory:
            return ""
        loosest = max([check.tolerance for check in self.checks] + [self.tolerance or 0.0])
        return (
            f"Exploratory: made with a tolerance of {loosest:g}, looser than the {TOLERANCE:g} of the rule, so it counts for "
            "nothing in ready, reports and tables."
        )

    def __post_init__(self) -> None:
        if self.measures is not None:
            m = self.measures
            check_per_class(self.classes, m.per_class, *(r for c in (m.confusion_before, m.confusion_after) for r in (c, *c)))
        answered = [i for f in self.flips for i in (f.before, f.after, f.label) if i is not None]
        require(max(answered, default=0) < len(self.classes), "a changed answer is none of the classes")
        require_fraction("agreement", self.agreement)
        require(bool(self.reason), "a verdict needs its reason")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One readiness rule on one artifact; the only record that judges."""

    subject_id: str
    rule: str  # key in readiness.toml
    title: str
    status: Status  # not measured is unknown, never pass
    reason: str
    measured: float | None
    interval: tuple[float, float] | None  # 95 %
    limit: float
    unit: str
    evidence: Many[str]  # record ids
    data: DatasetRef | None = None  # the images behind it, where images are

    def __post_init__(self) -> None:
        require(self.measured is not None or self.status == "unknown", "what was not measured can only be unknown")
        require(bool(self.reason), "a verdict needs its reason")


@dataclass(frozen=True, slots=True)
class Readiness:
    """All verdicts on one artifact at one time."""

    id: str
    artifact_id: str
    artifact_sha256: Sha256
    checkpoint_id: str
    baseline_id: str | None
    rules_sha256: str  # of readiness.toml
    status: Status  # fail if a rule fails, else unknown if one is unknown, else pass
    verdicts: Many[Verdict]
    made: Provenance
    left_out: Many[str] | None = None  # rules of the product that the rules file lacks; None = made before this was noted
