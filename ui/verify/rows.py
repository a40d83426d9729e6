"""A verification as rows of plain values: for the tables of the Verify page and the CSV below each chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from udacisense.metrics.logits import gaps
from udacisense.report.equivalence import likeliest, measure_rows
from udacisense.types import Flip, Localisation, Measures, Verification
from udacisense.verify import TopK, is_near_tie
from ui.shared.rows import Row

QUANTILES = tuple(float(q) for q in (*np.linspace(0, 99, 100), 99.5, 99.9, 100))


def measures(record: Verification) -> list[Row]:
    """Every measure with its meaning."""
    return [{"measure": name, "value": value, "meaning": meaning} for name, value, meaning in measure_rows(record)]


def flips(found: Sequence[Flip], top_classes: Mapping[str, TopK], names: Sequence[str]) -> list[Row]:
    """The changed answers in the order given, with both files' three likeliest classes where they were kept.

    Both margins are of the checkpoint's answer over the converted file's, in logits: once ahead, once behind.
    """
    return [
        {
            "image": f.image,
            "true_class": None if f.label is None else names[f.label],
            "checkpoint": names[f.before],
            "artifact": names[f.after],
            "margin": f.margin,
            "margin_after": None if f.margin_after is None else -f.margin_after,
            "kind": "near-tie" if is_near_tie(f) else "real break",
            "checkpoint_top3": likeliest(top_classes[f.image].before, names) if f.image in top_classes else None,
            "artifact_top3": likeliest(top_classes[f.image].after, names) if f.image in top_classes else None,
        }
        for f in found
    ]


def classes(found: Measures, names: Sequence[str]) -> list[Row]:
    """One row per class: accuracy before and after, agreement."""
    return [
        {
            "class": name,
            "images": c.images if c else 0,
            "accuracy_before_percent": 100 * c.accuracy_before if c else None,
            "accuracy_after_percent": 100 * c.accuracy_after if c else None,
            "agreement_percent": 100 * c.agreement if c else None,
        }
        for name, c in zip(names, found.per_class, strict=True)
    ]


def confusion(found: Measures, names: Sequence[str]) -> list[Row]:
    """One row per class and answer: how many images before and after."""
    return [
        {"true class": names[t], "answer": names[a], "before": before, "after": after}
        for t, (old, new) in enumerate(zip(found.confusion_before, found.confusion_after, strict=True))
        for a, (before, after) in enumerate(zip(old, new, strict=True))
    ]


def distribution(before: np.ndarray, after: np.ndarray) -> list[Row]:
    """Quantiles of the absolute difference of all logits."""
    values = np.percentile(gaps(before, after), QUANTILES)
    return [{"percent_of_logits": q, "difference": float(v)} for q, v in zip(QUANTILES, values, strict=True)]


def layers(record: Localisation) -> list[Row]:
    """The compared layers in the network's order, then the steps inside the block that diverges."""
    return [
        {
            "place": g.name,
            "sqnr_db": g.sqnr_db,
            "largest_difference": g.max_abs_diff,
            "shape": " x ".join(map(str, g.shape)),
            "value_in_file": g.value,
            "diverges": g.name in (record.departs, record.step),
        }
        for g in (*record.gaps, *record.inside)
    ]
