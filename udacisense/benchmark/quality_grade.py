"""Quality grade of a measurement from A to D, with a sentence of advice for every step down."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from udacisense.benchmark.drift import drift
from udacisense.benchmark.replication import MIN_STARTS, average
from udacisense.metrics.stats import MIN_BLOCKS, mad_outliers, mean, median
from udacisense.number_format import change_percent, ms, percent
from udacisense.types import Benchmark, Conditions

Grade = Literal["A", "B", "C", "D"]
GRADES: tuple[Grade, ...] = ("A", "B", "C", "D")
FAR_OFF = 0.01
QUIET = "Close other programs and measure again."


@dataclass(frozen=True, slots=True)
class Deduction:
    """One reason for a lower grade."""

    steps: int  # grades down
    why: str  # a sentence with advice


@dataclass(frozen=True, slots=True)
class Trust:
    """A grade with its reasons; A has none."""

    grade: Grade
    deductions: tuple[Deduction, ...]

    @property
    def words(self) -> str:
        """All reasons, the gravest first; a sentence that says so where there is none."""
        ordered = sorted(self.deductions, key=lambda d: -d.steps)
        return " ".join(d.why for d in ordered) or "No deduction."


def trust(bench: Benchmark) -> Trust:
    """The grade of one measurement: A at first, one grade down for each step of its deductions, D at the lowest."""
    found = tuple(d for look in LOOKS for d in look(bench))
    return Trust(GRADES[min(sum(d.steps for d in found), 3)], found)


def distrust(*benches: Benchmark) -> str:
    """Why figures from these measurements do not count: a sentence where one of them has the lowest grade, else nothing."""
    worst = [found for found in map(trust, benches) if found.grade == GRADES[-1]]
    return f"Measurement quality D: too noisy to decide anything. {worst[0].words}" if worst else ""


def _graded(value: float, limits: Sequence[float]) -> int:
    """How many of the rising limits a value is over."""
    return sum(value > limit for limit in limits)


def _spread(b: Benchmark) -> Iterator[Deduction]:
    """The half width of the average's 95 % interval; more than 3, 10, 25 % of it cost 1, 2, 3 steps."""
    found = average(b)
    if found is None:
        few = f"{len(b.blocks_s)} blocks of runs are too few for an interval ({MIN_BLOCKS})"
        yield Deduction(2, f"{few}. Use a protocol as it is shipped.")
        return
    half = (found.high - found.low) / 2 / found.value
    steps = _graded(half, (0.03, 0.1, 0.25))
    if steps:
        yield Deduction(steps, f"The average is known to ±{percent(half)} only. Use a longer protocol, or a quieter machine.")


def _starts(b: Benchmark) -> Iterator[Deduction]:
    """Few starts hide how far processes of one file differ; under sustained load it is the course of one that is asked for."""
    if len(b.by_start) < MIN_STARTS and not b.sustained:
        times = "once" if len(b.by_start) == 1 else f"{len(b.by_start)} times"
        yield Deduction(
            1,
            f"It was started {times} only, and processes of one file differ. Use a protocol of {MIN_STARTS} starts or more.",
        )


def _outliers(b: Benchmark) -> Iterator[Deduction]:
    """Runs far off that are more than 1 % of all, or move the average by as much; they are counted, never dropped."""
    times = b.steady_s
    far = set(mad_outliers(times))
    if not far:
        return
    moved = mean(times) / mean([s for i, s in enumerate(times) if i not in far]) - 1
    if len(far) / len(times) <= FAR_OFF and abs(moved) <= FAR_OFF:
        return
    share, slowest = len(far) / len(times), max(times[i] for i in far)
    yield Deduction(
        1,
        f"{len(far)} of {len(times)} runs ({percent(share)}) were far off, up to {ms(slowest)} against a median of "
        f"{ms(median(times))}; they are kept, and move the average by {change_percent(moved)}. "
        "Read the median, or measure again.",
    )


def _warmup(b: Benchmark) -> Iterator[Deduction]:
    if b.warmup_stable is False:
        yield Deduction(1, "The times had not settled when the warm-up ended. Use a longer protocol, or a quieter machine.")


def _drifted(b: Benchmark) -> Iterator[Deduction]:
    """A drift of more than 3, 20 %; a sustained run is there to find one, so that it is no deduction."""
    found = drift(b)
    if b.sustained or found.course not in ("slower", "faster") or found.change is None:
        return
    advice = "Let the machine cool, or read the soak protocol's steady state."
    yield Deduction(
        1 + _graded(abs(found.change), (0.2,)), f"The times became {found.course} by {percent(abs(found.change))}. {advice}"
    )


def _load(b: Benchmark) -> Iterator[Deduction]:
    """Other programs: the share of all cores that they used, and the time for which they kept this one waiting."""
    if not b.conditions:
        yield Deduction(1, "What else ran meanwhile was not recorded. Measure again with this version.")
        return
    if b.background_processes:  # on purpose, and said with the figure
        return
    others = _mean([c.other_cpu_share for c in b.conditions])
    if others is not None and (steps := _graded(others, (0.1, 0.3))):
        yield Deduction(steps, f"Other programs used {percent(others, 0)} of the processor meanwhile. {QUIET}")
    waited = _waited(b.conditions, b.threads)
    if waited is not None and (steps := _graded(waited, (0.02, 0.1, 0.3))):
        yield Deduction(steps, f"For {percent(waited, 0)} of the time it waited for a core that others held. {QUIET}")


def _waited(conditions: Sequence[Conditions], threads: int) -> float | None:
    known = [(c.run_queue_wait_s, c.wall_s) for c in conditions if c.run_queue_wait_s is not None]
    wall = math.fsum(w for _, w in known) * threads
    return math.fsum(s for s, _ in known) / wall if wall > 0 else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None


def _timer(b: Benchmark) -> Iterator[Deduction]:
    """The smallest step of the clock as a share of one run: more than 1, 5, 20 %."""
    if b.timer_resolution_s is None:
        return
    share = b.timer_resolution_s / median(b.steady_s) if median(b.steady_s) > 0 else math.inf
    if steps := _graded(share, (0.01, 0.05, 0.2)):
        yield Deduction(steps, f"The clock's smallest step is {percent(share, 0)} of a run. Time a larger batch.")


def _throttling(b: Benchmark) -> Iterator[Deduction]:
    events = sum(c.throttles or 0 for c in b.conditions)
    if events:
        yield Deduction(2, f"Cores were slowed {events} times for their heat. Let the machine cool, and measure again.")
    clocks = [c.mhz for c in b.conditions if c.mhz is not None]
    if clocks and (fell := 1 - min(clocks) / median(clocks)) > 0.1:
        yield Deduction(1, f"The clock of the cores fell by {percent(fell, 0)} meanwhile. Set the governor to performance.")


LOOKS: tuple[Callable[[Benchmark], Iterator[Deduction]], ...] = (
    _spread, _starts, _outliers, _warmup, _drifted, _load, _timer, _throttling,
)  # fmt: skip
"""What a grade rests on."""
