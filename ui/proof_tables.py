"""A verification as rows of plain values: for the tables of the Verify page and the CSV below each chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from udacisense.labels import CLASSES
from udacisense.logits import gaps
from udacisense.types import Flip, Location, Measures, Verification
from udacisense.verify import Thought, is_near_tie
from ui.tables import Row
from ui.words import NOT_MEASURED, percent

QUANTILES = tuple(float(q) for q in (*np.linspace(0, 99, 100), 99.5, 99.9, 100))


def measures(record: Verification) -> list[Row]:
    """Every measure with its meaning, largest things first."""
    found = record.measures
    rows = [
        ("Same answer", percent(record.agreement), "images with the same top-1 class"),
        ("Top five in common", percent(found.top5_agreement if found else None), "of the five likeliest classes, in any order"),
        ("Largest difference", f"{record.max_abs_diff:.3g}", "of any logit"),
        ("99th percentile", _figure(found.p99_abs_diff if found else None), "99 of 100 logits moved by less"),
        ("Mean difference", f"{record.mean_abs_diff:.3g}", "of all logits"),
        ("PSNR", psnr(record), "range of the checkpoint's logits over their mean error; higher is closer"),
        (
            "Cosine",
            _figure(found.cosine if found else None, ".6f"),
            "of an image's two logit vectors, mean; 1 is the same direction",
        ),
        ("KL divergence", _figure(found.kl_nats if found else None), "of the probabilities from the checkpoint's, mean, nats"),
        ("Calibration error before", percent(found.ece_before if found else None), "confidence against accuracy, 15 bins"),
        ("Calibration error after", percent(found.ece_after if found else None), "the same of the artifact"),
        ("Lost and won", _lost(found), "images right before and wrong after, and the other way round"),
        ("McNemar p", chance(record.mcnemar_p), "chance alone changes the accuracy this much; below 0.05 it changed"),
    ]
    return [{"measure": name, "value": value, "meaning": meaning} for name, value, meaning in rows]


def _figure(value: float | None, how: str = ".3g") -> str:
    return NOT_MEASURED if value is None else format(value, how)


def _lost(found: Measures | None) -> str:
    return NOT_MEASURED if found is None or found.lost is None else f"{found.lost} and {found.won}"


def psnr(record: Verification) -> str:
    """The PSNR in words where it has no number."""
    if record.psnr_db is None:
        return "identical" if record.max_abs_diff == 0 else "not defined"
    return f"{record.psnr_db:.1f} dB"


def chance(value: float | None) -> str:
    """A p-value; one of no use to print is said to be small."""
    return NOT_MEASURED if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def flips(found: Sequence[Flip], thoughts: Mapping[str, Thought]) -> list[Row]:
    """The changed answers in the order given, with both files' three likeliest classes where they are known."""
    return [
        {
            "picture": f.image,
            "true_class": None if f.label is None else CLASSES[f.label],
            "checkpoint": CLASSES[f.before],
            "artifact": CLASSES[f.after],
            "margin": f.margin,
            "margin_after": f.margin_after,
            "kind": "near-tie" if is_near_tie(f) else "real break",
            "checkpoint_top3": likeliest(thoughts[f.image].before) if f.image in thoughts else None,
            "artifact_top3": likeliest(thoughts[f.image].after) if f.image in thoughts else None,
        }
        for f in found
    ]


def likeliest(found: Sequence[tuple[int, float]]) -> str:
    """Classes with their probabilities: "bed 62 %, couch 30 %, chair 4 %"."""
    return ", ".join(f"{CLASSES[c]} {100 * p:.0f} %" for c, p in found)


def classes(found: Measures) -> list[Row]:
    """One row per class: accuracy before and after, agreement."""
    return [
        {
            "class": name,
            "images": c.images if c else 0,
            "accuracy_before_percent": 100 * c.accuracy_before if c else None,
            "accuracy_after_percent": 100 * c.accuracy_after if c else None,
            "agreement_percent": 100 * c.agreement if c else None,
        }
        for name, c in zip(CLASSES, found.per_class, strict=True)
    ]


def confusion(found: Measures) -> list[Row]:
    """One row per class and answer: how many images before and after."""
    return [
        {"true class": CLASSES[t], "answer": CLASSES[a], "before": before, "after": after}
        for t, (old, new) in enumerate(zip(found.confusion_before, found.confusion_after, strict=True))
        for a, (before, after) in enumerate(zip(old, new, strict=True))
    ]


def distribution(before: np.ndarray, after: np.ndarray) -> list[Row]:
    """Quantiles of the absolute difference of all logits."""
    values = np.percentile(gaps(before, after), QUANTILES)
    return [{"percent_of_logits": q, "difference": float(v)} for q, v in zip(QUANTILES, values, strict=True)]


def along(record: Location) -> list[Row]:
    """The places along the network, then the steps inside the block that departs."""
    return [
        {
            "place": g.name,
            "sqnr_db": g.sqnr_db,
            "largest_difference": g.max_abs_diff,
            "shape": " x ".join(map(str, g.shape)),
            "value_in_file": g.value,
            "departs": g.name in (record.departs, record.step),
        }
        for g in (*record.gaps, *record.inside)
    ]
