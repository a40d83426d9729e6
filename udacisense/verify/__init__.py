"""Equivalence of a converted file with its checkpoint, and the layer at which the two diverge."""

from udacisense.types import TOLERANCE
from udacisense.verify.compare import verify
from udacisense.verify.flips import NEAR_TIE, TopK, find_flips, is_near_tie, logits_of, split, top_classes
from udacisense.verify.inputs import GOLDEN, RANDOM_INPUTS, check_tensors, input_name, random_checks
from udacisense.verify.layer_errors import EXPECTED_DB
from udacisense.verify.localise import locate
from udacisense.verify.verdict import (
    ACCURACY_LIMIT,
    AGREEMENT_LIMIT,
    FLOATS,
    accuracy_verdict,
    agreement_limit,
    further_images,
    judge_accuracy,
    judge_equivalence,
    reason_of,
)

__all__ = [
    "ACCURACY_LIMIT",
    "AGREEMENT_LIMIT",
    "EXPECTED_DB",
    "FLOATS",
    "GOLDEN",
    "NEAR_TIE",
    "RANDOM_INPUTS",
    "TOLERANCE",
    "TopK",
    "accuracy_verdict",
    "agreement_limit",
    "check_tensors",
    "find_flips",
    "further_images",
    "input_name",
    "is_near_tie",
    "judge_accuracy",
    "judge_equivalence",
    "locate",
    "logits_of",
    "random_checks",
    "reason_of",
    "split",
    "top_classes",
    "verify",
]
