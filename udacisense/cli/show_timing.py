"""Answers of the verbs about time for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from udacisense.benchmark.compare import compare
from udacisense.benchmark.drift import drift
from udacisense.benchmark.quality_grade import trust
from udacisense.cli.console import lines, table, warnings
from udacisense.metrics import stats
from udacisense.number_format import commas, mb, ms
from udacisense.settings import settings
from udacisense.types import Benchmark, SelfTest

COURSE_WORDS = {"worse": "✘ worse", "better": "✔ better", "same": "= same", "unknown": "? unknown"}


def benchmarks(console: Console, found: Any) -> None:
    """A row per subject and setting, then what to mind of each, then how it stands against an earlier run."""
    columns = ("subject", "setting", "trust", "load", "first", "mean", "P50", "P95", "P99", "whole way", "images/s", "memory")
    table(console, "", columns, (_times(b) for b in found["benchmarks"]))
    for b in found["benchmarks"]:
        reasons = [d.why for d in trust(b).deductions] + ([drift(b).reason] if b.sustained else [])
        warnings(console, (f"{b.subject_id}: {said}" for said in dict.fromkeys([*reasons, *b.warnings])))
    lines(console, *_against_the_first(found["benchmarks"]), *_where(found["benchmarks"]))
    if "against" in found:
        history(console, found["against"])


def _against_the_first(found: Sequence[Benchmark]) -> Iterator[str]:
    """How each subject stands against the one that was named first, under the same setting."""
    first: dict[object, Benchmark] = {}
    for b in found:
        if (reference := first.setdefault(b.setting, b)) is not b:
            yield f"{b.subject_id} against {reference.subject_id}: {compare(b, reference).reason}"


def _where(found: Sequence[Benchmark]) -> Iterator[str]:
    for run_id in dict.fromkeys(b.run_id for b in found):
        yield f"Run {run_id}: its records are in {settings().results_dir / 'benchmark'}. Hold a later run against it with"
        yield f"  --against {run_id}"


def _times(b: Benchmark) -> tuple[str, ...]:
    steady = stats.latency(b.steady_s, b.batch)
    times = (b.load_s, b.first_s, steady.mean_s, steady.p50_s, steady.p95_s, steady.p99_s)
    whole = ms(stats.median([s for block in b.whole_s for s in block]) if any(b.whole_s) else None)
    memory = mb(b.peak_rss_bytes)
    setting = f"{b.threads} thread{'s' * (b.threads != 1)}, batch {b.batch}" + (f", {b.beside} busy" if b.beside else "")
    return (
        b.subject_id,
        setting,
        trust(b).grade,
        *(ms(t) for t in times),
        whole,
        f"{steady.images_per_s:.1f}",
        memory,
    )


def runs(console: Console, found: Any) -> None:
    """A row per run, oldest first."""
    if not found:
        lines(console, "There is no benchmark yet. Run: python -m udacisense benchmark SUBJECT SUBJECT")
        return
    rows = (
        (r.id, r.created[:16].replace("T", " "), r.protocol, r.machine, commas(r.tags), "\n".join(r.subjects)) for r in found
    )
    table(console, "", ("run", "when", "protocol", "machine", "tags", "subjects"), rows)


def history(console: Console, found: Any) -> None:
    """What became slower, larger or less accurate."""
    lines(console, "", f"{found.after} against {found.before}")
    if found.mismatches:
        lines(console, "They may not be compared, the machines differ:")
        warnings(console, found.mismatches)
    rows = [(s.role, c.what, COURSE_WORDS[c.course], c.reason) for s in found.subjects for c in s.changes]
    if rows:
        table(console, "", ("subject", "figure", "", "why"), rows)
    for subject in found.subjects:
        if subject.software:
            lines(console, f"Between them, for {subject.role}: {commas(subject.software)}")
    if found.alone:
        lines(console, f"Only one of the two runs has {commas(found.alone)}.")


def tag(console: Console, found: Any) -> None:
    """The name and its run."""
    lines(console, f"{found.name} is now {found.run_id}. Hold later runs against it: benchmark SUBJECTS --against {found.name}")


def selftest(console: Console, found: SelfTest) -> None:
    """How often each verdict was given, and whether that keeps to what was asked."""
    machine = found.made.machine
    lines(console, f"Self-test of the benchmark on {machine.cpu}, {machine.logical_cores} cores, with {found.subject_id}")
    columns = ("comparison", "made", "slower", "faster", "same", "not enough evidence", "", "asked for")
    rows = [
        (t.title, *(str(n) for n in (t.comparisons, t.slower, t.faster, t.same, t.unknown)), _kept(t.passed), t.asked)
        for t in found.trials
    ]
    table(console, "", columns, rows)
    lines(console, f"{'Passed' if found.passed else 'FAILED'} in {found.seconds / 60:.1f} min · record {found.id}")


def _kept(passed: bool) -> str:
    return "✔ kept" if passed else "✘ broken"
