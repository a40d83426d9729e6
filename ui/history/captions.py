"""Sentences of the History page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from udacisense.history.against import RunComparison
from udacisense.number_format import change_percent, count
from ui.history.rows import Line


def history(lines: Sequence[Line]) -> str:
    """Number of runs, and the line with the largest change from the previous run."""
    runs = {p.run_id for line in lines for p in line.points}
    if not runs:
        return "No run yet."
    steps = [(line.name, b.mean_s / a.mean_s - 1) for line in lines for a, b in list(pairwise(line.points))[-1:]]
    if not steps:
        return f"{count(len(runs), 'run')} so far; no model timed twice on one machine yet."
    name, change = max(steps, key=lambda pair: abs(pair[1]))
    return (
        f"{count(len(runs), 'run')} so far. Largest change from the previous run: {name}, {change_percent(change)}; "
        "the comparison below separates changes of a file from changes of the machine."
    )


def against(found: RunComparison) -> str:
    """Regressions and improvements between two runs."""
    if found.mismatches:
        return f"Runs not comparable: {' '.join(found.mismatches)}"
    changes = [(s.role, c) for s in found.subjects for c in s.changes]
    worse = [f"{role} {_words(c.what)}" for role, c in changes if c.course == "worse"]
    better = [f"{role} {_words(c.what, better=True)}" for role, c in changes if c.course == "better"]
    unknown = sum(c.course == "unknown" for _, c in changes)
    if not changes:
        return "No model in common."
    text = f"Worse: {', '.join(worse)}." if worse else "No conclusive regression."
    text += f" Better: {', '.join(better)}." if better else ""
    return text + (f" Inconclusive: {unknown} of {count(len(changes), 'figure')}." if unknown else "")


def _words(what: str, better: bool = False) -> str:
    worse_words = {"time": "is slower", "size": "is larger", "accuracy": "is less accurate"}
    better_words = {"time": "is faster", "size": "is smaller", "accuracy": "is more accurate"}
    return (better_words if better else worse_words)[what]
