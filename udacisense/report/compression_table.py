"""The rows of a pipeline in words: one table for the terminal, the documents and the page, with a verdict on each technique.

A verdict is read off the figures: a change counts when its whole 95 % interval says so, and the targets are those that
readiness.toml sets against the baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from udacisense.metrics.stats import Estimate
from udacisense.number_format import NOT_MEASURED, change, change_percent, count, mb, millions, ms, percent, ratio, share
from udacisense.readiness.rules import Rule, load_rules
from udacisense.report.blocks import Table
from udacisense.report.compression import Compressed, Row
from udacisense.settings import settings

COLUMNS = ("step", "size", "parameters", "zeros", "multiply-adds", "time", "against the start", "top-1", "change", "verdict")
SAME_SIZE = 0.005
"""A file whose size differs by less than this share is said to be as large."""


@dataclass(frozen=True, slots=True)
class Saving:
    """One figure against the start, in the unit of its target; the interval is exact (low = high) for a size."""

    words: str
    estimate: Estimate | None  # None = not measured


def grid(found: Compressed) -> Table:
    """Every row as text, the start first."""
    start = found.rows[0]
    return Table(COLUMNS, tuple(cells(row, start) for row in found.rows))


def cells(row: Row, start: Row) -> tuple[str, ...]:
    """One row as text."""
    if row.message is not None:
        return (row.name, *[NOT_MEASURED] * 8, f"Failed: {row.message}")
    return (
        row.name,
        _with_change(mb(row.size_bytes), row.size_bytes, start.size_bytes),
        _with_change(_thousands(row.parameters), row.parameters, start.parameters),
        percent(row.sparsity),
        _with_change(_millions(row.macs), row.macs, start.macs),
        ms(row.median_s),
        ratio_words(row) if row is not start else "1",
        top1_words(row),
        change(row.change) if row is not start else "–",
        verdict(row, start) if row is not start else "–",
    )


def _with_change(text: str, value: int | None, start: int | None) -> str:
    if value is None or not start or value == start:
        return text
    grown = value / start - 1
    return f"{text} ({change_percent(grown, 0 if abs(grown) >= 0.01 else 1)})"


def _thousands(value: int | None) -> str:
    return NOT_MEASURED if value is None else count(value)


def _millions(macs: int | None) -> str:
    return NOT_MEASURED if macs is None else millions(macs)


def ratio_words(row: Row) -> str:
    """Time over the start's with its 95 % interval: "0.58 (0.57 to 0.59)"."""
    return ratio(row.speed.ratio if row.speed else None)


def top1_words(row: Row) -> str:
    """Test accuracy with its 95 % interval, and "sample" where that is what it was measured on."""
    if row.top1_interval is None or row.evaluation is None:
        return NOT_MEASURED
    return share(row.top1_interval, ", sample" if row.evaluation.data.source == "sample" else "")


# --- the verdict ----------------------------------------------------------------------------------------------------------


def verdict(row: Row, start: Row) -> str:
    """Gain of a technique, and the targets that it meets by itself."""
    savings = {"size_saving": _size(row, start), "time_saving": _time(row), "accuracy_loss": _accuracy(row)}
    said = ", ".join(saving.words for saving in savings.values())
    return f"{said[0].upper()}{said[1:]}. {_targets(savings)}".strip()


def _size(row: Row, start: Row) -> Saving:
    if row.size_bytes is None or not start.size_bytes:
        return Saving("size not measured", None)
    saving = 1 - row.size_bytes / start.size_bytes
    words = "as large" if abs(saving) < SAME_SIZE else f"{percent(abs(saving), 0)} {'smaller' if saving > 0 else 'larger'}"
    return Saving(words, Estimate(*(100 * saving,) * 3))


def _time(row: Row) -> Saving:
    if row.speed is None or row.speed.ratio is None:
        return Saving("time not measured", None)
    took = row.speed.ratio
    saving = Estimate(100 * (1 - took.value), 100 * (1 - took.high), 100 * (1 - took.low))
    less = f"{percent(abs(1 - took.value), 0)} {'less' if saving.value > 0 else 'more'} time"
    words = {"faster": less, "slower": less, "same": "as fast", "unknown": "speed change inconclusive"}[row.speed.speed]
    return Saving(words, saving)


def _accuracy(row: Row) -> Saving:
    if row.change is None:
        return Saving("accuracy not measured", None)
    loss = Estimate(-100 * row.change.value, -100 * row.change.high, -100 * row.change.low)
    if loss.low > 0:
        return Saving(f"accuracy {loss.value:.1f} pp lower", loss)
    if loss.high < 0:
        return Saving(f"accuracy {-loss.value:.1f} pp higher", loss)
    return Saving("no significant change of accuracy", loss)


def targets() -> dict[str, Rule]:
    """The targets against the baseline, by what they measure."""
    rules = load_rules(settings().rules_file).rules.values()
    return {rule.measure: rule for rule in rules if rule.against == "baseline" and rule.limit is not None}


def _targets(savings: Mapping[str, Saving]) -> str:
    """Number of targets met, and those missed or inconclusive."""
    found = {rule.title: _met(rule, savings[measure].estimate) for measure, rule in targets().items() if measure in savings}
    missed = [title for title, met in found.items() if met is False]
    unsure = [title for title, met in found.items() if met is None]
    if found and not missed and not unsure:
        return f"Meets all {len(found)} targets." if len(found) > 1 else "Meets the target."
    parts = [f"Misses {_list(missed)}." if missed else "", f"Inconclusive: {_list(unsure)}." if unsure else ""]
    return " ".join(part for part in parts if part)


def _met(rule: Rule, found: Estimate | None) -> bool | None:
    """Whether the whole interval lies on the good side of the limit; None = part of it, or nothing was measured."""
    if found is None or rule.limit is None:
        return None
    limit = rule.limit
    sides = {v >= limit if rule.bound == "at_least" else v < limit for v in (found.low, found.high)}
    return sides.pop() if len(sides) == 1 else None


def _list(titles: list[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)
