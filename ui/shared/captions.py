"""Captions of charts on several pages: one sentence each, from the records that the chart shows. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from udacisense.classify import Classification
from udacisense.labels import CLASSES
from udacisense.types import Evaluation, Flip, Verdict, Verification
from ui.shared.entries import Stage, SubjectMetrics
from ui.shared.number_format import count, mb, percent


def sizes(entries: Sequence[SubjectMetrics]) -> str:
    """The smallest file against the largest."""
    return _smallest([(e.label, e.size_bytes) for e in entries], "The smallest file is {} with {}", "than {} ({})")


def memory(entries: Sequence[SubjectMetrics]) -> str:
    """The lowest peak of resident memory against the highest."""
    peaks = [(e.label, e.benchmark.peak_rss_bytes if e.benchmark else None) for e in entries]
    return _smallest(peaks, "{} needs the least memory, {} at its peak", "than {} ({})")


def _smallest(values: Sequence[tuple[str, int | None]], start: str, than: str) -> str:
    known = sorted(((label, size) for label, size in values if size is not None), key=lambda pair: pair[1])
    if not known:
        return "Nothing of this has been measured yet."
    (label, least), (last, most) = known[0], known[-1]
    text = start.format(label, mb(least))
    if least == most:
        return f"{text}; all are the same." if len(known) > 1 else f"{text}."
    return f"{text}, {percent(1 - least / most)} less {than.format(last, mb(most))}."


def accuracy(entries: Sequence[SubjectMetrics]) -> str:
    """The best top-1 accuracy, and how far the lowest is behind."""
    known = sorted(((e.label, e.evaluation) for e in entries if e.evaluation), key=lambda pair: -pair[1].top1)
    if not known:
        return "No accuracy has been measured yet."
    (label, best), (last, least) = known[0], known[-1]
    if len(known) == 1:
        return f"{label} names {percent(best.top1)} of {count(best.images, 'image')} right."
    if best.top1 == least.top1:
        return f"All name {percent(best.top1)} of {count(best.images, 'image')} right."
    behind = (best.top1 - least.top1) * 100
    return f"{label} names {percent(best.top1)} of {count(best.images, 'image')} right; {last} is {behind:.1f} points behind."


def per_class(entries: Sequence[SubjectMetrics]) -> str:
    """The class that each subject finds hardest; subjects that agree are named together."""
    found: dict[str, list[str]] = {}
    for e in (e for e in entries if e.evaluation):
        assert e.evaluation is not None
        share, name = min((s, c) for s, c in zip(e.evaluation.per_class, CLASSES, strict=True) if s is not None)
        found.setdefault(f"{name} with {percent(share)}", []).append(e.label)
    if not found:
        return "No accuracy has been measured yet."
    return "The hardest class is " + "; ".join(f"{what} ({', '.join(labels)})" for what, labels in found.items()) + "."


def confusion(record: Evaluation) -> str:
    """The most frequent mistake."""
    wrong = [(n, t, a) for t, row in enumerate(record.confusion) for a, n in enumerate(row) if t != a and n]
    if not wrong:
        return "No image was taken for another class."
    often, true, taken = max(wrong, key=lambda found: found[0])
    times = f"{often:,} of {sum(record.confusion[true]):,} times"
    return f"The most frequent mistake: {CLASSES[true]} taken for {CLASSES[taken]}, {times}."


def agreement(record: Verification) -> str:
    """Agreement of a converted file with its checkpoint: share and number of equal answers."""
    same = record.images - len(record.flips)
    return f"Agreement with the checkpoint: {percent(record.agreement)} ({same:,} of {count(record.images, 'image')})"


def flips(found: Sequence[Flip]) -> str:
    """What became of the images whose answer changed."""
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
    """From the first measured stage to the last, and which stages have no figure."""
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
    """The likeliest class, and how far it is ahead of the next."""
    (best, share), (second, rest) = found.top(2)
    return f"The model says {best} with {percent(share)}; next comes {second} with {percent(rest)}."
