"""Sections of a report, block by block; every figure stands beside the id of the record that it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from udacisense.benchmark.compare import compare
from udacisense.benchmark.quality_grade import trust
from udacisense.metrics import stats
from udacisense.number_format import NOT_MEASURED, commas, count, duration, mb, percent, ratio, share
from udacisense.readiness.rules import left_out_words
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.report.blocks import Block, Heading, Paragraph, Table, Warnings
from udacisense.report.equivalence import equivalence_blocks
from udacisense.report.rule_words import rule_words
from udacisense.report.sample_limit import limit
from udacisense.report.timing import timing_table
from udacisense.types import Evaluation, Provenance, Readiness, Status, Verification
from udacisense.verdict_words import READINESS, RULE, equivalence, readiness, rule_title

R = TypeVar("R")

STATUS_WORDS = READINESS
LONGEST_LIST = 12
MARKS: dict[Status, str] = {status: f"{mark} {RULE[status]}" for status, mark in zip(RULE, "✔✘?", strict=True)}


def report_blocks(collected: Sequence[ArtifactEvidence]) -> tuple[Block, ...]:
    """The whole report: an overview where there are several artifacts, then one chapter each."""
    blocks: list[Block] = [Heading(1, "UdaciSense report")]
    if not collected:
        return (
            *blocks,
            Paragraph("There is no artifact yet. Convert a checkpoint first: python -m udacisense convert CHECKPOINT"),
        )
    if len(collected) > 1:
        blocks.append(_overview(collected))
    for one in collected:
        blocks += _chapter(one)
    return tuple(blocks)


def _overview(collected: Sequence[ArtifactEvidence]) -> Block:
    rows = tuple(
        (
            d.artifact.id,
            readiness(d.readiness.status if d.readiness else None),
            equivalence(d.verification.verdict if d.verification else None),
            percent(d.evaluation.top1 if d.evaluation else None),
            mb(d.artifact.size_bytes),
            _against_baseline(d),
        )
        for d in collected
    )
    return Table(("artifact", "readiness", "equivalence", "top-1", "size", "time against the baseline"), rows)


def _against_baseline(d: ArtifactEvidence) -> str:
    """Time over the baseline's of the same run: times of different runs do not stand in one column."""
    own, baseline = d.timing_of(d.artifact), d.timing_of(d.baseline)
    return NOT_MEASURED if own is None or baseline is None else ratio(compare(own, baseline).ratio)


def _chapter(d: ArtifactEvidence) -> list[Block]:
    return [
        Heading(2, d.artifact.id),
        *_verdict(d),
        *_identity(d),
        *equivalence_blocks(d),
        *_accuracy(d),
        *_speed(d),
        *_warnings(d),
        *_origin(d),
    ]


def _verdict(d: ArtifactEvidence) -> list[Block]:
    title = Heading(3, "Readiness")
    if d.readiness is None:
        return [
            title,
            Paragraph(f"Not measured yet. Run: python -m udacisense ready {d.artifact.id}"),
            *_limit(d.on_the_sample),
        ]
    r = d.readiness
    against = f"Baseline: {r.baseline_id or 'none here'}. Rules: sha256 {r.rules_sha256[:12]}. Record: {r.id}."
    return [title, Paragraph(f"Verdict: {STATUS_WORDS[r.status]}. {against}"), *readiness_blocks(r), *_limit(d.on_the_sample)]


def readiness_blocks(r: Readiness, records: bool = True) -> list[Block]:
    """Every rule with its verdict, and what the rules file leaves out.

    Args:
        records: name the records that each verdict rests on.
    """
    left_out = left_out_words(r.left_out or ())
    columns = ("rule", "verdict", "measured", "limit", "reason", *(("evidence",) if records else ()))
    rows = (
        (
            rule_title(v.title),
            MARKS[v.status],
            f"{words.quantity}: {words.figure}",
            words.limit,
            v.reason,
            *((commas(v.evidence),) if records else ()),
        )
        for v in r.verdicts
        for words in (rule_words(v),)
    )
    return [*([Paragraph(left_out)] if left_out else []), Table(columns, tuple(rows))]


def _limit(drawn: Verification | None) -> list[Block]:
    return [] if drawn is None else [Paragraph(f"{limit(drawn)} Record: {drawn.id}.")]


def _identity(d: ArtifactEvidence) -> list[Block]:
    a, c = d.artifact, d.checkpoint
    parameters = count(c.parameters) if c and c.parameters is not None else "not recorded"
    rows = [
        ("file", a.path.name),
        ("format and precision", f"{a.format}, {a.precision}"),
        ("size", f"{mb(a.size_bytes)} ({count(a.size_bytes, 'byte')})"),
        ("sha256", a.sha256),
        ("recipe", commas([f"{key}: {_told(value)}" for key, value in a.recipe.items()])),
        ("conversion time", duration(a.seconds)),
        ("checkpoint", a.checkpoint_id if c else f"{a.checkpoint_id} (its file is not here any more)"),
        ("checkpoint's size", mb(c.size_bytes) if c else "not recorded"),
        ("parameters", parameters),
    ]
    return [Heading(3, "Identity"), Table(("property", "value"), tuple(rows))]


def _told(value: object) -> str:
    """A value of a recipe; of a long list, such as the calibration images' ids, its length."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {_told(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return commas([str(item) for item in value]) if len(value) <= LONGEST_LIST else f"{len(value)} of them"
    return str(value)


def _accuracy(d: ArtifactEvidence) -> list[Block]:
    title = Heading(3, "Accuracy")
    named = _named(d, d.baseline_evaluation, d.checkpoint_evaluation, d.evaluation)
    if not named:
        return [title, Paragraph(f"Not evaluated yet. Run: python -m udacisense evaluate {d.artifact.id}")]
    hint = f"The checkpoint is not evaluated on these images. Run: python -m udacisense evaluate {d.artifact.checkpoint_id}"
    return [title, *([] if d.checkpoint_evaluation else [Paragraph(hint)]), *accuracy_blocks(named)]


def accuracy_blocks(named: Sequence[tuple[str, Evaluation]]) -> list[Block]:
    """Evaluations on the same images beside one another, whole and by class."""
    rows = tuple(
        (name, _with_interval(e), percent(e.top5), count(e.images), f"{e.data.source}, {e.data.scheme} {e.data.split}", e.id)
        for name, e in named
    )
    per_class = tuple((label, *(percent(e.per_class[i]) for _, e in named)) for i, label in enumerate(named[0][1].classes))
    return [
        Table(("subject", "top-1 (95 %)", "top-5", "images", "data", "record"), rows),
        Table(("accuracy by class", *(name for name, _ in named)), per_class),
    ]


def _named(d: ArtifactEvidence, baseline: R | None, checkpoint: R | None, artifact: R | None) -> list[tuple[str, R]]:
    """What there is, with the name of its subject; a baseline that is the checkpoint itself is told once."""
    same = d.baseline is not None and d.checkpoint is not None and d.baseline.sha256 == d.checkpoint.sha256
    all_three = (("baseline", None if same else baseline), ("checkpoint", checkpoint), ("artifact", artifact))
    return [(name, record) for name, record in all_three if record is not None]


def _with_interval(e: Evaluation) -> str:
    estimate = stats.wilson_interval(round(e.top1 * e.images), e.images)
    return share(estimate)


def _speed(d: ArtifactEvidence) -> list[Block]:
    title = Heading(3, "Speed and memory")
    named = _named(d, *(d.timing_of(subject) for subject in (d.baseline, d.checkpoint, d.artifact)))
    if not named:
        return [
            title,
            Paragraph(f"Not timed yet. Run: python -m udacisense benchmark {d.artifact.checkpoint_id} {d.artifact.id}"),
        ]
    first = named[-1][1]
    conditions = (
        f"Batch {first.batch}, threads {first.threads}, one process each, timed in turns ({first.run_id}) on "
        f"{first.made.machine.cpu}. Times of a computer, not of a phone: read the ratios."
    )
    return [title, Paragraph(conditions), timing_table([(f"{name} ({b.runtime} {b.runtime_version})", b) for name, b in named])]


def _warnings(d: ArtifactEvidence) -> list[Block]:
    timings = [d.timing_of(subject) for subject in (d.checkpoint, d.artifact)]
    sources = (d.evaluation, d.checkpoint_evaluation, d.verification, *timings)
    doubts = [why.why for b in timings if b for why in trust(b).deductions]
    found = dict.fromkeys([*d.artifact.warnings, *(w for record in sources if record for w in record.warnings), *doubts])
    return [Heading(3, "Warnings"), Warnings(tuple(found))] if found else []


def _origin(d: ArtifactEvidence) -> list[Block]:
    own = d.timing_of(d.artifact)
    made = [r.made for r in (d.artifact, d.checkpoint_evaluation, d.evaluation, d.verification, own, d.readiness) if r]
    rows = tuple((m.command, m.created, _where(m)) for m in made)
    return [Heading(3, "Commands that reproduce these figures"), Table(("command", "run at (UTC)", "on"), rows)]


def _where(m: Provenance) -> str:
    libraries = commas([f"{name} {m.versions[name]}" for name in ("torch", "numpy") if name in m.versions])
    machine = f"{m.machine.cpu}, {m.machine.logical_cores} cores, {m.machine.os}"
    return f"{machine}, Python {m.machine.python}, {libraries}, seed {m.seed}"
