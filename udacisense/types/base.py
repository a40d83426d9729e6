"""What every record is made of: array and name aliases, the machine, how a record came to be, which pictures it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # H, W, 3: one decoded RGB picture
Images = NDArray[np.float32]  # N, 3, H, W, normalised
Logits = NDArray[np.float32]  # N, classes, before softmax

Precision = Literal["fp32", "fp16", "int8", "palette6"]
Status = Literal["pass", "fail", "unknown"]
Sameness = Literal["same", "different", "unknown"]
SourceName = Literal["cifar100", "folder", "sample"]
SplitName = Literal["train", "test"]
Capability = Literal["export", "run"]


def require(condition: bool, message: str) -> None:
    """Raises ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_fraction(name: str, value: float | None) -> None:
    """Raises ValueError unless the value is None or from 0 to 1."""
    require(value is None or 0.0 <= value <= 1.0, f"{name} must be a fraction between 0 and 1, got {value}")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a measurement ran on. None = this system does not tell."""

    cpu: str
    physical_cores: int
    logical_cores: int
    memory_bytes: int
    os: str
    python: str
    governor: str | None = None  # CPU frequency governor
    cpu_quota_cores: float | None = None  # container limit
    memory_limit_bytes: int | None = None  # container limit
    usable_cores: int | None = None  # that this process may run on
    hypervisor: str | None = None  # of a virtual machine; "none" on bare metal
    turbo: bool | None = None  # whether cores may go over their nominal clock


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a record came to be, so that anybody can make it again."""

    command: str  # the command line that makes this record again
    created: str  # UTC, ISO 8601
    machine: Machine
    versions: Mapping[str, str]  # library -> version
    seed: int
    load_1min: float | None = None  # the system's load average when the work began
    memory_free_bytes: int | None = None  # that programs could still use when the work began


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """Which pictures a figure rests on."""

    dataset_id: str  # digest of the images and labels of the split
    source: SourceName
    scheme: str  # "household-v1" or "official"
    split: SplitName
    images: int
