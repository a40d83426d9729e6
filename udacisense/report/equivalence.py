"""Is it the same model? The verification of an artifact in blocks: verdict, inputs, measures, changed answers, the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udacisense.labels import CLASSES
from udacisense.number_format import NOT_MEASURED, decibels, percent
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.report.blocks import Block, EmbeddedImage, Gallery, Heading, Paragraph, Table
from udacisense.types import Flip, Localisation, Measures, Verification
from udacisense.verify import TopK, accuracy_verdict, is_near_tie, split

SHOWN = 24
"""Changed answers in a report, the largest lost margins first; the Verify page has them all."""


def sameness_blocks(d: ArtifactEvidence) -> list[Block]:
    """Everything that is known of an artifact beside its checkpoint."""
    title = Heading(3, "Is it the same model?")
    v = d.verification
    if v is None:
        return [title, Paragraph(f"Not verified yet. Run: python -m udacisense verify {d.artifact.id}")]
    return [
        title,
        *verification_blocks(v),
        *_flips(v, d.thoughts, d.images),
        *(localisation_blocks(d.location) if d.location else ()),
    ]


def verification_blocks(v: Verification) -> list[Block]:
    """The verdict on a file, and what it rests on: each kind of input, each measure."""
    return [
        Paragraph(f"{v.verdict}: {v.reason} Record: {v.id}."),
        Paragraph(accuracy_verdict(v)[1]),
        _inputs(v),
        Table(("measure", "value", "meaning"), tuple(measure_rows(v))),
    ]


def _inputs(v: Verification) -> Table:
    checks = tuple(
        (c.name, f"{c.max_abs_diff:.2e}", f"{c.mean_abs_diff:.2e}", _yes(c.outputs_match), _yes(c.predictions_match))
        for c in v.checks
    )
    images = (
        f"{v.images} {v.data.split} images ({v.data.source})",
        f"{v.max_abs_diff:.2e}",
        f"{v.mean_abs_diff:.2e}",
        "–",
        f"{percent(v.agreement)}, {len(v.flips)} changed",
    )
    return Table(("input", "largest difference", "mean difference", "outputs match", "predictions match"), (*checks, images))


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


# --- measures -----------------------------------------------------------------------------------------------------------


def measure_rows(v: Verification) -> list[tuple[str, str, str]]:
    """Every measure as name, value and meaning."""
    found = v.measures
    return [
        ("Same answer", percent(v.agreement), "images with the same top-1 class"),
        ("Top five in common", percent(found.top5_agreement if found else None), "of the five likeliest classes, in any order"),
        ("Largest difference", f"{v.max_abs_diff:.3g}", "of any logit"),
        ("99th percentile", _figure(found.p99_abs_diff if found else None), "99 of 100 logits moved by less"),
        ("Mean difference", f"{v.mean_abs_diff:.3g}", "of all logits"),
        ("PSNR", psnr(v), "range of the checkpoint's logits over their mean error; higher is closer"),
        (
            "Cosine",
            _figure(found.cosine if found else None, ".6f"),
            "of an image's two logit vectors; 1 = same direction",
        ),
        ("KL divergence", _figure(found.kl_nats if found else None), "of the probabilities from the checkpoint's, mean, nats"),
        ("Calibration error before", percent(found.ece_before if found else None), "confidence against accuracy, 15 bins"),
        ("Calibration error after", percent(found.ece_after if found else None), "the same of the artifact"),
        ("Lost and won", _lost(found), "images right before and wrong after, and the other way round"),
        ("McNemar p", _chance(v.mcnemar_p), "chance alone changes the accuracy this much; below 0.05 it changed"),
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


def _flips(v: Verification, thoughts: Mapping[str, TopK], images: Mapping[str, bytes]) -> list[Block]:
    if not v.flips:
        return [Paragraph("No image changed its answer.")]
    breaks, ties = split(v.flips)
    shown = sorted(v.flips, key=lambda f: -f.margin)[:SHOWN]
    rest = f" The first {SHOWN} by lost margin:" if len(v.flips) > SHOWN else " By lost margin:"
    said = (
        f"{len(v.flips)} answers changed: {len(breaks)} real breaks and {len(ties)} near-ties, on which the checkpoint held "
        f"its own answer less than twice as likely as the new one.{rest}"
    )
    columns = ("image", "true class", "before", "after", "kind", "lost margin", "likeliest before", "likeliest after")
    seen = tuple(EmbeddedImage(images[f.image], _caption(f)) for f in shown if f.image in images)
    gallery = [Gallery(seen)] if seen else []
    return [Paragraph(said), Table(columns, tuple(_flip(f, thoughts.get(f.image)) for f in shown)), *gallery]


def _flip(f: Flip, thought: TopK | None) -> tuple[str, ...]:
    return (
        f.image,
        "not known" if f.label is None else CLASSES[f.label],
        CLASSES[f.before],
        CLASSES[f.after],
        "near-tie" if is_near_tie(f) else "real break",
        f"{f.margin:.2f}",
        likeliest(thought.before) if thought else "not kept",
        likeliest(thought.after) if thought else "not kept",
    )


def likeliest(found: Sequence[tuple[int, float]]) -> str:
    """Classes with their probabilities, whose figures no line break cuts off: "bed 62 %, couch 30 %, chair 4 %"."""
    return ", ".join(f"{CLASSES[c]}\N{NO-BREAK SPACE}{100 * p:.0f}\N{NO-BREAK SPACE}%" for c, p in found)


def _caption(f: Flip) -> str:
    truth = "" if f.label is None else f" (is a {CLASSES[f.label]})"
    return f"{CLASSES[f.before]} → {CLASSES[f.after]}{truth}"


# --- along the network --------------------------------------------------------------------------------------------------


def localisation_blocks(found: Localisation) -> list[Block]:
    """How far a file is from its checkpoint after each block of the network, and where it departs."""
    rows = tuple((g.name, decibels(g.sqnr_db), f"{g.max_abs_diff:.2e}", g.value or "–") for g in (*found.gaps, *found.inside))
    about = f"Along the network, on {found.images} {found.data.split} images: {found.reason} Record: {found.id}."
    return [Paragraph(about), Table(("place", "signal to noise", "largest difference", "value in the file"), rows)]
