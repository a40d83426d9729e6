"""Records of how two files that should be the same model differ: by class, in measures, along the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from udacisense.types.base import DatasetRef, Provenance, require, require_fraction


@dataclass(frozen=True, slots=True)
class ClassChange:
    """The pictures of one true class, before and after."""

    images: int
    agreement: float  # share with the same answer, 0..1
    accuracy_before: float
    accuracy_after: float

    def __post_init__(self) -> None:
        require(self.images > 0, "a class without pictures has no accuracy")


@dataclass(frozen=True, slots=True)
class Measures:
    """What two sets of logits of the same pictures say of each other; udacisense.logits has the formulas."""

    p99_abs_diff: float  # of all logits
    cosine: float | None  # mean over pictures; None = a picture's logits are all zero
    kl_nats: float  # mean divergence of the probabilities
    top5_agreement: float  # mean share of the five likeliest classes in common, 0..1
    per_class: tuple[ClassChange | None, ...]  # None = no picture of the class
    ece_before: float | None  # expected calibration error, 0..1; None = no labels
    ece_after: float | None
    confusion_before: tuple[tuple[int, ...], ...]  # rows true, columns answered
    confusion_after: tuple[tuple[int, ...], ...]
    lost: int | None  # right before, wrong after; None = no labels
    won: int | None  # wrong before, right after
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
    shape: tuple[int, ...]  # of one picture's value in the reference
    sqnr_db: float | None  # signal over the power of the difference; None = identical
    max_abs_diff: float


@dataclass(frozen=True, slots=True)
class Location:
    """Where along the network a file's values leave its reference's."""

    id: str
    artifact_id: str
    artifact_sha256: str
    checkpoint_id: str  # the reference
    checkpoint_sha256: str
    data: DatasetRef
    images: int  # the first of each class
    method: SearchMethod
    gaps: tuple[LayerGap, ...]  # along the network; with "prefixes" only where the search looked
    inside: tuple[LayerGap, ...]  # the steps inside the block that departs, where they could be seen
    departs: str | None  # the first block whose output departs; None = no single one does
    step: str | None  # the step inside that block that falls most
    reason: str
    made: Provenance
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.gaps), "a location needs at least one place that was looked at")
        require(bool(self.reason), "a location needs its reason")
