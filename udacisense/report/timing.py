"""Times in blocks: benchmarks, runs, a run against an earlier one, the benchmark's self-test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udacisense.benchmark.compare import compare
from udacisense.benchmark.drift import drift
from udacisense.benchmark.quality_grade import trust
from udacisense.history.against import Course, RunComparison
from udacisense.history.runs import TimedRun
from udacisense.metrics import stats
from udacisense.number_format import commas, count, mb, ms
from udacisense.report.blocks import Block, Heading, Paragraph, Table, Warnings
from udacisense.types import Benchmark, SelfTest

COURSE_WORDS: dict[Course, str] = {"worse": "✘ worse", "better": "✔ better", "same": "= same", "unknown": "? unknown"}
TIMING_COLUMNS = (
    "subject", "setting", "trust", "load", "first", "mean", "P50", "P95", "P99", "whole way", "images/s", "memory", "runs",
    "record",
)  # fmt: skip


def timing_table(named: Sequence[tuple[str, Benchmark]], records: bool = True) -> Table:
    """A row for each timed subject and setting, with how often it ran and its record, or without."""
    shown = None if records else -2
    return Table(TIMING_COLUMNS[:shown], tuple(_times(name, b)[:shown] for name, b in named))


def _times(name: str, b: Benchmark) -> tuple[str, ...]:
    steady = stats.latency(b.steady_s, b.batch)
    whole = [s for block in b.end_to_end_s for s in block]
    way = stats.median(whole) if whole else None
    times = (b.load_s, b.first_s, steady.mean_s, steady.p50_s, steady.p95_s, steady.p99_s, way)
    setting = f"{count(b.threads, 'thread')}, batch {b.batch}" + (
        f", {b.background_processes} busy" if b.background_processes else ""
    )
    measured = (f"{steady.images_per_s:,.1f}", mb(b.peak_rss_bytes), count(steady.runs), b.id)
    return (name, setting, trust(b).grade, *map(ms, times), *measured)


def benchmark_blocks(found: Sequence[Benchmark]) -> list[Block]:
    """A row for each, what to mind of each, and how each stands against the first under the same setting."""
    return [
        timing_table([(b.subject_id, b) for b in found], records=False),
        Warnings(tuple(said for b in found for said in _doubts(b))),
        *(Paragraph(said) for said in _against_the_first(found)),
    ]


def _doubts(b: Benchmark) -> Iterator[str]:
    reasons = [d.why for d in trust(b).deductions] + ([drift(b).reason] if b.sustained else [])
    yield from (f"{b.subject_id}: {said}" for said in dict.fromkeys([*reasons, *b.warnings]))


def _against_the_first(found: Sequence[Benchmark]) -> Iterator[str]:
    first: dict[object, Benchmark] = {}
    for b in found:
        if (reference := first.setdefault(b.setting, b)) is not b:
            yield f"{b.subject_id} against {reference.subject_id}: {compare(b, reference).reason}"


def run_blocks(found: Sequence[TimedRun]) -> list[Block]:
    """A row for each run, oldest first."""
    if not found:
        return [Paragraph("There is no benchmark yet. Run: python -m udacisense benchmark SUBJECT SUBJECT")]
    rows = tuple(
        (r.id, r.created[:16].replace("T", " "), r.protocol, r.machine, commas(r.tags), "\n".join(r.subjects)) for r in found
    )
    return [Table(("run", "when", "protocol", "machine", "tags", "subjects"), rows)]


def comparison_blocks(found: RunComparison) -> list[Block]:
    """What became slower, larger or less accurate from a run to a later one."""
    blocks: list[Block] = [Heading(2, f"{found.after} against {found.before}")]
    if found.mismatches:
        blocks += [Paragraph("They may not be compared, the machines differ:"), Warnings(found.mismatches)]
    rows = tuple((s.role, c.what, COURSE_WORDS[c.course], c.reason) for s in found.subjects for c in s.changes)
    if rows:
        blocks.append(Table(("subject", "figure", "", "why"), rows))
    changed = (s for s in found.subjects if s.software)
    blocks += [Paragraph(f"Between them, for {s.role}: {commas(s.software)}") for s in changed]
    if found.alone:
        blocks.append(Paragraph(f"Only one of the two runs has {commas(found.alone)}."))
    return blocks


def selftest_blocks(found: SelfTest) -> list[Block]:
    """How often each verdict was given, and whether that keeps to what was asked."""
    machine = found.made.machine
    columns = ("comparison", "made", "slower", "faster", "same", "not enough evidence", "", "asked for")
    rows = tuple(
        (t.title, *map(count, (t.comparisons, t.slower, t.faster, t.same, t.unknown)), _kept(t.passed), t.asked)
        for t in found.trials
    )
    about = f"Self-test of the benchmark on {machine.cpu}, {machine.logical_cores} cores, with {found.subject_id}"
    ended = f"{'Passed' if found.passed else 'FAILED'} in {found.seconds / 60:.1f} min · record {found.id}"
    return [Paragraph(about), Table(columns, rows), Paragraph(ended)]


def _kept(passed: bool) -> str:
    return "✔ kept" if passed else "✘ broken"
