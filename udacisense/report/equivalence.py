"""Equivalence of an artifact with its checkpoint in blocks: verdict, inputs, measures, changed answers, layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udacisense.number_format import NOT_MEASURED, decibels, percent
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.report.blocks import Block, EmbeddedImage, Gallery, Heading, Paragraph, Table
from udacisense.types import Flip, Localisation, Measures, Precision, Verification
from udacisense.verdict_words import EQUIVALENCE
from udacisense.verify import FLOATS, TopK, accuracy_verdict, input_name, is_near_tie, reason_of, split

SHOWN = 24
"""Changed answers in a report, the largest margins before first; the Verify page has them all."""


def equivalence_blocks(d: ArtifactEvidence) -> list[Block]:
    """Equivalence of an artifact with its checkpoint: the verdict and every figure behind it."""
    title = Heading(3, "Equivalence with the checkpoint")
    v = d.verification
    if v is None:
        return [title, Paragraph(f"Not measured yet. Run: python -m udacisense verify {d.artifact.id}")]
    return [
        title,
        *verification_blocks(v, d.artifact.precision),
        *_flips(v, d.top_classes, d.images),
        *(localisation_blocks(d.location) if d.location else ()),
    ]


def verification_blocks(v: Verification, precision: Precision) -> list[Block]:
    """Verdict on a file of that precision, and the evidence for it: each kind of input, each measure."""
    return [
        Paragraph(f"{EQUIVALENCE[v.verdict]}: {reason_of(v, precision)} Record: {v.id}."),
        Paragraph(accuracy_verdict(v)[1]),
        _inputs(v, precision in FLOATS),
        Table(("measure", "value", "meaning"), tuple(measure_rows(v))),
    ]


def _inputs(v: Verification, tolerance_applies: bool) -> Table:
    checks = tuple(
        (
            input_name(c),
            f"{c.max_abs_diff:.3g}",
            f"{c.mean_abs_diff:.3g}",
            _yes(c.outputs_match) if tolerance_applies else "–",
            _yes(c.predictions_match),
        )
        for c in v.checks
    )
    images = (
        f"{v.images:,} {v.data.split} images ({v.data.source})",
        f"{v.max_abs_diff:.3g}",
        f"{v.mean_abs_diff:.3g}",
        "–",
        f"{percent(v.agreement)}, {len(v.flips)} changed",
    )
    return Table(
        ("input", "max logit difference", "mean logit difference", "within tolerance", "same answers"), (*checks, images)
    )


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


# --- measures -----------------------------------------------------------------------------------------------------------


def measure_rows(v: Verification) -> list[tuple[str, str, str]]:
    """Every measure as name, value and meaning."""
    found = v.measures
    return [
        ("Agreement", percent(v.agreement), "share of images with the same top-1 class"),
        ("Top-5 agreement", percent(found.top5_agreement if found else None), "share of the top 5 in common, in any order"),
        ("Max logit difference", f"{v.max_abs_diff:.3g}", "over all images and classes"),
        ("P99 logit difference", _figure(found.p99_abs_diff if found else None), "99 of 100 logits differ by less"),
        ("Mean logit difference", f"{v.mean_abs_diff:.3g}", "over all images and classes"),
        ("PSNR", psnr(v), "logit range of the checkpoint over the root mean square error; higher is closer"),
        (
            "Cosine similarity",
            _figure(found.cosine if found else None, ".6f"),
            "similarity of an image's two logit vectors, mean; 1 = same direction",
        ),
        ("KL divergence", _figure(found.kl_nats if found else None), "of the probabilities from the checkpoint's, mean, nats"),
        ("Calibration error before", percent(found.ece_before if found else None), "ECE of the checkpoint, 15 bins"),
        ("Calibration error after", percent(found.ece_after if found else None), "ECE of the converted file, 15 bins"),
        ("Lost and gained", _lost(found), "images right before and wrong after; wrong before and right after"),
        ("McNemar p", _chance(v.mcnemar_p), "significance of the change of accuracy; significant below 0.05"),
    ]


def _figure(value: float | None, how: str = ".3g") -> str:
    return NOT_MEASURED if value is None else format(value, how)


def _lost(found: Measures | None) -> str:
    return NOT_MEASURED if found is None or found.lost is None else f"{found.lost} and {found.won}"


def psnr(v: Verification) -> str:
    """The PSNR in decibels, in words where it has no number."""
    if v.psnr_db is None:
        return "identical" if v.max_abs_diff == 0 else "not defined"
    return decibels(v.psnr_db)


def _chance(value: float | None) -> str:
    return NOT_MEASURED if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


# --- changed answers ----------------------------------------------------------------------------------------------------


def _flips(v: Verification, top_classes: Mapping[str, TopK], images: Mapping[str, bytes]) -> list[Block]:
    if not v.flips:
        return [Paragraph("No image changed its answer.")]
    breaks, ties = split(v.flips)
    shown = sorted(v.flips, key=lambda f: -f.margin)[:SHOWN]
    rest = f" The first {SHOWN} by margin before:" if len(v.flips) > SHOWN else " By margin before:"
    said = (
        f"{len(v.flips)} answers changed: {len(breaks)} real breaks and {len(ties)} near-ties. On a near-tie the checkpoint "
        f"gave its own answer less than twice the probability of the new one.{rest}"
    )
    columns = ("image", "true class", "before", "after", "kind", "margin before", "top 3 before", "top 3 after")
    seen = tuple(EmbeddedImage(images[f.image], _caption(f, v.classes)) for f in shown if f.image in images)
    gallery = [Gallery(seen)] if seen else []
    return [Paragraph(said), Table(columns, tuple(_flip(f, top_classes.get(f.image), v.classes) for f in shown)), *gallery]


def _flip(f: Flip, top: TopK | None, classes: Sequence[str]) -> tuple[str, ...]:
    return (
        f.image,
        "no label" if f.label is None else classes[f.label],
        classes[f.before],
        classes[f.after],
        "near-tie" if is_near_tie(f) else "real break",
        f"{f.margin:.2f}",
        likeliest(top.before, classes) if top else "not kept",
        likeliest(top.after, classes) if top else "not kept",
    )


def likeliest(found: Sequence[tuple[int, float]], classes: Sequence[str]) -> str:
    """Classes with their probabilities, whose figures no line break cuts off: "bed 62 %, couch 30 %, chair 4 %"."""
    return ", ".join(f"{classes[c]}\N{NO-BREAK SPACE}{100 * p:.0f}\N{NO-BREAK SPACE}%" for c, p in found)


def _caption(f: Flip, classes: Sequence[str]) -> str:
    truth = "" if f.label is None else f" (is a {classes[f.label]})"
    return f"{classes[f.before]} → {classes[f.after]}{truth}"


# --- layer by layer -----------------------------------------------------------------------------------------------------


def localisation_blocks(found: Localisation) -> list[Block]:
    """Difference of a file from its checkpoint after each layer, and where it diverges."""
    rows = tuple((g.name, decibels(g.sqnr_db), f"{g.max_abs_diff:.3g}", g.value or "–") for g in (*found.gaps, *found.inside))
    about = f"Layer-by-layer comparison on {found.images} {found.data.split} images: {found.reason} Record: {found.id}."
    return [Paragraph(about), Table(("layer", "signal to noise", "max difference", "value in the file"), rows)]
