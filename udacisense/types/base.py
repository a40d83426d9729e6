"""Base types of records: array and name aliases, machine, provenance, reference to images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

Pixels = NDArray[np.uint8]  # H, W, 3: one decoded RGB image
Images = NDArray[np.float32]  # N, 3, H, W, normalised
Logits = NDArray[np.float32]  # N, classes, before softmax

Precision = Literal["fp32", "fp16", "int8", "palette6"]
Status = Literal["pass", "fail", "unknown"]
Equivalence = Literal["same", "different", "unknown"]
SplitName = Literal["train", "test"]
Capability = Literal["export", "run"]


def _check_moment(text: str) -> str:
    year = datetime.fromisoformat(text).year
    require(1970 <= year < 9999, f"no record is of the year {year}")
    return text


# What a number or a text of a record may be. Held to when a file is read: what we measure ourselves is in range.
Count = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Amount = Annotated[float, Field(ge=0)]
Ratio = Annotated[float, Field(gt=1e-9, lt=1e9)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SOURCES: tuple[str, ...] = ("cifar100", "folder", "sample")
SOURCE_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"
SourceName = Annotated[str, Field(pattern=f"^{SOURCE_NAME}$")]  # one of SOURCES, or one that a person named
Moment = Annotated[str, AfterValidator(_check_moment)]  # ISO 8601
MAX_CLASSES = 1000
"""A confusion matrix is kept whole in every evaluation, so a model of more classes would fill the disk."""
ClassIndex = Annotated[int, Field(ge=0, lt=MAX_CLASSES)]
PerClass = Field(min_length=2, max_length=MAX_CLASSES)
T = TypeVar("T")
Many = Annotated[tuple[T, ...], Field(fail_fast=True)]
"""Any number of values, read up to the first that does not fit: a million faults would take a gigabyte of memory."""
Confusion = Annotated[Many[Annotated[Many[Count], PerClass]], PerClass]  # rows true, columns answered


def require(condition: bool, message: str) -> None:
    """Raises ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_fraction(name: str, value: float | None) -> None:
    """Raises ValueError unless the value is None or from 0 to 1."""
    require(value is None or 0.0 <= value <= 1.0, f"{name} must be a fraction between 0 and 1, got {value}")


@dataclass(frozen=True, slots=True)
class Machine:
    """Machine that a measurement ran on. None = not available on this system."""

    cpu: str
    physical_cores: Count
    logical_cores: Count
    memory_bytes: Count
    os: str
    python: str
    governor: str | None = None  # CPU frequency governor
    cpu_quota_cores: Amount | None = None  # container limit
    memory_limit_bytes: Count | None = None  # container limit
    usable_cores: Count | None = None  # that this process may run on
    hypervisor: str | None = None  # of a virtual machine; "none" on bare metal
    turbo: bool | None = None  # whether cores may go over their nominal clock


@dataclass(frozen=True, slots=True)
class Provenance:
    """Provenance of a record, so that anybody can make it again."""

    command: str  # the command line that makes this record again
    created: Moment  # UTC, ISO 8601
    machine: Machine
    versions: Mapping[str, str]  # library -> version
    seed: int
    load_1min: Amount | None = None  # the system's load average when the work began
    memory_free_bytes: Count | None = None  # that programs could still use when the work began


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """Reference to the images behind a figure."""

    dataset_id: str  # digest of the images and labels of the split
    source: SourceName
    scheme: str  # "household-v1" or "official"
    split: SplitName
    images: Count
    same: Many[tuple[str, str]] = ()  # names in the source that were read as a class, because a person confirmed it
