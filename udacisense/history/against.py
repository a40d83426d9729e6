"""Comparison of a benchmark run with an earlier one: speed, size and accuracy of each subject.

Records accumulate, so history is read, never written. Two runs are put side by side only where the records of their machines
match. Times of two runs are compared through a file that both timed (what slows the machine slows that too), else by how much
runs of one file differ from each other here, else not at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, Protocol

import numpy as np
from scipy import special

from udacisense.benchmark.compare import Speed, speed_of
from udacisense.benchmark.replication import MIN_STARTS, ONE_START, start_ratios
from udacisense.errors import StoreError
from udacisense.evaluation.predictions import load_predictions
from udacisense.metrics.stats import MIN_BLOCKS, Estimate, accuracy_difference, independent, log_ratios, median
from udacisense.number_format import mb, ms, percent, points, points_range, ratio_range
from udacisense.records import queries
from udacisense.types import Benchmark, Machine
from udacisense.verdict_words import INCONCLUSIVE

What = Literal["time", "size", "accuracy"]
Course = Literal["worse", "better", "same", "unknown"]

FEWEST_RUNS = 3
"""Runs of one file that say how much runs differ on this machine."""
SAME_SIZE = 0.001
SAME_ACCURACY = 0.01
SOFTWARE = ("python",)
"""Fields of a machine's record that are software: named beside a change, no reason against comparing."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one subject, before and after."""

    what: What
    course: Course
    before: float | None  # seconds, bytes, or a share 0..1; None = not measured
    after: float | None
    change: Estimate | None  # after over before, of accuracy after minus before; None = no interval can be given
    reason: str


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """One subject in two runs."""

    role: str  # what stays the same over time: "torchscript-fp32"
    before: Benchmark
    after: Benchmark
    changes: tuple[Change, ...]
    software: tuple[str, ...]  # "torch 2.12.0 → 2.13.0"


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A run against an earlier one."""

    before: str  # run ids
    after: str
    mismatches: tuple[str, ...]  # why they may not be compared; then there are no subjects
    subjects: tuple[SubjectChange, ...]
    alone: tuple[str, ...]  # roles that only one of the two runs has

    @property
    def course(self) -> Course:
        """Worse if anything became worse, else unknown if anything is or nothing could be compared, else same."""
        found = {change.course for subject in self.subjects for change in subject.changes}
        if "worse" in found:
            return "worse"
        return "same" if found and "unknown" not in found and not self.mismatches else "unknown"


def role_of(subject_id: str) -> str:
    """Role of a subject, which stays the same when a file is made again: its id without the digests."""
    return re.sub(r"(-[0-9a-f]{6,8})+$", "", subject_id)


class OfRun(Protocol):
    """A benchmark, or what is known of one without its times."""

    @property
    def run_id(self) -> str:
        """The run that it belongs to."""

    @property
    def subject_id(self) -> str:
        """Id of the subject that was timed."""


def roles(found: Sequence[OfRun]) -> dict[str, str]:
    """The role of each subject by its id. Where a run holds two files of one role, as two checkpoints' int8 files, the role
    keeps the digest of the checkpoint, so that neither is taken for the other."""
    together: dict[tuple[str, str], set[str]] = {}
    for b in found:
        together.setdefault((b.run_id, role_of(b.subject_id)), set()).add(b.subject_id)
    shared = {role for (_, role), ids in together.items() if len(ids) > 1}
    names = {b.subject_id: role_of(b.subject_id) for b in found}
    return {i: re.sub(r"-[0-9a-f]{6}$", "", i) if role in shared else role for i, role in names.items()}


def against(before: Sequence[Benchmark], after: Sequence[Benchmark]) -> RunComparison:
    """Every subject that both runs timed under one setting, figure by figure."""
    names = before[0].run_id, after[0].run_id
    mismatches = mismatch(before[0].made.machine, after[0].made.machine)
    names_of = roles([*before, *after])
    old, new = _by_role(before, names_of), _by_role(after, names_of)
    alone = tuple(sorted({role for role, _ in old.keys() ^ new.keys()}))
    if mismatches:
        return RunComparison(*names, mismatches, (), alone)
    subjects = tuple(_subject(key[0], old[key], new[key], before, after) for key in new if key in old)
    return RunComparison(*names, (), subjects, alone)


def _by_role(run: Sequence[Benchmark], names_of: Mapping[str, str]) -> dict[tuple[str, object], Benchmark]:
    return {(names_of[b.subject_id], (b.setting, b.input_px)): b for b in run}


def mismatch(before: Machine, after: Machine) -> tuple[str, ...]:
    """In what two machines differ, as sentences; nothing where figures taken on them may be compared."""
    found = []
    for name in (f.name for f in fields(Machine) if f.name not in SOFTWARE):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            words = [("not recorded" if value is None else str(value)) for value in (old, new)]
            found.append(f"{name.replace('_', ' ')}: {words[0]} before, {words[1]} after.")
    return tuple(found)


def _subject(
    role: str, old: Benchmark, new: Benchmark, before: Sequence[Benchmark], after: Sequence[Benchmark]
) -> SubjectChange:
    changes = (_time(old, new, before, after), _size(old, new), _accuracy(old, new))
    return SubjectChange(role, old, new, changes, tuple(_software(old, new)))


def _software(old: Benchmark, new: Benchmark) -> Iterator[str]:
    before = {**old.made.versions, "python": old.made.machine.python}
    after = {**new.made.versions, "python": new.made.machine.python}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}"


def _time(old: Benchmark, new: Benchmark, before: Sequence[Benchmark], after: Sequence[Benchmark]) -> Change:
    was, now = median(old.steady_s), median(new.steady_s)
    plain = f"{ms(was)} before, {ms(now)} after"
    ratio, how = _ratio(old, new, before, after)
    if ratio is None:
        return Change("time", "unknown", was, now, None, f"Inconclusive: {plain}, but {how}")
    speed = speed_of(ratio)
    words = {"slower": "Slower", "faster": "Faster", "same": "Unchanged within 5 %", "unknown": INCONCLUSIVE}
    courses: Mapping[Speed, Course] = {"slower": "worse", "faster": "better", "same": "same", "unknown": "unknown"}
    figures = f"{ratio.value:.2f} times as long, 95 % interval {ratio_range(ratio)}, {how}"
    return Change("time", courses[speed], was, now, ratio, f"{words[speed]}: {plain}; {figures}")


def _ratio(
    old: Benchmark, new: Benchmark, before: Sequence[Benchmark], after: Sequence[Benchmark]
) -> tuple[Estimate | None, str]:
    """Time after over time before with how it was found, or why it cannot be."""
    if old.cpus != new.cpus:
        return (
            None,
            f"the timed processes ran on {_cores(old)} before and on {_cores(new)} after. Benchmark the earlier one again.",
        )
    for anchor in after:
        same = [b for b in before if _is_same_file(b, anchor) and b.setting == anchor.setting]
        fits = anchor.setting == new.setting and anchor.subject_sha256 not in (old.subject_sha256, new.subject_sha256)
        if same and fits and _paired(old, same[0]) and _paired(new, anchor):
            return _through((old, same[0]), (new, anchor)), f"both relative to {anchor.subject_id}."
    runs = [b for b in queries.benchmarks_like(old) if _is_same_run_kind(b, old)]
    if len(runs) >= FEWEST_RUNS:
        return _by_runs(old, new, runs), f"by the spread of {len(runs)} runs of one file."
    return None, (
        "the two runs share no other file as a reference, and fewer than "
        f"{FEWEST_RUNS} runs show how much runs differ here. Benchmark the baseline with both, or measure again."
    )


def _is_same_file(a: Benchmark, b: Benchmark) -> bool:
    return (a.subject_sha256, a.runtime, a.runtime_version) == (b.subject_sha256, b.runtime, b.runtime_version)


def _is_same_run_kind(record: Benchmark, old: Benchmark) -> bool:
    same = _is_same_file(record, old) and (record.setting, record.cpus) == (old.setting, old.cpus)
    return same and not mismatch(record.made.machine, old.made.machine)


def _paired(a: Benchmark, b: Benchmark) -> bool:
    same = a.run_id == b.run_id and a.blocks_per_start == b.blocks_per_start
    return same and len(a.blocks_s) == len(b.blocks_s) >= MIN_BLOCKS


def _cores(b: Benchmark) -> str:
    return f"cores {', '.join(map(str, b.cpus))}" if b.cpus else "any core"


Series = np.typing.NDArray[np.float64]


def _through(old: tuple[Benchmark, Benchmark], new: tuple[Benchmark, Benchmark]) -> Estimate:
    """The ratio of two ratios of times: of a file over the common one, after over before."""
    (before, once), (after, once_too) = _logs(*old), _logs(*new)
    return _welch(before, after, (once, once_too))


def _welch(before: Series, after: Series, once: tuple[bool, bool] = (False, False), level: float = 0.95) -> Estimate:
    """exp of the difference of two means, with Welch's interval ("The Generalization of Student's Problem", Biometrika 1947).

    Args:
        once: whether each series is of blocks of one start: it counts for as many values as it is worth, and the interval is
            widened by what two starts may differ.
    """
    worth = [independent(series) if of_one else len(series) for series, of_one in zip((before, after), once, strict=True)]
    parts = [float(series.var(ddof=1)) / n for series, n in zip((before, after), worth, strict=True)]
    value, variance = float(after.mean() - before.mean()), math.fsum(parts)
    half = sum(once) * math.log1p(ONE_START)
    if variance > 0:
        freedom = variance**2 / math.fsum(p**2 / (n - 1) for p, n in zip(parts, worth, strict=True))
        half += float(special.stdtrit(freedom, 0.5 + level / 2)) * math.sqrt(variance)
    return Estimate(*(math.exp(v) for v in (value, value - half, value + half)))


def _logs(a: Benchmark, b: Benchmark) -> tuple[Series, bool]:
    """The logarithms of the ratios of two subjects of one run, and whether they are of blocks of one start only."""
    if len(a.by_start) >= MIN_STARTS:
        return start_ratios(a, b), False
    return log_ratios(a.blocks_s, b.blocks_s), True


def _by_runs(old: Benchmark, new: Benchmark, runs: Sequence[Benchmark], level: float = 0.95) -> Estimate:
    """Ratio of two runs' medians, with the interval of two runs drawn from those of one file: t s sqrt(2)."""
    logs = np.log([median(b.steady_s) for b in runs])
    half = float(special.stdtrit(len(runs) - 1, 0.5 + level / 2)) * float(logs.std(ddof=1)) * math.sqrt(2)
    value = math.log(median(new.steady_s) / median(old.steady_s))
    return Estimate(*(math.exp(v) for v in (value, value - half, value + half)))


def _size(old: Benchmark, new: Benchmark) -> Change:
    ratio = new.size_bytes / old.size_bytes
    course: Course = "same" if abs(ratio - 1) <= SAME_SIZE else "worse" if ratio > 1 else "better"
    words = {"same": "The same size", "worse": "Larger", "better": "Smaller"}[course]
    reason = f"{words}: {mb(old.size_bytes)} before, {mb(new.size_bytes)} after."
    return Change("size", course, old.size_bytes, new.size_bytes, Estimate(ratio, ratio, ratio), reason)


def _accuracy(old: Benchmark, new: Benchmark) -> Change:
    pair = queries.evaluated_on_the_same_images(new.subject_sha256, old.subject_sha256)
    if pair is None:
        missing = f"python -m udacisense evaluate {new.subject_id}"
        return Change("accuracy", "unknown", None, None, None, f"The two files were not evaluated on one set. Run: {missing}")
    second, first = pair
    if old.subject_sha256 == new.subject_sha256:
        return Change(
            "accuracy", "same", first.top1, first.top1, Estimate(0.0, 0.0, 0.0), "The file is the same, byte by byte."
        )
    try:
        before, after = load_predictions(first), load_predictions(second)
    except StoreError as exc:
        return Change("accuracy", "unknown", first.top1, second.top1, None, str(exc))
    if before.hashes != after.hashes:
        reason = "The answers kept are not of the same images. Evaluate both again with --fresh."
        return Change("accuracy", "unknown", first.top1, second.top1, None, reason)
    labelled = before.labelled
    found = accuracy_difference(before.correct[labelled], after.correct[labelled])
    course = _course_of_accuracy(found)
    words = {"worse": "Less accurate", "better": "More accurate", "same": "Accuracy unchanged", "unknown": INCONCLUSIVE}[course]
    figures = f"{points(found.value)}, 95 % interval {points_range(found)}"
    reason = f"{words}: top-1 {percent(first.top1)} before, {percent(second.top1)} after on {second.images} images ({figures})."
    return Change("accuracy", course, first.top1, second.top1, found, reason)


def _course_of_accuracy(found: Estimate) -> Course:
    if found.high < 0:
        return "worse"
    if found.low > 0:
        return "better"
    return "same" if found.low >= -SAME_ACCURACY and found.high <= SAME_ACCURACY else "unknown"
