"""Captions of charts on several pages: one sentence each, from the records that the chart shows. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from udacisense.classify import Classification
from udacisense.number_format import count, mb, percent
from udacisense.types import Evaluation, Flip, Verdict, Verification
from ui.shared.entries import Stage, SubjectMetrics


def sizes(entries: Sequence[SubjectMetrics]) -> str:
    """Smallest file against the largest."""
    return _smallest([(e.label, e.size_bytes) for e in entries], "Smallest: {}, {}", "than {} ({})")


def memory(entries: Sequence[SubjectMetrics]) -> str:
    """Lowest peak of resident memory against the highest."""
    peaks = [(e.label, e.benchmark.peak_rss_bytes if e.benchmark else None) for e in entries]
    return _smallest(peaks, "Least memory: {}, {} at its peak", "than {} ({})")


def _smallest(values: Sequence[tuple[str, int | None]], start: str, than: str) -> str:
    known = sorted(((label, size) for label, size in values if size is not None), key=lambda pair: pair[1])
    if not known:
        return "Not measured yet."
    (label, least), (last, most) = known[0], known[-1]
    text = start.format(label, mb(least))
    if least == most:
        return f"{text}; all are the same." if len(known) > 1 else f"{text}."
    return f"{text}, {percent(1 - least / most)} less {than.format(last, mb(most))}."


def accuracy(entries: Sequence[SubjectMetrics]) -> str:
    """Highest top-1 accuracy, and the distance of the lowest."""
    known = sorted(((e.label, e.evaluation) for e in entries if e.evaluation), key=lambda pair: -pair[1].top1)
    if not known:
        return "Accuracy not measured yet."
    (label, best), (last, least) = known[0], known[-1]
    if len(known) == 1:
        return f"Top-1 of {label}: {percent(best.top1)} of {count(best.images, 'image')}."
    if best.top1 == least.top1:
        return f"Top-1 of all: {percent(best.top1)} of {count(best.images, 'image')}."
    behind = (best.top1 - least.top1) * 100
    return f"Highest: {label}, {percent(best.top1)} of {count(best.images, 'image')}; lowest: {last}, {behind:.1f} pp below."


def per_class(entries: Sequence[SubjectMetrics]) -> str:
    """Hardest class of each subject; a class that several share is named once with its range."""
    found: dict[str, list[float]] = {}
    for e in (e for e in entries if e.evaluation):
        assert e.evaluation is not None
        share, name = min((s, c) for s, c in zip(e.evaluation.per_class, e.evaluation.classes, strict=True) if s is not None)
        found.setdefault(name, []).append(share)
    if not found:
        return "Accuracy not measured yet."
    return "Hardest class: " + "; ".join(f"{name} ({_range(shares)})" for name, shares in found.items()) + "."


def _range(shares: Sequence[float]) -> str:
    low, high = percent(min(shares)), percent(max(shares))
    return low if low == high else f"{low} to {high}"


def confusion(record: Evaluation) -> str:
    """Most frequent confusion of two classes."""
    wrong = [(n, t, a) for t, row in enumerate(record.confusion) for a, n in enumerate(row) if t != a and n]
    if not wrong:
        return "No confusion: every answer is right."
    often, true, taken = max(wrong, key=lambda found: found[0])
    times = f"{often:,} of {sum(record.confusion[true]):,}"
    return f"Most frequent confusion: {record.classes[true]} answered as {record.classes[taken]}, {times}."


def agreement(record: Verification) -> str:
    """Agreement of a converted file with its checkpoint: share and number of equal answers."""
    same = record.images - len(record.flips)
    return f"Agreement with the checkpoint: {percent(record.agreement)} ({same:,} of {count(record.images, 'image')})"


def flips(found: Sequence[Flip]) -> str:
    """Number of changed answers by what became of them."""
    if not found:
        return "No image changed its answer."
    better = sum(f.label == f.after for f in found)
    worse = sum(f.label == f.before for f in found)
    rest = len(found) - better - worse
    noun = "answer" if len(found) == 1 else "answers"
    unlabelled = any(f.label is None for f in found)
    last = "were wrong before and after" + (" or have no label" if unlabelled else "")
    return f"{len(found):,} {noun} changed: {better} became right, {worse} became wrong, {rest} {last}."


def pipeline(stages: Sequence[Stage], value: Callable[[Stage], float | None], show: Callable[[float], str]) -> str:
    """Figure of the first measured stage and of the last, and the stages without one."""
    known = [(s.name, v) for s in stages if (v := value(s)) is not None]
    gaps = [s.name.lower() for s in stages if s.subject_id and value(s) is None]
    absent = [s.name.lower() for s in stages if not s.subject_id]
    rest = f" Not measured: {', '.join(gaps)}." if gaps else ""
    rest += f" There is no {' and no '.join(absent)} checkpoint." if absent else ""
    if len(known) < 2:
        return (f"{known[0][0]}: {show(known[0][1])}.{rest}" if known else rest).strip()
    (start, before), (end, after) = known[0], known[-1]
    if show(before) == show(after):
        return f"{start} to {end.lower()}: {show(after)}, unchanged.{rest}"
    return f"{start} to {end.lower()}: {show(before)} to {show(after)}.{rest}"


def verdicts(found: Sequence[Verdict]) -> str:
    """Number of rules that pass, fail and are inconclusive."""
    counts = [sum(v.status == status for v in found) for status in ("pass", "fail", "unknown")]
    return f"{count(len(found), 'rule')}: {counts[0]} pass, {counts[1]} fail, {counts[2]} inconclusive."


def answer(found: Classification) -> str:
    """Likeliest class and the second with their probabilities."""
    (best, share), (second, rest) = found.top(2)
    return f"Answer: {best} ({percent(share)}); second: {second} ({percent(rest)})."
