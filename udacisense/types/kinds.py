"""Kinds of records in results/."""

from __future__ import annotations

from collections.abc import Mapping

from udacisense.types.compression import Compression, CompressionStep
from udacisense.types.evidence import Evaluation, Readiness, Verification
from udacisense.types.files import FailedConversion, Packaged
from udacisense.types.proof import Localisation
from udacisense.types.timing import Benchmark, SelfTest, Unfinished

Record = (
    Evaluation
    | Verification
    | Localisation
    | Benchmark
    | Unfinished
    | Readiness
    | FailedConversion
    | Packaged
    | SelfTest
    | CompressionStep
    | Compression
)

KINDS: Mapping[str, type] = {
    "evaluation": Evaluation,
    "verification": Verification,
    "location": Localisation,
    "benchmark": Benchmark,
    "unfinished": Unfinished,
    "readiness": Readiness,
    "failed_conversion": FailedConversion,
    "package": Packaged,
    "selftest": SelfTest,
    "compression_step": CompressionStep,
    "compression": Compression,
}
"""Folder under results/ -> the record that it holds, one JSON file each."""
