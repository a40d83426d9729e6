"""The records and the one seam. Frozen, JSON-able, units in the names; None means "not measured", never 0.

Imports nothing of ours. Shapes: Images is float32 (N, 3, H, W), normalised; Logits is float32 (N, classes), before softmax.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # H, W, 3: one decoded RGB picture
Images = NDArray[np.float32]  # N, 3, H, W, normalised
Logits = NDArray[np.float32]  # N, classes, before softmax

Precision = Literal["fp32", "fp16", "int8"]
Status = Literal["pass", "fail", "unknown"]
Sameness = Literal["same", "different", "unknown"]
SourceName = Literal["cifar100", "folder", "sample"]
SplitName = Literal["train", "test"]
Capability = Literal["export", "run"]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_fraction(name: str, value: float | None) -> None:
    _require(value is None or 0.0 <= value <= 1.0, f"{name} must be a fraction between 0 and 1, got {value}")


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


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a record came to be, so that anybody can make it again."""

    command: str  # the command line that makes this record again
    created: str  # UTC, ISO 8601
    machine: Machine
    versions: Mapping[str, str]  # library -> version
    seed: int
    load_1min: float | None = None  # the system's load average when the work began


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """PyTorch weights, trained or compressed. The label order travels with the weights."""

    id: str  # "mobilenet_v3_small-baseline-1f3a9c02" = architecture-technique-sha256[:8]
    path: Path
    sha256: str
    architecture: str
    technique: str  # "baseline", "prune30", ...
    parent_id: str | None  # the checkpoint it was compressed from
    classes: tuple[str, ...]
    input_px: tuple[int, int]  # height, width
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    parameters: int | None
    size_bytes: int
    trained_on: str | None  # digest of the training images' hashes, None = not known
    trained_on_images: str | None  # name of the list of those hashes, beside the weights
    created: str

    def __post_init__(self) -> None:
        _require(len(self.classes) == 10, f"classes must have 10 names, got {len(self.classes)}")
        _require(len(self.sha256) == 64, f"sha256 must have 64 hex digits, got {len(self.sha256)}")
        _require(self.size_bytes > 0, f"size_bytes must be positive, got {self.size_bytes}")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One exported file, made from one checkpoint."""

    id: str  # "torchscript-fp32-<checkpoint sha[:8]>-<recipe digest[:6]>"
    checkpoint_id: str
    format: str  # a key of FORMATS
    precision: Precision
    path: Path
    sha256: str
    size_bytes: int
    recipe: Mapping[str, object]  # what was asked for and what was done, e.g. {"capture": "trace", "optimiser": "freeze"}
    warnings: tuple[str, ...]  # sentences that say why and what to do next
    made: Provenance
    seconds: float | None = None  # time the conversion took

    def __post_init__(self) -> None:
        _require(len(self.sha256) == 64, f"sha256 must have 64 hex digits, got {len(self.sha256)}")
        _require(self.size_bytes > 0, f"size_bytes must be positive, got {self.size_bytes}")


Subject = Checkpoint | Artifact
"""What can be loaded, evaluated and timed."""


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """Which pictures a figure rests on."""

    dataset_id: str  # digest of the images and labels of the split
    source: SourceName
    scheme: str  # "household-v1" or "official"
    split: SplitName
    images: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Accuracy of one subject on one split. The raw logits are kept in predictions_path."""

    id: str
    subject_id: str
    subject_sha256: str
    data: DatasetRef
    images: int  # labelled images that were judged
    top1: float  # 0..1
    top5: float  # 0..1
    per_class: tuple[float | None, ...]  # recall per class; None = the split has no image of it
    confusion: tuple[tuple[int, ...], ...]  # rows true, columns predicted
    overlap_images: int | None  # images of the split the checkpoint was trained on; None = not known
    predictions_path: str  # relative to results/
    preprocess_s: float
    forward_s: float
    made: Provenance
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(self.images > 0, "an evaluation needs at least one labelled image, got 0")
        _require_fraction("top1", self.top1)
        _require_fraction("top5", self.top5)


@dataclass(frozen=True, slots=True)
class TensorCheck:
    """The notebook's check: the same random input through both models."""

    name: str  # "single", "batch of 4"
    inputs: int
    max_abs_diff: float
    mean_abs_diff: float
    predictions_match: bool
    tolerance: float
    outputs_match: bool  # max_abs_diff < tolerance


@dataclass(frozen=True, slots=True)
class Flip:
    """One picture whose answer changed."""

    image: str  # first 16 hex digits of the picture's md5
    label: int | None
    before: int
    after: int
    margin: float  # checkpoint's logit margin of its answer over the artifact's answer


@dataclass(frozen=True, slots=True)
class Verification:
    """The same inputs through checkpoint and artifact."""

    id: str
    artifact_id: str
    artifact_sha256: str
    checkpoint_id: str
    checkpoint_sha256: str
    data: DatasetRef
    images: int
    agreement: float  # share of images with the same top-1, 0..1
    max_abs_diff: float  # in logits, over the real images
    mean_abs_diff: float
    psnr_db: float | None  # None = identical outputs
    accuracy_before: float | None  # None = images had no labels
    accuracy_after: float | None
    mcnemar_p: float | None
    checks: tuple[TensorCheck, ...]
    flips: tuple[Flip, ...]
    verdict: Sameness
    reason: str
    made: Provenance
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_fraction("agreement", self.agreement)
        _require(bool(self.reason), "a verdict needs its reason")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Raw times of one subject in one interleaved run; stats.py derives median, percentiles and ratios."""

    id: str
    run_id: str  # subjects of one run were timed side by side; only those may be compared
    subject_id: str
    subject_sha256: str
    runtime: str  # "torch", "torch.jit", "torch lite interpreter"
    runtime_version: str
    threads: int
    batch: int
    input_px: tuple[int, int]
    import_s: float | None  # importing the runtime
    load_s: float
    first_s: float  # first inference after load, never mixed with the steady ones
    warmup_s: tuple[float, ...]
    blocks_s: tuple[tuple[float, ...], ...]  # steady times, a tuple per interleaved block
    preprocess_s: tuple[float, ...]  # per picture: decode is not included
    rss_before_bytes: int | None  # resident memory before the file was loaded
    peak_rss_bytes: int | None
    size_bytes: int
    made: Provenance
    warnings: tuple[str, ...] = ()  # sentences that say what to do next

    def __post_init__(self) -> None:
        _require(any(self.blocks_s), "a benchmark needs at least one steady time")
        _require(self.threads >= 1, f"threads must be at least 1, got {self.threads}")

    @property
    def steady_s(self) -> tuple[float, ...]:
        """All steady times in the order they were taken, in seconds."""
        return tuple(s for block in self.blocks_s for s in block)


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
    evidence: tuple[str, ...]  # record ids
    data: DatasetRef | None = None  # the pictures behind it, where pictures are

    def __post_init__(self) -> None:
        _require(self.measured is not None or self.status == "unknown", "what was not measured can only be unknown")
        _require(bool(self.reason), "a verdict needs its reason")


@dataclass(frozen=True, slots=True)
class Readiness:
    """All verdicts on one artifact at one time."""

    id: str
    artifact_id: str
    artifact_sha256: str
    checkpoint_id: str
    baseline_id: str | None
    rules_sha256: str  # of readiness.toml
    status: Status  # fail if a rule fails, else unknown if one is unknown, else pass
    verdicts: tuple[Verdict, ...]
    made: Provenance


class Session(Protocol):
    """A loaded checkpoint or artifact."""

    def predict(self, images: Images) -> Logits:
        """Logits of shape (N, classes) for images of shape (N, 3, H, W)."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a converter did, beside the file that it wrote."""

    recipe: Mapping[str, object]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """THE SEAM: a format is data. udacisense/formats/fmt_<name>.py builds one."""

    name: str  # "torchscript"
    title: str  # "TorchScript (PyTorch Mobile)"
    file_name: str  # "optimized_model_mobile.ptl"
    precisions: tuple[Precision, ...]
    runtime: str  # "torch.jit"
    target: str  # where the file is meant to run: "Android and iOS with PyTorch Mobile"
    runtime_version: Callable[[], str]  # read without importing the runtime
    unavailable: Callable[[Capability], str | None]  # why not on this machine; None = available
    export: Callable[[Checkpoint, Precision, Path], Exported]  # writes the file at the path given
    load: Callable[[Path, int], Session]  # file, threads
    notes: tuple[str, ...] = ()
