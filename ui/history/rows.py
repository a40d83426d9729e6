"""Rows of the History page: every subject's averages over the runs, and one run against another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from udacisense.benchmark import drift as drift_of
from udacisense.benchmark import quality_grade as trust_of
from udacisense.benchmark import replication
from udacisense.benchmark.quality_grade import trust
from udacisense.benchmark.replication import average_s
from udacisense.history.against import SOFTWARE, RunComparison, roles
from udacisense.metrics import stats
from udacisense.number_format import MB
from udacisense.records.queries import Found
from udacisense.records.queries import Row as Known
from udacisense.report.subject_names import role_name
from udacisense.types import Benchmark
from ui.shared.rows import Row


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
    """Points of the history chart; the times of a benchmark are read once, ever."""
    figures = found.figures("average and grade", average_and_grade, drift_of, replication, trust_of, stats)
    return tuple(_timing(row, row["threads"], row["machine"], *figure) for row, figure in figures)


def average_and_grade(b: Benchmark) -> tuple[float, float, float, str]:
    """The average of the steady times with its interval, seconds, and the quality grade."""
    return (*average_s(b), trust(b).grade)


def _timing(
    row: Known, threads: int, machine: Mapping[str, object], mean: float, low: float, high: float, grade: str
) -> Timing:
    runtime = f"{row['runtime']} {row['runtime_version']}"
    size_bytes, cpu = row["size_bytes"], str(machine["cpu"])
    point = RunPoint(row.created, row.run_id, mean, max(low, 0.0), high, grade, size_bytes, runtime, cpu, row.id)
    hardware = tuple(value for name, value in machine.items() if name not in SOFTWARE)
    return Timing(row.subject_id, row.sha256, row.run_id, threads, hardware, point)


def lines(found: Sequence[Timing], format_of: dict[str, str], name_of: Mapping[str, str] | None = None) -> tuple[Line, ...]:
    """Plain benchmarks as lines: a subject that was made again goes on, another machine begins a new line.

    Args:
        format_of: file hash -> format, for the colour.
        name_of: file hash -> name of a file that is here; a line without one, or with one that another has, goes by its role.
    """
    machines = list(dict.fromkeys(timing.hardware for timing in found))
    names_of = roles(found)
    by_line: dict[tuple[str, int, int], list[Timing]] = {}
    for timing in found:
        key = names_of[timing.subject_id], timing.threads, machines.index(timing.hardware)
        by_line.setdefault(key, []).append(timing)
    titles = role_titles(((t.subject_id, t.sha256) for t in found), names_of, name_of or {})
    found_lines = []
    for (role, threads, machine), own in by_line.items():
        name = _line_name(titles[role], threads, machine, len(machines))
        found_lines.append(Line(name, _format(own, format_of), machine, tuple(t.point for t in own)))
    return tuple(found_lines)


def role_titles(files: Iterable[tuple[str, str]], names_of: Mapping[str, str], name_of: Mapping[str, str]) -> dict[str, str]:
    """Role -> the name of its newest file that is here, where no other role has that name; else the name of the role.

    Args:
        files: id and hash of each file that was timed, oldest first.
        names_of: id -> role.
    """
    titles: dict[str, str | None] = dict.fromkeys(names_of.values())
    titles.update({names_of[subject_id]: name_of[sha256] for subject_id, sha256 in files if sha256 in name_of})
    often = Counter(titles.values())
    return {role: title if title and often[title] == 1 else role_name(role) for role, title in titles.items()}


def _line_name(role: str, threads: int, machine: int, machines: int) -> str:
    many = f", {threads} threads" if threads > 1 else ""
    return f"{role}{many}" + (f" · machine {machine + 1}" if machines > 1 else "")


def _format(found: Sequence[Timing], format_of: dict[str, str]) -> str:
    known = [format_of[timing.sha256] for timing in found if timing.sha256 in format_of]
    return known[-1] if known else ""


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
            "size_mb": p.size_bytes / MB,
            "runtime": p.runtime,
            "cpu": p.cpu,
            "run": p.run_id,
            "record": p.record_id,
        }
        for line in found
        for p in line.points
    ]


def against_rows(found: RunComparison) -> list[Row]:
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
