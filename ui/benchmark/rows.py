"""Figures derived from benchmark records for charts, tables and sentences. Pure functions; times in seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from udacisense.benchmark.drift import drift
from udacisense.benchmark.quality_grade import trust
from udacisense.metrics import stats
from udacisense.types import Benchmark, Unfinished
from ui.shared.entries import SubjectMetrics
from ui.shared.rows import Row


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """One block of a run."""

    start: int  # which start it belongs to, from 1
    at_s: float
    median_s: float
    runs: int
    others: float | None  # share of the processor that other programs used


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
                CoursePoint(
                    starts[i], began, stats.median(block), len(block), conditions.other_cpu_share if conditions else None
                )
            )
    return tuple(found)


def whole_parts(b: Benchmark) -> tuple[float, float, float] | None:
    """Median seconds of decoding, preprocessing, and the rest, which is inference; None = not measured."""
    times = [s for block in b.end_to_end_s for s in block]
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


# --- rows of tables and CSV files ---------------------------------------------------------------------------------------


def course_rows(entries: Sequence[SubjectMetrics]) -> list[Row]:
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
            "busy_beside": b.background_processes,
            "median_ms": stats.median(b.steady_s) * 1000,
            "p95_ms": stats.percentile(b.steady_s, 95) * 1000,
            "images_per_s": stats.latency(b.steady_s, b.batch).images_per_s,
            "trust": trust(b).grade,
            "record": b.id,
        }
        for b in benchmarks
    ]


def start_rows(entries: Sequence[SubjectMetrics]) -> list[Row]:
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


def whole_rows(entries: Sequence[SubjectMetrics]) -> list[Row]:
    """Every end-to-end time from an image's file to the answer."""
    return [
        {"subject": e.label, "id": e.id, "block": number, "ms": seconds * 1000}
        for e in entries
        if e.benchmark
        for number, block in enumerate(e.benchmark.end_to_end_s, 1)
        for seconds in block
    ]
