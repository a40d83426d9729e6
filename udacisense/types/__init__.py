"""The records and the one seam. Frozen, JSON-able, units in the names; None means "not measured", never 0.

Imports nothing of ours. Shapes: Images is float32 (N, 3, H, W), normalised; Logits is float32 (N, classes), before softmax.
"""

from udacisense.types.base import (
    Capability,
    DatasetRef,
    Images,
    Logits,
    Machine,
    Pixels,
    Precision,
    Provenance,
    Sameness,
    SourceName,
    SplitName,
    Status,
)
from udacisense.types.compression import Compression, CompressionStep, FailedStep, Mode
from udacisense.types.evidence import TOLERANCE, Evaluation, Flip, Readiness, TensorCheck, Verdict, Verification
from udacisense.types.files import Artifact, Checkpoint, FailedConversion, Rung, Subject
from udacisense.types.kinds import KINDS, Record
from udacisense.types.proof import ClassChange, LayerGap, Location, Measures, SearchMethod
from udacisense.types.seam import DEFAULT, Conversion, Exported, Format, Pictures, Recipe, Session
from udacisense.types.timing import Benchmark, Conditions, SelfTest, Start, Trial, Unfinished

__all__ = [
    "DEFAULT",
    "KINDS",
    "TOLERANCE",
    "Artifact",
    "Benchmark",
    "Capability",
    "Checkpoint",
    "ClassChange",
    "Compression",
    "CompressionStep",
    "Conditions",
    "Conversion",
    "DatasetRef",
    "Evaluation",
    "Exported",
    "FailedConversion",
    "FailedStep",
    "Flip",
    "Format",
    "Images",
    "LayerGap",
    "Location",
    "Logits",
    "Machine",
    "Measures",
    "Mode",
    "Pictures",
    "Pixels",
    "Precision",
    "Provenance",
    "Readiness",
    "Recipe",
    "Record",
    "Rung",
    "Sameness",
    "SearchMethod",
    "SelfTest",
    "Session",
    "SourceName",
    "SplitName",
    "Start",
    "Status",
    "Subject",
    "TensorCheck",
    "Trial",
    "Unfinished",
    "Verdict",
    "Verification",
]
