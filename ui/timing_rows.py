"""Figures derived from benchmark records for charts, tables and sentences. Pure functions; times in seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from udacisense import stats
from udacisense.benchmark import drift as drift_of
from udacisense.benchmark import replication
from udacisense.benchmark import trust as trust_of
from udacisense.benchmark.drift import drift
from udacisense.benchmark.replication import average_s
from udacisense.benchmark.trust import trust
from udacisense.history.against import SOFTWARE, Against, roles
from udacisense.queries import Found
from udacisense.queries import Row as Known
from udacisense.types import Benchmark, Unfinished
from ui.evidence import Entry
from ui.tables import Row


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """One block of a run."""

    start: int  # which start it belongs to, from 1
    at_s: float
    median_s: float
    runs: int
    others: float | None  # share of the processor that other programs used


@dataclass(frozen=True, slots=True)
class RunPoint:
    """One run of one subject."""

    at: str  # ISO time
    run_id: str
    mean_s: float
    low_s: float
    high_s: float
    grade: str
    size_bytes: int
    runtime: str
    cpu: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of one subject on one machine, oldest first."""

    name: str
    format: str
    machine: int  # counts the machines of the history from 0
    points: tuple[RunPoint, ...]


def course_points(b: Benchmark) -> tuple[CoursePoint, ...]:
    """The blocks of a run in their order; where older records lack their times, blocks follow each other at once."""
    found, at = [], 0.0
    starts = [number for number, blocks in enumerate(b.by_start, 1) for _ in blocks]
    for i, block in enumerate(b.blocks_s):
        conditions = b.conditions[i] if i < len(b.conditions) else None
        began = conditions.at_s - b.conditions[0].at_s if conditions else at
        at += math.fsum(block)
        if block:
            found.append(
                CoursePoint(starts[i], began, stats.median(block), len(block), conditions.others if conditions else None)
            )
    return tuple(found)


def whole_parts(b: Benchmark) -> tuple[float, float, float] | None:
    """Median seconds of decoding, preprocessing, and the rest of the whole way, which is inference; None = not measured."""
    times = [s for block in b.whole_s for s in block]
    if not times or not b.decode_s:
        return None
    decode, preprocess = stats.median(b.decode_s), stats.median(b.preprocess_s)
    return decode, preprocess, max(stats.median(times) - decode - preprocess, 0.0)


def start_parts(b: Benchmark) -> tuple[float | None, float | None, float, float]:
    """Median seconds of starting Python, importing the runtime, loading the file, first inference; None = not measured."""
    if not b.starts:
        return None, b.import_s, b.load_s, b.first_s
    process, imported, load, first = zip(*((s.process_s, s.import_s, s.load_s, s.first_s) for s in b.starts), strict=True)
    return stats.median(process), stats.median(imported), stats.median(load), stats.median(first)


@dataclass(frozen=True, slots=True)
class Timing:
    """A plain benchmark without its times: enough to draw its point in the history."""

    subject_id: str
    sha256: str
    run_id: str
    threads: int
    hardware: tuple[object, ...]
    point: RunPoint


def timings(found: Found[Benchmark]) -> tuple[Timing, ...]:
    """What the history draws of benchmarks; their times are read once, ever."""
    figures = found.figures("average and grade", average_and_grade, drift_of, replication, trust_of, stats)
    return tuple(_timing(row, row["threads"], row["machine"], *figure) for row, figure in figures)


def average_and_grade(b: Benchmark) -> tuple[float, float, float, str]:
    """The average of the steady times with its interval, seconds, and the trust grade."""
    return (*average_s(b), trust(b).grade)


def _timing(
    row: Known, threads: int, machine: Mapping[str, object], mean: float, low: float, high: float, grade: str
) -> Timing:
    runtime = f"{row['runtime']} {row['runtime_version']}"
    size_bytes, cpu = row["size_bytes"], str(machine["cpu"])
    point = RunPoint(row.created, row.run_id, mean, max(low, 0.0), high, grade, size_bytes, runtime, cpu, row.id)
    hardware = tuple(value for name, value in machine.items() if name not in SOFTWARE)
    return Timing(row.subject_id, row.sha256, row.run_id, threads, hardware, point)


def lines(found: Sequence[Timing], format_of: dict[str, str]) -> tuple[Line, ...]:
    """Plain benchmarks as lines: a subject that was made again goes on, another machine begins a new line.

    Args:
        format_of: file hash -> format, for the colour.
    """
    machines = list(dict.fromkeys(timing.hardware for timing in found))
    names_of = roles(found)
    by_line: dict[tuple[str, int, int], list[Timing]] = {}
    for timing in found:
        key = names_of[timing.subject_id], timing.threads, machines.index(timing.hardware)
        by_line.setdefault(key, []).append(timing)
    return tuple(
        Line(_line_name(role, threads, machine, len(machines)), _format(own, format_of), machine, tuple(t.point for t in own))
        for (role, threads, machine), own in by_line.items()
    )


def _line_name(role: str, threads: int, machine: int, machines: int) -> str:
    many = f", {threads} threads" if threads > 1 else ""
    return f"{role}{many}" + (f" · machine {machine + 1}" if machines > 1 else "")


def _format(found: Sequence[Timing], format_of: dict[str, str]) -> str:
    known = [format_of[timing.sha256] for timing in found if timing.sha256 in format_of]
    return known[-1] if known else ""


# --- rows of tables and CSV files ---------------------------------------------------------------------------------------


def history_rows(found: Sequence[Line]) -> list[Row]:
    """Every run of every line."""
    return [
        {
            "subject": line.name,
            "when": p.at,
            "average_ms": p.mean_s * 1000,
            "low_ms": p.low_s * 1000,
            "high_ms": p.high_s * 1000,
            "trust": p.grade,
            "size_mb": p.size_bytes / 2**20,
            "runtime": p.runtime,
            "cpu": p.cpu,
            "run": p.run_id,
            "record": p.record_id,
        }
        for line in found
        for p in line.points
    ]


def against_rows(found: Against) -> list[Row]:
    """Every figure of a run against an earlier one."""
    return [
        {
            "subject": s.role,
            "figure": c.what,
            "course": c.course,
            "before": c.before,
            "after": c.after,
            "change": c.change.value if c.change else None,
            "low": c.change.low if c.change else None,
            "high": c.change.high if c.change else None,
            "why": c.reason,
        }
        for s in found.subjects
        for c in s.changes
    ]


def course_rows(entries: Sequence[Entry]) -> list[Row]:
    """Every block of every run."""
    return [
        {
            "subject": e.label,
            "id": e.id,
            "start": p.start,
            "after_s": p.at_s,
            "median_ms": p.median_s * 1000,
            "runs": p.runs,
            "other_programs_percent": None if p.others is None else p.others * 100,
            "course": drift(e.benchmark).course,
        }
        for e in entries
        if e.benchmark
        for p in course_points(e.benchmark)
    ]


def unfinished_rows(found: Sequence[Unfinished]) -> list[Row]:
    """Every measurement that was cut short, the newest first."""
    return [
        {
            "subject": u.subject_id,
            "when": u.made.created,
            "starts": f"{len(u.blocks_per_start)} of {u.starts_asked}",
            "runs": sum(map(len, u.blocks_s)),
            "why": u.reason,
            "command": u.made.command,
            "record": u.id,
        }
        for u in reversed(found)
    ]


def setting_rows(benchmarks: Sequence[Benchmark]) -> list[Row]:
    """Every setting that was timed, with its speed."""
    return [
        {
            "id": b.subject_id,
            "threads": b.threads,
            "batch": b.batch,
            "busy_beside": b.beside,
            "median_ms": stats.median(b.steady_s) * 1000,
            "p95_ms": stats.percentile(b.steady_s, 95) * 1000,
            "images_per_s": stats.latency(b.steady_s, b.batch).images_per_s,
            "trust": trust(b).grade,
            "record": b.id,
        }
        for b in benchmarks
    ]


def start_rows(entries: Sequence[Entry]) -> list[Row]:
    """Every start that was timed."""
    return [
        {
            "subject": e.label,
            "id": e.id,
            "process_ms": s.process_s * 1000,
            "import_ms": s.import_s * 1000,
            "load_ms": s.load_s * 1000,
            "first_ms": s.first_s * 1000,
            "file_was_cached": s.file_cached,
        }
        for e in entries
        if e.benchmark
        for s in e.benchmark.starts
    ]


def whole_rows(entries: Sequence[Entry]) -> list[Row]:
    """Every whole way from a picture's file to the answer."""
    return [
        {"subject": e.label, "id": e.id, "block": number, "ms": seconds * 1000}
        for e in entries
        if e.benchmark
        for number, block in enumerate(e.benchmark.whole_s, 1)
        for seconds in block
    ]
