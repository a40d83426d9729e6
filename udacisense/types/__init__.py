"""The records and the one seam. Frozen, JSON-able, units in the names; None means "not measured", never 0.

Imports nothing of ours. Shapes: Images is float32 (N, 3, H, W), normalised; Logits is float32 (N, classes), before softmax.
"""

from udacisense.types.base import (
    Capability,
    DatasetRef,
    Equivalence,
    Images,
    Logits,
    Machine,
    Pixels,
    Precision,
    Provenance,
    SourceName,
    SplitName,
    Status,
)
from udacisense.types.compression import Compression, CompressionStep, FailedStep, Mode
from udacisense.types.evidence import TOLERANCE, Evaluation, Flip, Readiness, TensorCheck, Verdict, Verification
from udacisense.types.files import Artifact, Checkpoint, FailedConversion, Packaged, RecipeTrial, Subject
from udacisense.types.kinds import KINDS, Record
from udacisense.types.proof import ClassChange, LayerGap, Localisation, Measures, SearchMethod
from udacisense.types.seam import DEFAULT, Conversion, ConversionRecipe, Exported, Format, ImageSet, Session
from udacisense.types.timing import AATrial, Benchmark, Conditions, SelfTest, Start, Unfinished

__all__ = [
    "DEFAULT",
    "KINDS",
    "TOLERANCE",
    "AATrial",
    "Artifact",
    "Benchmark",
    "Capability",
    "Checkpoint",
    "ClassChange",
    "Compression",
    "CompressionStep",
    "Conditions",
    "Conversion",
    "ConversionRecipe",
    "DatasetRef",
    "Equivalence",
    "Evaluation",
    "Exported",
    "FailedConversion",
    "FailedStep",
    "Flip",
    "Format",
    "ImageSet",
    "Images",
    "LayerGap",
    "Localisation",
    "Logits",
    "Machine",
    "Measures",
    "Mode",
    "Packaged",
    "Pixels",
    "Precision",
    "Provenance",
    "Readiness",
    "RecipeTrial",
    "Record",
    "SearchMethod",
    "SelfTest",
    "Session",
    "SourceName",
    "SplitName",
    "Start",
    "Status",
    "Subject",
    "TensorCheck",
    "Unfinished",
    "Verdict",
    "Verification",
]
