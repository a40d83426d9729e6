"""`selftest bench`: does the benchmark call the same the same, and 10 % more work slower, on this very machine?

Three processes of one file: two do ten inferences a run, the third eleven, which is exactly 10 % more of the same work. They
are compared again and again as subjects of a benchmark are: in blocks that take turns, judged by `compare`. Every ten
comparisons the processes are replaced, because two processes of one file differ a little for as long as they live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from udacisense import store
from udacisense.benchmark.busy import Neighbours
from udacisense.benchmark.compare import Comparison, Speed, compare_blocks
from udacisense.benchmark.protocol import Protocol, get_protocol
from udacisense.benchmark.queueing import alone_on_the_machine
from udacisense.benchmark.turn import Setting, Surroundings, Turn
from udacisense.benchmark.watch_machine import MachineWatch
from udacisense.benchmark.worker import CHILD
from udacisense.progress import report
from udacisense.provenance import here
from udacisense.settings import settings
from udacisense.types import SelfTest, Subject, Trial

CALLS, MORE_CALLS = 10, 11
TRIOS = 10

Trio = tuple[Turn, Turn, Turn]
"""Two of the same work, then the one with more of it."""
Open = Callable[[ExitStack], Trio]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of comparison: how often a trio makes it, against whom, and how often each verdict may be given."""

    title: str
    asked: str
    each: int  # comparisons of one trio
    more_work: bool
    busy: bool
    keeps: Callable[[dict[Speed, int]], bool]


KINDS = (
    Kind(
        "The same against itself",
        "At most 5 % of the verdicts may say that one is faster or slower.",
        10,
        more_work=False,
        busy=False,
        keeps=lambda n: n["faster"] + n["slower"] <= 0.05 * sum(n.values()),
    ),
    Kind(
        "10 % more work",
        "At least 95 % of the verdicts must say slower.",
        4,
        more_work=True,
        busy=False,
        keeps=lambda n: n["slower"] >= 0.95 * sum(n.values()),
    ),
    Kind(
        "10 % more work beside a busy core",
        "Every verdict must say slower or not enough evidence.",
        4,
        more_work=True,
        busy=True,
        keeps=lambda n: n["faster"] + n["same"] == 0,
    ),
)


def selftest(
    subject: Subject, *, child: tuple[str, ...] = CHILD, protocol: Protocol | None = None, trios: int = TRIOS
) -> SelfTest:
    """Compare a file with itself 180 times (18 times a trio), and save what came out.

    Raises:
        MeasureError: the file cannot be timed.
    """
    plan = protocol or get_protocol("selftest")
    made = here(f"python -m udacisense selftest bench --subject {subject.id}")
    began = time.monotonic()
    with alone_on_the_machine("the self-test of the benchmark"), Neighbours(1) as neighbours:
        around = Surroundings(plan, child, MachineWatch(), neighbours)
        trials = run_trials(lambda stack: _open(subject, around, stack), plan.rounds, trios)
    record = SelfTest(
        id=store.new_id("selftest-bench"),
        subject_id=subject.id,
        subject_sha256=subject.sha256,
        protocol=plan.model_dump(),
        trials=trials,
        seconds=time.monotonic() - began,
        passed=all(t.passed for t in trials),
        made=made,
    )
    store.save(record)
    return record


def _open(subject: Subject, around: Surroundings, stack: ExitStack) -> Trio:
    found = [Turn(subject, Setting(settings().threads), around, calls) for calls in (CALLS, CALLS, MORE_CALLS)]
    for turn in found:
        turn.check()
        turn.open(stack)
        turn.warm_up()
    return found[0], found[1], found[2]


def run_trials(open_trio: Open, rounds: int, trios: int = TRIOS) -> tuple[Trial, ...]:
    """Every kind of comparison, by trio after trio, so that the hours of a machine fall on all kinds alike."""
    found: list[list[Comparison]] = [[] for _ in KINDS]
    for number in range(trios):
        with ExitStack() as stack:
            report(number / trios, f"processes {number + 1} of {trios}: loading")
            first, second, more = open_trio(stack)
            for place, kind in enumerate(KINDS):
                report((number + place / len(KINDS)) / trios, f"processes {number + 1} of {trios}: {kind.title.lower()}")
                other = more if kind.more_work else second
                found[place] += [_compare(other, first, rounds, kind.busy) for _ in range(kind.each)]
    return tuple(_trial(kind, comparisons) for kind, comparisons in zip(KINDS, found, strict=True))


def _compare(turn: Turn, against: Turn, rounds: int, busy: bool) -> Comparison:
    """One comparison of two subjects that are open already."""
    for one in (turn, against):
        one.blocks.clear()
    with turn.around.neighbours.working(int(busy)):
        pair = [turn, against]
        for _ in range(rounds):
            for one in pair:
                one.block()
            pair.reverse()
    return compare_blocks(turn.blocks, against.blocks)


def _trial(kind: Kind, comparisons: Iterable[Comparison]) -> Trial:
    made = tuple(comparisons)
    counts: dict[Speed, int] = {"faster": 0, "slower": 0, "same": 0, "unknown": 0}
    for comparison in made:
        counts[comparison.speed] += 1
    ratios = tuple(round(c.ratio.value, 5) for c in made if c.ratio is not None)
    return Trial(kind.title, kind.asked, **counts, ratios=ratios, passed=kind.keeps(counts))
