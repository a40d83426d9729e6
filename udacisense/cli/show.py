"""Answers of verbs for a person at a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console

from udacisense.cli import show_timing as timing
from udacisense.cli.console import lines as _lines
from udacisense.cli.console import table as _table
from udacisense.cli.console import warnings as _warnings
from udacisense.labels import CLASSES
from udacisense.number_format import commas, decibels, gb, mb, measured, ms, percent
from udacisense.readiness.rules import left_out_words
from udacisense.report.equivalence import measure_rows
from udacisense.report.inside import inspected
from udacisense.report.sections import MARKS, STATUS_WORDS
from udacisense.types import Evaluation, Localisation, Readiness, RecipeTrial, Status, Verification
from udacisense.verify import accuracy_verdict, split

MIN_WIDTH = 160  # columns kept also where the output goes to a file


def answer(verb: str, found: Any) -> None:
    """Print the answer of a verb on stdout."""
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, MIN_WIDTH)
    SHOWN.get(verb, _plain)(console, found)


def _plain(console: Console, found: Any) -> None:
    from udacisense.cli.plain import plain

    console.print_json(json.dumps(plain(found)))


def _env(console: Console, found: Any) -> None:
    machine = found.machine
    _lines(
        console,
        f"UdaciSense {found.version} · Python {machine.python} · {machine.os}",
        f"{machine.cpu}, {machine.physical_cores} cores ({machine.logical_cores} logical)",
        f"{gb(machine.memory_bytes)} of memory",
        f"Devices: {', '.join(f'{d.kind} ({d.name})' for d in found.devices)} · seed {found.seed}",
        f"A process that opens a model file is bound in: {found.confinement}",
        "",
    )
    _table(console, "Libraries", ("name", "version"), found.versions.items())
    _table(console, "\nSettings", ("name", "value", "what it is"), ((s.name, s.value, s.help) for s in found.settings))


def _data(console: Console, found: Any) -> None:
    about, health = found.source, found.health
    _lines(console, f"{about.title}: {about.location}", about.meaning, about.how_to_get_real or "", "")
    rows = [(name, *(str(health.counts[ref.split].get(name, 0)) for ref in found.splits)) for name in CLASSES]
    rows.append(("all", *(str(ref.images) for ref in found.splits)))
    _table(console, "", ("class", *(f"{ref.split} ({ref.scheme})" for ref in found.splits)), rows)
    _lines(console, "", *(f"{ref.split}: dataset {ref.dataset_id}" for ref in found.splits))
    _warnings(console, (finding.message for finding in health.findings))


def _models(console: Console, found: Any) -> None:
    rows = [
        (c.id, c.technique, f"{c.parameters:,}" if c.parameters else "–", mb(c.size_bytes), str(c.path))
        for c in found.checkpoints
    ]
    _table(console, "Checkpoints", ("id", "technique", "parameters", "size", "file"), rows)
    made = [(a.id, a.format, a.precision, mb(a.size_bytes), a.checkpoint_id, str(a.path)) for a in found.artifacts]
    _table(console, "\nArtifacts", ("id", "format", "precision", "size", "made from", "file"), made)
    if found.failed:
        lost = [
            (f.format, f.precision, f.recipe, f.stage, f.message, f"results/failed_conversion/{f.id}.json")
            for f in found.failed
        ]
        _table(console, "\nConversions that failed", ("format", "precision", "recipe", "while", "why", "what it printed"), lost)
    _lines(console, "", f"Used when none is named: {found.default_id or 'none'}")
    _warnings(console, [*([found.notice] if found.notice else []), *found.problems])


def _checkpoint(console: Console, found: Any) -> None:
    _lines(console, f"{found.id}: {found.path} ({mb(found.size_bytes)})")


def _artifact(console: Console, found: Any) -> None:
    _lines(console, f"{found.id}: {found.path} ({mb(found.size_bytes)})")
    told = {key: value for key, value in found.recipe.items() if not isinstance(value, dict | list)}
    _lines(console, commas([f"{key}: {value}" for key, value in told.items()]))
    if found.ladder:
        columns = ("recipe", "size", "agrees", "top-1", "ms", "fp32 ms", "", "why")
        _table(console, "\nRecipes in the order tried, on validation images", columns, (_rung(r) for r in found.ladder))
    _warnings(console, found.warnings)


def _compressing(console: Console, found: Any) -> None:
    _table(console, f"{found.pipeline} ({found.mode})", found.columns[:-1], (row[:-1] for row in found.table))
    _lines(console, "", *(f"{row[0]}: {row[-1]}" for row in found.table[1:]), "")
    _lines(console, *(f"Skipped, it was finished: {name}" for name in found.skipped))
    places = {"Final model": found.final, "Results": found.results_path}
    _lines(console, *(f"{name}: {path}" for name, path in places.items() if path))


def _card(console: Console, found: Any) -> None:
    _lines(console, f"The model card of {found.checkpoint_id} is written to {found.path}")


def _rung(r: RecipeTrial) -> tuple[str, ...]:
    times = (ms(r.latency_s), ms(r.latency_fp32_s))
    return (r.recipe, mb(r.size_bytes), percent(r.agreement), percent(r.top1), *times, MARKS[_status(r)], r.reason)


def _status(r: RecipeTrial) -> Status:
    return "pass" if r.passed else "fail"


def _conversions(console: Console, found: Any) -> None:
    rows = [(a.format, a.precision, mb(a.size_bytes), f"{a.seconds:.1f}", a.id) for a in found.artifacts]
    _table(console, "", ("format", "precision", "size", "seconds", "id"), rows)
    for artifact in found.artifacts:
        _warnings(console, (f"{artifact.id}: {warning}" for warning in artifact.warnings))
    _warnings(console, found.failures)


def _verifications(console: Console, found: Any) -> None:
    rows = [
        (v.artifact_id, v.verdict, percent(v.agreement), percent(v.accuracy_before), percent(v.accuracy_after), v.reason)
        for v in found.verifications
    ]
    _table(console, "", ("artifact", "model", "agrees", "top-1 before", "after", "why"), rows)
    _warnings(console, found.failures)


def _classifications(console: Console, found: Any) -> None:
    rows = [
        (one.image, one.label, percent(one.probability), *map(ms, (one.decode_s, one.preprocess_s, one.inference_s)))
        for one in found.images
    ]
    columns = ("image", "class", "probability", "decode", "preprocess", "inference")
    if rows:
        _table(console, f"By {found.subject_id}", columns, rows)
    _warnings(console, (one.error if one.image in one.error else f"{one.image}: {one.error}" for one in found.failures))


def _evaluation(console: Console, found: Evaluation) -> None:
    data = found.data
    _lines(
        console,
        f"top-1 {percent(found.top1)}, top-5 {percent(found.top5)} on {found.images} images ({data.source}, {data.split})",
    )
    _table(console, "", ("class", "share right"), ((CLASSES[i], percent(r)) for i, r in enumerate(found.per_class)))
    _lines(console, f"record {found.id}")
    _warnings(console, found.warnings)


def _verification(console: Console, found: Verification) -> None:
    breaks, ties = split(found.flips)
    mark = "exploratory, " if found.exploratory else ""
    _lines(console, f"{mark}{found.verdict}: {found.reason}", accuracy_verdict(found)[1])
    rows = [
        (c.name, f"{c.max_abs_diff:.2e}", f"{c.mean_abs_diff:.2e}", "match" if c.predictions_match else "differ")
        for c in found.checks
    ]
    rows.append((f"{found.images} images", f"{found.max_abs_diff:.2e}", f"{found.mean_abs_diff:.2e}", percent(found.agreement)))
    _table(console, "", ("input", "largest difference", "mean difference", "predictions"), rows)
    _table(console, "", ("measure", "value", "meaning"), measure_rows(found))
    _lines(console, f"changed answers: {len(breaks)} real breaks, {len(ties)} near-ties", f"record {found.id}")
    _warnings(console, (*filter(None, [found.exploratory_words]), *found.warnings))


def _location(console: Console, found: Localisation) -> None:
    _lines(console, found.reason)
    rows = [(g.name, decibels(g.sqnr_db), f"{g.max_abs_diff:.2e}", g.value or "–") for g in (*found.gaps, *found.inside)]
    _table(console, "", ("place", "signal to noise", "largest difference", "value in the file"), rows)
    _lines(console, f"record {found.id}")
    _warnings(console, found.warnings)


def _judgement(console: Console, found: Any) -> None:
    for readiness in found.readiness:
        _readiness(console, readiness)
    if len(found.readiness) > 1:
        _lines(console, f"All together: {STATUS_WORDS[found.status]}")
    _warnings(console, found.notes)


def _readiness(console: Console, r: Readiness) -> None:
    rows = [(MARKS[v.status], v.title, measured(v.measured, v.unit), f"{v.limit:g} {v.unit}", v.reason) for v in r.verdicts]
    title = f"{r.artifact_id}: {STATUS_WORDS[r.status]}"
    _table(console, title, ("", "rule", "measured", "limit", "why"), rows)
    _lines(console, left_out_words(r.left_out or ()))


def _report(console: Console, found: Any) -> None:
    if found.path is None:
        console.file.write(found.text)
    else:
        _lines(console, f"Written to {found.path}")


def _run(console: Console, found: Any) -> None:
    if found.notice:
        _warnings(console, [found.notice])
    table = found.comparison
    _table(console, "PERFORMANCE COMPARISON", table.keys(), zip(*table.values(), strict=True))
    _lines(console, "", f"Recommended file: {found.recommended_id}", "")
    for proof in found.verifications:
        _lines(console, f"{proof.artifact_id}: {proof.verdict}: {proof.reason}")
    _lines(console, "")
    for readiness in found.readiness:
        _readiness(console, readiness)
    _lines(console, f"Metrics: {found.metrics_path}", f"Image: {found.image_path}")


def _inspection(console: Console, found: Any) -> None:
    _lines(console, f"{found.file}: {found.format}, {mb(found.size_bytes)}", *inspected(found), "")
    weights = [(w.dtype, w.quantised or "–", str(w.tensors), mb(w.stored_bytes)) for w in found.weights]
    _table(console, "Weights", ("type", "quantised", "tensors", "size"), weights)
    rows = [
        (r.kind, r.place, r.weights or "–", r.activations or "–", r.computes or "–", str(r.count), _millions(r.macs))
        for r in found.operators
    ]
    columns = ("operator", "run by", "weights", "activations", "computes in", "count", "multiply-adds")
    _table(console, "\nOperators", columns, rows)
    for finding in found.findings:
        mark = "!" if finding.weight == "warning" else "·"
        _lines(console, "", f"{mark} {finding.what}", f"  Why: {finding.why}", f"  Do: {finding.what_to_do}")
    if not found.findings:
        _lines(console, "", "Nothing in it asks for attention.")


def _millions(macs: int) -> str:
    return f"{macs / 1e6:.2f} M" if macs else "–"


def _package(console: Console, found: Any) -> None:
    _lines(console, f"{found.path}: {len(found.files)} files, {mb(found.size_bytes)} unpacked")
    if not found.ran_here:
        _warnings(console, ["The file could not be run here: its expected logits are the checkpoint's. Run its self-test."])


SHOWN: dict[str, Callable[[Console, Any], None]] = {
    "env": _env,
    "data": _data,
    "models": _models,
    "train": _checkpoint,
    "compress": _compressing,
    "card": _card,
    "convert": _artifact,
    "convert_all": _conversions,
    "classify": _classifications,
    "evaluate": _evaluation,
    "inspect": _inspection,
    "package": _package,
    "verify": _verification,
    "verify_all": _verifications,
    "locate": _location,
    "benchmark": timing.benchmarks,
    "runs": timing.runs,
    "history": timing.history,
    "tag": timing.tag,
    "selftest": timing.selftest,
    "ready": _judgement,
    "report": _report,
    "run": _run,
}
