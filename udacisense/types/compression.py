"""Records of compression: what one step made of a checkpoint, and what a whole pipeline came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from udacisense.types.base import Count, DatasetRef, Fraction, Many, Provenance, Seconds, Sha256, require

Mode = Literal["chain", "singles"]
"""Each step works on what the one before made, or each on the start."""


@dataclass(frozen=True, slots=True)
class CompressionStep:
    """One technique applied to one checkpoint. The record outlives the weights, which may lie elsewhere or nowhere."""

    id: str
    pipeline: str
    mode: Mode
    place: int  # in the pipeline, from 1
    name: str
    technique: str  # "prune-channels", ...
    settings: Mapping[str, object]  # the step as the pipeline's file says it
    key: str  # digest of all that the result depends on: equal keys need no second run
    parent_id: str
    parent_sha256: Sha256
    checkpoint_id: str
    sha256: Sha256
    path: str  # of the weights, as seen from the home folder
    size_bytes: Count
    parameters: Count | None  # None = folded into a TorchScript graph
    macs: Count | None  # multiply-accumulates of one image; None = the file does not tell
    sparsity: Fraction | None  # share of zeros among the weights, 0..1
    data: DatasetRef  # the training images, validation included
    images: Count  # of them that the step may have trained on
    validation_images: Count  # of them that were held out to choose by
    validation_top1: Fraction  # on those, 0..1
    seconds: Seconds
    made: Provenance
    notes: Mapping[str, object]  # what the technique tells of its work

    def __post_init__(self) -> None:
        require(self.place >= 1, f"place must be at least 1, got {self.place}")
        require(len(self.sha256) == 64, f"sha256 must have 64 hex digits, got {len(self.sha256)}")
        require(0.0 <= self.validation_top1 <= 1.0, f"validation_top1 must be a fraction, got {self.validation_top1}")


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that gave no checkpoint."""

    place: int
    name: str
    technique: str
    message: str


@dataclass(frozen=True, slots=True)
class Compression:
    """A pipeline as it came out: its start, its steps that are done, and those that failed."""

    id: str
    pipeline: str
    mode: Mode
    planned: Many[str]  # names of all steps, in order
    start_id: str
    start_sha256: Sha256
    steps: Many[str]  # ids of CompressionStep, in order
    failed: Many[FailedStep]
    made: Provenance

    @property
    def whole(self) -> bool:
        """Whether every step is done."""
        return len(self.steps) == len(self.planned)
