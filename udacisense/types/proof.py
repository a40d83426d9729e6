"""Records of the differences between a file and its checkpoint: by class, in measures, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from udacisense.types.base import (
    Amount,
    Confusion,
    Count,
    DatasetRef,
    Fraction,
    Many,
    PerClass,
    Provenance,
    Sha256,
    require,
    require_fraction,
)


@dataclass(frozen=True, slots=True)
class ClassChange:
    """The images of one true class, before and after."""

    images: Count
    agreement: Fraction  # share with the same answer, 0..1
    accuracy_before: Fraction
    accuracy_after: Fraction

    def __post_init__(self) -> None:
        require(self.images > 0, "a class without images has no accuracy")


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures of two sets of logits of the same images; udacisense.metrics.logits has the formulas."""

    p99_abs_diff: Amount  # of all logits
    cosine: Annotated[float, Field(ge=-1.001, le=1.001)] | None  # mean over images; None = an image's logits are all zero
    kl_nats: float  # mean divergence of the probabilities
    top5_agreement: Fraction  # mean share of the five likeliest classes in common, 0..1
    per_class: Annotated[Many[ClassChange | None], PerClass]  # None = no image of the class
    ece_before: Fraction | None  # expected calibration error, 0..1; None = no labels
    ece_after: Fraction | None
    confusion_before: Confusion
    confusion_after: Confusion
    lost: Count | None  # right before, wrong after; None = no labels
    won: Count | None  # wrong before, right after
    accuracy_interval: tuple[float, float] | None  # 95 % of the accuracy after minus before, fractions

    def __post_init__(self) -> None:
        require_fraction("top5_agreement", self.top5_agreement)
        require_fraction("ece_before", self.ece_before)
        require_fraction("ece_after", self.ece_after)


SearchMethod = Literal["values", "prefixes"]
"""values: the file's own inner values were read while it ran. prefixes: beginnings of the network were converted alone."""


@dataclass(frozen=True, slots=True)
class LayerGap:
    """One place in the network: how far the file's value there is from the reference's."""

    name: str  # the reference's module: "features.4"
    value: str | None  # what the file calls it; None = nothing in it comes close, or a converted beginning's output
    shape: Many[Count]  # of one image's value in the reference
    sqnr_db: float | None  # signal over the power of the difference; None = identical
    max_abs_diff: Amount


@dataclass(frozen=True, slots=True)
class Localisation:
    """Layer-by-layer comparison: the place where a file's values diverge from its reference's."""

    id: str
    artifact_id: str
    artifact_sha256: Sha256
    checkpoint_id: str  # the reference
    checkpoint_sha256: Sha256
    data: DatasetRef
    images: Count  # the first of each class
    method: SearchMethod
    gaps: Many[LayerGap]  # along the network; with "prefixes" only where the search looked
    inside: Many[LayerGap]  # the steps inside the block that diverges, where they could be seen
    departs: str | None  # the first block whose output diverges; None = no single one does
    step: str | None  # the step inside that block that falls most
    reason: str
    made: Provenance
    warnings: Many[str] = ()

    def __post_init__(self) -> None:
        require(bool(self.gaps), "a location needs at least one place that was looked at")
        require(bool(self.reason), "a location needs its reason")
