"""What each verb answers, as blocks for a terminal: records are put into words by `udacisense.report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from udacisense.artifacts import list_artifacts
from udacisense.models.described import mark
from udacisense.number_format import commas, count, duration, gb, mb, ms, percent
from udacisense.packaging.build import Package
from udacisense.records.store import relative
from udacisense.report.blocks import Block, Heading, Paragraph, Table, Warnings
from udacisense.report.equivalence import localisation_blocks, verification_blocks
from udacisense.report.images import image_blocks
from udacisense.report.inside import inspection_blocks
from udacisense.report.sample_limit import what_counts
from udacisense.report.sections import MARKS, STATUS_WORDS, accuracy_blocks, readiness_blocks
from udacisense.report.timing import benchmark_blocks, comparison_blocks, run_blocks, selftest_blocks
from udacisense.settings import settings
from udacisense.types import (
    Artifact,
    Benchmark,
    Checkpoint,
    Evaluation,
    Localisation,
    Precision,
    Readiness,
    RecipeTrial,
    Status,
    Verification,
)
from udacisense.verbs import (
    Classifications,
    Compressing,
    Conversions,
    DataInfo,
    Environment,
    Judgement,
    ModelCard,
    ModelsInfo,
    Run,
    Tag,
    Verifications,
)
from udacisense.verdict_words import todays_words
from udacisense.verify import split

FAILED = "results/failed_conversion"
UNKEPT = "results/ cannot be written, so the package's size was not kept as a record."


def _lines(*texts: str | None) -> list[Block]:
    return [Paragraph(text) for text in texts if text]


def _warnings(found: Iterable[str]) -> list[Block]:
    return [Warnings(tuple(found))]


def _titled(title: str, columns: tuple[str, ...], rows: Iterable[Sequence[str]]) -> list[Block]:
    return [Heading(2, title), Table(columns, tuple(tuple(row) for row in rows))]


# --- what is here -----------------------------------------------------------------------------------------------------------


def _env(found: Environment) -> list[Block]:
    machine = found.machine
    return [
        *_lines(
            f"UdaciSense {found.version} · Python {machine.python} · {machine.os}",
            f"{machine.cpu}, {machine.physical_cores} cores ({machine.logical_cores} logical)",
            f"{gb(machine.memory_bytes)} of memory",
            f"Devices: {commas([f'{d.kind} ({d.name})' for d in found.devices])} · seed {found.seed}",
            f"A process that opens a model file is bound in: {found.confinement}",
        ),
        *_titled("Libraries", ("name", "version"), found.versions.items()),
        *_titled("Settings", ("name", "value", "what it is"), ((s.name, s.value, s.help) for s in found.settings)),
    ]


def _data(found: DataInfo) -> list[Block]:
    return [*image_blocks(found.source, found.splits, found.health), *_lines(f"Sources here: {commas(found.sources)}")]


def _models(found: ModelsInfo) -> list[Block]:
    checkpoints = (
        (c.id, f"{c.technique}{mark(c)}", _known(c.parameters), mb(c.size_bytes), relative(c.path)) for c in found.checkpoints
    )
    made = (
        (a.id, _judged(found.verdicts.get(a.id)), a.format, a.precision, mb(a.size_bytes), a.checkpoint_id, relative(a.path))
        for a in found.artifacts
    )
    lost = [
        (f.format, f.precision, f.recipe or "–", f.stage, f.message, f"results/failed_conversion/{f.id}.json")
        for f in found.failed
    ]
    columns = ("format", "precision", "recipe", "while", "why", "what it printed")
    return [
        *_titled("Checkpoints", ("id", "technique", "parameters", "size", "file"), checkpoints),
        *_titled("Artifacts", ("id", "verdict", "format", "precision", "size", "made from", "file"), made),
        *_lines(*(f"{artifact_id}. {said}" for artifact_id, said in found.limits.items())),
        *(_titled("Conversions that failed", columns, lost) if lost else ()),
        *_lines(f"Used when none is named: {found.default_id or 'none'}"),
        *_warnings([*([found.notice] if found.notice else []), *found.problems]),
    ]


def _judged(status: Status | None) -> str:
    return STATUS_WORDS[status] if status else "not judged"


def _known(number: int | None) -> str:
    return count(number) if number else "–"


# --- what was made -----------------------------------------------------------------------------------------------------------


def _checkpoint(found: Checkpoint) -> list[Block]:
    return _lines(f"{found.id}: {relative(found.path)} ({mb(found.size_bytes)})")


def _artifact(found: Artifact) -> list[Block]:
    told = [f"{key}: {value}" for key, value in found.recipe.items() if not isinstance(value, dict | list)]
    columns = ("recipe", "size", "agrees", "top-1", "time, × fp32", "", "why")
    tried = _titled("Recipes in the order tried, on validation images", columns, map(_trial, found.recipe_trials))
    return [
        *_lines(f"{found.id}: {relative(found.path)} ({mb(found.size_bytes)})", commas(told)),
        *(tried if found.recipe_trials else ()),
        *_warnings(found.warnings),
    ]


def _trial(r: RecipeTrial) -> tuple[str, ...]:
    measured = (mb(r.size_bytes), percent(r.agreement), percent(r.top1), "–" if r.time_ratio is None else f"{r.time_ratio:.2f}")
    return (r.recipe, *measured, MARKS["pass" if r.passed else "fail"], todays_words(r.reason))


def _conversions(found: Conversions) -> list[Block]:
    rows = tuple((a.format, a.precision, mb(a.size_bytes), duration(a.seconds), a.id) for a in found.artifacts)
    warnings = [f"{artifact.id}: {warning}" for artifact in found.artifacts for warning in artifact.warnings]
    return [Table(("format", "precision", "size", "took", "id"), rows), *_warnings([*warnings, *found.failures])]


def _compressing(found: Compressing) -> list[Block]:
    places = {"Final model": found.final, "Results": found.results_path}
    return [
        *_titled(f"{found.pipeline} ({found.mode})", found.columns[:-1], (row[:-1] for row in found.table)),
        *_lines(*(f"{row[0]}: {row[-1]}" for row in found.table[1:])),
        *_lines(*(f"Skipped, it was finished: {name}" for name in found.skipped)),
        *_lines(*(f"{name}: {path}" for name, path in places.items() if path)),
    ]


def _card(found: ModelCard) -> list[Block]:
    return _lines(f"The model card of {found.checkpoint_id} is written to {found.path}")


def _package(found: Package) -> list[Block]:
    other = "The file could not be run here: its expected logits are the checkpoint's. Run its self-test."
    said = f"{found.path}: {count(len(found.files), 'file')}, {mb(found.size_bytes)} unpacked"
    return [*_lines(said), *_warnings([] if found.ran_here else [other]), *_warnings([] if found.record_id else [UNKEPT])]


# --- what was measured --------------------------------------------------------------------------------------------------------


def _classifications(found: Classifications) -> list[Block]:
    rows = [
        (one.image, one.label, percent(one.probability), *map(ms, (one.decode_s, one.preprocess_s, one.inference_s)))
        for one in found.images
    ]
    columns = ("image", "class", "probability", "decode", "preprocess", "inference")
    failed = (one.error if one.image in one.error else f"{one.image}: {one.error}" for one in found.failures)
    return [*(_titled(f"By {found.subject_id}", columns, rows) if rows else ()), *_warnings(failed)]


def _evaluation(found: Evaluation) -> list[Block]:
    return [*accuracy_blocks([(found.subject_id, found)]), *_warnings(found.warnings)]


def _verification(found: Verification) -> list[Block]:
    breaks, ties = split(found.flips)
    changed = f"Changed answers: {count(len(breaks), 'real break')}, {count(len(ties), 'near-tie')}"
    return [
        *verification_blocks(found, _precision(found)),
        *_lines(changed, what_counts(found)),
        *_warnings((*filter(None, [found.exploratory_words]), *found.warnings)),
    ]


def _precision(found: Verification) -> Precision:
    """Precision of the file that was verified: it says which rule it is held to."""
    same = (a.precision for a in list_artifacts().records if a.sha256 == found.artifact_sha256)
    return next(same, "fp32")


def _verifications(found: Verifications) -> list[Block]:
    rows = tuple(
        (
            v.artifact_id,
            v.verdict,
            v.data.source,
            percent(v.agreement),
            percent(v.accuracy_before),
            percent(v.accuracy_after),
            v.reason,
        )
        for v in found.verifications
    )
    columns = ("artifact", "model", "on", "agrees", "top-1 before", "after", "why")
    counts = (f"{v.artifact_id}: {said}" for v in found.verifications if (said := what_counts(v)))
    return [Table(columns, rows), *_lines(*counts), *_warnings(found.failures)]


def _location(found: Localisation) -> list[Block]:
    return [*localisation_blocks(found), *_warnings(found.warnings)]


def _benchmarks(found: dict[str, Any]) -> list[Block]:
    timed: Sequence[Benchmark] = found["benchmarks"]
    places = settings().results_dir / "benchmark"
    where = (
        f"Run {run_id}: its records are in {places}. Compare a later run with it: --against {run_id}"
        for run_id in dict.fromkeys(b.run_id for b in timed)
    )
    return [*benchmark_blocks(timed), *_lines(*where), *(comparison_blocks(found["against"]) if "against" in found else ())]


def _tag(found: Tag) -> list[Block]:
    return _lines(f"{found.name} is now {found.run_id}. Hold later runs against it: benchmark SUBJECTS --against {found.name}")


# --- what was judged ----------------------------------------------------------------------------------------------------------


def _judgement(found: Judgement) -> list[Block]:
    whole = f"All together: {STATUS_WORDS[found.status]}" if len(found.readiness) > 1 else None
    return [*(block for r in found.readiness for block in _readiness(r, found.limits)), *_lines(whole), *_warnings(found.notes)]


def _readiness(r: Readiness, limits: Mapping[str, str]) -> list[Block]:
    title = Heading(2, f"{r.artifact_id}: {STATUS_WORDS[r.status]}")
    return [title, *readiness_blocks(r, records=False), *_lines(limits.get(r.artifact_id))]


def _proof(found: Verification) -> tuple[str | None, ...]:
    return (f"{found.artifact_id}: {found.verdict}: {found.reason}", what_counts(found))


def _run(found: Run) -> list[Block]:
    table = found.comparison
    return [
        *_warnings([found.notice] if found.notice else []),
        *_titled("PERFORMANCE COMPARISON", tuple(table), zip(*table.values(), strict=True)),
        *_lines(f"Recommended file: {found.recommended_id}"),
        *_lines(*(said for proof in found.verifications for said in _proof(proof))),
        *(block for readiness in found.readiness for block in _readiness(readiness, found.limits)),
        *_lines(f"Metrics: {found.metrics_path}", f"Image: {found.image_path}"),
    ]


BLOCKS: dict[str, Callable[[Any], list[Block]]] = {
    "env": _env,
    "data": _data,
    "models": _models,
    "train": _checkpoint,
    "compress": _compressing,
    "card": _card,
    "add": _checkpoint,
    "convert": _artifact,
    "convert_all": _conversions,
    "classify": _classifications,
    "evaluate": _evaluation,
    "inspect": inspection_blocks,
    "package": _package,
    "verify": _verification,
    "verify_all": _verifications,
    "locate": _location,
    "benchmark": _benchmarks,
    "runs": run_blocks,
    "history": comparison_blocks,
    "tag": _tag,
    "selftest": selftest_blocks,
    "ready": _judgement,
    "run": _run,
}
"""What is shown of each verb's answer; `report` is a document already."""
