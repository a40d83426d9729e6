"""Records of files: checkpoints, artifacts, and conversions that gave none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from udacisense.types.base import (
    Count,
    Fraction,
    Many,
    Moment,
    Precision,
    Provenance,
    Seconds,
    Sha256,
    require,
    require_fraction,
)
from udacisense.types.model import (
    HOUSEHOLD,
    CropShare,
    Interpolation,
    Level,
    ModelSpec,
    Preprocessing,
    Side,
    Spread,
    check_classes,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """PyTorch weights, trained or compressed. The label order travels with the weights."""

    id: str  # "mobilenet_v3_small-baseline-1f3a9c02" = architecture-technique-sha256[:8]
    path: Path
    sha256: Sha256
    architecture: str
    technique: str  # "baseline", "prune30", ...
    parent_id: str | None  # the checkpoint it was compressed from
    classes: Many[str]
    input_px: tuple[Side, Side]  # height, width
    mean: tuple[Level, Level, Level]
    std: tuple[Spread, Spread, Spread]
    parameters: Count | None
    size_bytes: Count
    trained_on: str | None  # digest of the training images' hashes, None = not known
    trained_on_images: str | None  # name of the list of those hashes, beside the weights
    created: Moment
    described: bool = True  # False = nobody said which classes it answers; then it has no classes here
    interpolation: Interpolation = "bicubic"
    crop_pct: CropShare | None = None  # see Preprocessing
    title: str = ""  # what it tells apart: "seven kinds of fruit"
    licence: str | None = None  # None = not known

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to an image before this network sees it."""
        return Preprocessing(self.input_px, self.mean, self.std, self.interpolation, self.crop_pct)

    @property
    def ours(self) -> bool:
        """Whether it is a household network, whose use, limits and licence are known."""
        return self.architecture.partition("@")[0] == HOUSEHOLD.architecture and self.classes == HOUSEHOLD.classes

    @property
    def spec(self) -> ModelSpec:
        """What has to be known of it before a figure of it means something; without classes where nobody described it."""
        return ModelSpec(self.architecture, self.classes, self.preprocessing)

    def __post_init__(self) -> None:
        if self.described:
            check_classes(self.classes)
        require(self.described or not self.classes, "a file that nobody described has no classes")
        require(len(self.sha256) == 64, f"sha256 must have 64 hex digits, got {len(self.sha256)}")
        require(
            self.id.endswith((self.sha256[:8], self.sha256)),
            f"the id must end in {self.sha256[:8]}, the beginning of the file's sha256",
        )
        require(self.size_bytes > 0, f"size_bytes must be positive, got {self.size_bytes}")


@dataclass(frozen=True, slots=True)
class RecipeTrial:
    """One recipe that was tried for a precision, and what its file measured on the validation images."""

    recipe: str  # Recipe.name
    what: str  # Recipe.what
    size_bytes: Count | None  # None = no file was written
    agreement: Fraction | None  # share of validation images answered as the checkpoint answers them, 0..1
    top1: Fraction | None  # on the validation images
    top1_checkpoint: Fraction | None  # the checkpoint's on the same images
    latency_s: Seconds | None  # median of one image
    latency_fp32_s: Seconds | None  # of the format's fp32 file, timed in turn with it: only their ratio can be compared
    passed: bool
    reason: str  # why it passed or not

    @property
    def time_ratio(self) -> float | None:
        """Its time for one image over the fp32 file's; None where either was not measured."""
        return self.latency_s / self.latency_fp32_s if self.latency_s and self.latency_fp32_s else None

    def __post_init__(self) -> None:
        require_fraction("agreement", self.agreement)
        require_fraction("top1", self.top1)
        require(bool(self.reason), "a recipe trial needs its reason")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One exported file, made from one checkpoint."""

    id: str  # "torchscript-fp32-<checkpoint sha[:8]>-<recipe digest[:6]>"
    checkpoint_id: str
    format: str  # a key of FORMATS
    precision: Precision
    path: Path
    sha256: Sha256
    size_bytes: Count
    recipe: Mapping[str, object]  # what was asked for and what was done, e.g. {"capture": "trace", "optimiser": "freeze"}
    warnings: Many[str]  # sentences that say why and what to do next
    made: Provenance
    seconds: Seconds | None = None  # time the conversion took
    recipe_trials: Annotated[
        Many[RecipeTrial], Field(alias="ladder")
    ] = ()  # the recipes tried, in order, where the precision has more than one
    spec: ModelSpec = HOUSEHOLD  # of the checkpoint; records from before descriptions are of the household network

    def __post_init__(self) -> None:
        require(len(self.sha256) == 64, f"sha256 must have 64 hex digits, got {len(self.sha256)}")
        require(self.size_bytes > 0, f"size_bytes must be positive, got {self.size_bytes}")


@dataclass(frozen=True, slots=True)
class FailedConversion:
    """A conversion that gave no file: where it stopped, and what the converter said."""

    id: str
    checkpoint_id: str
    format: str
    precision: Precision
    recipe: str  # Recipe.name
    stage: str  # what it was doing: "lowering to XNNPACK"
    message: str
    log: str  # the end of what the converter printed
    made: Provenance


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that a converter has just written: it has no record until its runtime has run it."""

    path: Path
    format: str  # a key of FORMATS


@dataclass(frozen=True, slots=True)
class Packaged:
    """That a package for an app was made of an artifact, and how large it is."""

    id: str
    artifact_id: str
    artifact_sha256: Sha256
    files: Count
    size_bytes: Count  # of all its files together, unpacked
    made: Provenance


Subject = Checkpoint | Artifact
"""What can be loaded, evaluated and timed."""

ModelFile = Subject | WrittenFile
"""What a format can load."""

REFERENCE = "torch"
"""The format that runs a checkpoint."""


def format_name(file: ModelFile) -> str:
    """The name of the format that runs a file: a checkpoint's is the reference."""
    return REFERENCE if isinstance(file, Checkpoint) else file.format
