"""Captions of the charts of times: one sentence each, from the records that the chart shows. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

from udacisense.benchmark.compare import compare
from udacisense.benchmark.drift import MINUTE_S, drift
from udacisense.benchmark.replication import ratio
from udacisense.metrics import stats
from udacisense.number_format import MB, change_percent, count, ms, percent, ratio_range
from udacisense.types import Benchmark, Unfinished
from ui.benchmark.charts import Limits, pareto
from ui.benchmark.rows import course_points, whole_parts
from ui.shared.entries import SubjectMetrics


def latency(entries: Sequence[SubjectMetrics]) -> str:
    """Fastest and slowest subject, with the interval of their ratio."""
    timed = [(e.label, e.benchmark) for e in entries if e.benchmark]
    if not timed:
        return "Times not measured yet."
    (first, fast), *others = sorted(timed, key=lambda pair: stats.median(pair[1].steady_s))
    if not others:
        p99 = ms(stats.percentile(fast.steady_s, 99))
        return f"{first}: median {_median(fast)}, P99 {p99} ({count(len(fast.steady_s), 'run')})."
    last, slow = others[-1]
    return f"Fastest: {first}, median {_median(fast)}. Slowest: {last}, median {_median(slow)}, {_times_as_long(slow, fast)}."


def _median(bench: Benchmark) -> str:
    return ms(stats.median(bench.steady_s))


def _times_as_long(slow: Benchmark, fast: Benchmark) -> str:
    found = compare(slow, fast)
    if found.ratio is None:
        plain = stats.median(slow.steady_s) / stats.median(fast.steady_s)
        return f"{plain:.2f} times as long (too few starts for an interval)"
    if found.speed == "unknown":
        return f"difference inconclusive (95 % CI of the ratio {ratio_range(found.ratio)})"
    same = "equal within 5 %: " if found.speed == "same" else ""
    return f"{same}{found.ratio.value:.2f} times as long (95 % CI {ratio_range(found.ratio)})"


def course(entries: Sequence[SubjectMetrics]) -> str:
    """Drift of each subject's speed from the first block to the last."""
    found = [(e.label, drift(e.benchmark)) for e in entries if e.benchmark]
    if not found:
        return "Times not measured yet."
    moved = [f"{label}: {d.course} by {percent(abs(d.change or 0))}" for label, d in found if d.course in ("slower", "faster")]
    unknown = [label for label, d in found if d.course == "unknown"]
    if len(unknown) == len(found):
        return f"Drift inconclusive: {found[0][1].reason}"
    rest = [label for label, d in found if d.course == "steady"]
    which = f"in any of {count(len(rest), 'model')}" if len(rest) == len(found) > 1 else f"of {', '.join(rest)}"
    parts = moved + ([f"no drift seen {which}"] if rest else [])
    return f"Drift over the run: {'; '.join(parts)}."


def sustained(entries: Sequence[SubjectMetrics]) -> str:
    """The first minute against the steady state."""
    found = [(e.label, b, d) for e in entries if (b := e.benchmark) and (d := drift(b)).first_s and d.steady_s]
    if not found:
        return "Sustained load not measured yet."
    parts = [
        f"{label}: {ms(d.first_s)} {_early(b)}, {ms(d.steady_s)} in steady state ({change_percent(d.change)}, {d.course})"
        for label, b, d in found
    ]
    return "; ".join(parts) + "."


def _early(b: Benchmark) -> str:
    return "in the first minute" if course_points(b)[-1].at_s > 2 * MINUTE_S else "at the start"


def scaling(groups: Sequence[tuple[str, str, Sequence[Benchmark]]], by: str) -> str:
    """Gain of the largest setting over the smallest, with the interval of the ratio."""
    parts = []
    for label, _, found in groups:
        if len(found) > 1:
            first, last = found[0], found[-1]
            gain = _gain(first, last)
            parts.append(f"{label}: {gain} with {_setting(last, by)} against {_setting(first, by)}")
    return ("; ".join(parts) + ".") if parts else "Only one setting measured yet."


def _gain(first: Benchmark, last: Benchmark) -> str:
    known = ratio(first, last) if first.run_id == last.run_id else None
    if known is not None:
        value, low, high = (r * last.batch / first.batch for r in known.estimate)
        return f"{value:.2f} times the images per second (95 % CI {low:.2f} to {high:.2f})"
    speeds = [stats.latency(b.steady_s, b.batch).images_per_s for b in (first, last)]
    return f"{speeds[1] / speeds[0]:.2f} times the images per second (not timed side by side)"


def _setting(b: Benchmark, by: str) -> str:
    words = {
        "threads": count(b.threads, "thread"),
        "batch": f"batches of {b.batch}",
        "background_processes": f"CPU load from {count(b.background_processes, 'background process')}"
        if b.background_processes
        else "an idle machine",
    }
    return words[by]


def cut_short(found: Sequence[Unfinished]) -> str:
    """Number of unfinished measurements, and their use."""
    runs = len({u.run_id for u in found})
    return (
        f"{count(len(found), 'measurement')} of {count(runs, 'run')} did not end, or run now. Their finished blocks are "
        "kept for inspection; no table, chart or rule uses them. Start an unfinished run again to measure it."
    )


def startup(entries: Sequence[SubjectMetrics]) -> str:
    """Time from a cold start to the first inference, the median of all cold starts."""
    known = [(e.label, first_answer(e.benchmark), len(e.benchmark.starts)) for e in entries if e.benchmark]
    if not known:
        return "Cold start not measured yet."
    (quick, least, starts), *others = sorted(known, key=lambda found: found[1])
    of = f" (median of {count(starts, 'cold start')})" if starts > 1 else ""
    text = f"Fastest cold start: {quick}, {ms(least)}{of}"
    return f"{text}. Slowest: {others[-1][0]}, {ms(others[-1][1])}." if others else f"{text}."


def first_answer(bench: Benchmark) -> float:
    """Seconds from a cold start to the first inference, the median of the starts; of older records without Python's start."""
    if bench.starts:
        return stats.median([s.total_s for s in bench.starts])
    return (bench.import_s or 0.0) + bench.load_s + bench.first_s


def cold(entries: Sequence[SubjectMetrics]) -> str:
    """Whether the files were read from disk or from the page cache."""
    starts = [s for e in entries if e.benchmark for s in e.benchmark.starts]
    if not starts:
        return "Older records hold one start only, without the start of Python."
    cached = [s.file_cached for s in starts]
    if not any(cached) and None not in cached:
        libraries = "The runtime's libraries may have been cached."
        return f"Every cold start was a new process, the file not in the page cache. {libraries}"
    if None in cached:
        return "Every cold start was a new process; whether the file was in the page cache was not measured."
    warm = sum(bool(c) for c in cached)
    return f"Every cold start was a new process; in {warm} of {len(starts)} the file was still in the page cache."


def whole(entries: Sequence[SubjectMetrics]) -> str:
    """Share of inference in the end-to-end time."""
    known = [(e.label, p) for e in entries if e.benchmark and (p := whole_parts(e.benchmark))]
    if not known:
        return "End-to-end time not measured yet."
    parts = [f"{label} {ms(sum(p))} ({percent(p[2] / sum(p))} inference)" for label, p in known]
    return f"End-to-end time per image: {'; '.join(parts)}."


def tradeoff(entries: Sequence[SubjectMetrics], limits: Limits, by: str) -> str:
    """Pareto-optimal subjects, and those within the rules."""
    known = [(e.label, x, e.evaluation.top1 * 100) for e in entries if e.evaluation and (x := _cost(e, by)) is not None]
    if not known:
        return "Not measured: a trade-off needs both an accuracy and a time."
    front = pareto([(x, y) for _, x, y in known])
    best = [label for label, x, y in known if (x, y) in front]
    allowed = [label for label, x, y in known if _allowed(x, y, limits)]
    what = "time" if by == "time" else "size"
    rules = f" Within the rules on accuracy and {what}: {', '.join(allowed) or 'no model'}."
    return f"Pareto-optimal in accuracy and {what}: {', '.join(best)}.{rules if limits != Limits() else ''}"


def _cost(e: SubjectMetrics, by: str) -> float | None:
    if by == "size":
        return None if e.size_bytes is None else e.size_bytes / MB
    return stats.median(e.benchmark.steady_s) * 1000 if e.benchmark else None


def _allowed(x: float, y: float, limits: Limits) -> bool:
    return (limits.most is None or x <= limits.most) and (limits.least_top1 is None or y >= limits.least_top1)
