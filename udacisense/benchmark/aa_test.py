"""A/A test of the benchmark (`selftest bench`): equal work must compare as equal, 10 % more work as slower.

A comparison is made as a benchmark makes it: each of two subjects is started as often as the standard protocol says, their
blocks take turns, and `compare` judges. The two subjects are processes of one file; both do ten inferences a run, or one does
ten and the other eleven, which is exactly 10 % more of the same work. No start serves in two comparisons of one kind, so each
verdict of a kind is a new try. The kinds share starts, each with blocks of its own: they are counted apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from udacisense.benchmark.compare import Comparison, Speed, compare_starts
from udacisense.benchmark.cpu_load import BackgroundLoad
from udacisense.benchmark.protocol import TimingProtocol, get_protocol
from udacisense.benchmark.replication import one_start
from udacisense.benchmark.shared_imports import SharedImports
from udacisense.benchmark.subject_run import RunContext, Setting, SubjectRun
from udacisense.benchmark.system_monitor import MachineWatch
from udacisense.benchmark.worker_client import CHILD
from udacisense.processes.locks import heavy_work
from udacisense.progress import report
from udacisense.provenance import here
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import AATrial, SelfTest, Subject

CALLS, MORE_CALLS = 10, 11
COMPARISONS = 100

Pair = tuple[SubjectRun, SubjectRun]
Open = Callable[[], AbstractContextManager[Pair]]
"""One start of each of two subjects, warmed up."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of comparison, and how often each verdict may be given."""

    title: str
    asked: str
    fifths: int  # of every five comparisons of a self-test, so many are made of this kind too
    more_work: bool
    busy: bool
    keeps: Callable[[dict[Speed, int]], bool]

    def is_made(self, number: int) -> bool:
        """Whether it is made with the starts of comparison `number`, counted from 0: evenly over the whole self-test."""
        return (number + 1) * self.fifths // 5 > number * self.fifths // 5


KINDS = (
    Kind(
        "The same against itself",
        "At most 5 % of the verdicts may say that one is faster or slower.",
        5,
        more_work=False,
        busy=False,
        keeps=lambda n: n["faster"] + n["slower"] <= 0.05 * sum(n.values()),
    ),
    Kind(
        "10 % more work",
        "At least 95 % of the verdicts must say slower.",
        2,
        more_work=True,
        busy=False,
        keeps=lambda n: n["slower"] >= 0.95 * sum(n.values()),
    ),
    Kind(
        "10 % more work beside a busy core",
        "Every verdict must say slower or not enough evidence.",
        2,
        more_work=True,
        busy=True,
        keeps=lambda n: n["faster"] + n["same"] == 0,
    ),
)


def selftest(
    subject: Subject, *, child: Sequence[str] = CHILD, protocol: TimingProtocol | None = None, comparisons: int = COMPARISONS
) -> SelfTest:
    """Compare a file with itself `comparisons` times, two of five times with more work too, and save what came out.

    Raises:
        MeasureError: the file cannot be timed.
    """
    plan = protocol or get_protocol("selftest")
    less = "" if comparisons == COMPARISONS else f" --comparisons {comparisons}"
    made = here(f"python -m udacisense selftest bench --subject {subject.id}{less}")
    began = time.monotonic()
    machine = heavy_work("the self-test of the benchmark", seeded=False, alone=True)
    with machine, BackgroundLoad(1) as load, SharedImports() as shared:
        around = RunContext(plan, child, MachineWatch(), load, shared)
        pair = _pair(subject, around)
        trials = run_trials(lambda: _opened(pair), plan, comparisons)
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


def _pair(subject: Subject, around: RunContext) -> Pair:
    first, second = (SubjectRun(subject, Setting(settings().threads), around) for _ in range(2))
    first.check()
    return first, second


@contextmanager
def _opened(pair: Pair) -> Iterator[Pair]:
    """One more start of each; both are loaded at once, which nothing times, and warmed up one after the other."""
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda subject_run: subject_run.open(stack), pair))
        for subject_run in pair:
            subject_run.calls = CALLS
            subject_run.warm_up()
        yield pair
        list(pool.map(SubjectRun.close, pair))


def run_trials(opened: Open, plan: TimingProtocol, comparisons: int = COMPARISONS) -> tuple[AATrial, ...]:
    """Every kind of comparison in turn, so that the hours of a machine fall on all kinds alike."""
    found: dict[str, list[Comparison]] = {kind.title: [] for kind in KINDS}
    for number in range(comparisons):
        kinds = [kind for kind in KINDS if kind.is_made(number)]
        logs: dict[str, list[float]] = {kind.title: [] for kind in kinds}
        for start in range(plan.starts):
            place = f"comparison {number + 1} of {comparisons}, start {start + 1} of {plan.starts}"
            report((number + start / plan.starts) / comparisons, place)
            with opened() as pair:
                for kind in kinds:
                    logs[kind.title].append(_start(kind, pair, plan.rounds, more=start % 2))
        for kind in kinds:
            found[kind.title].append(compare_starts(logs[kind.title]))
    return tuple(_trial(kind, found[kind.title]) for kind in KINDS)


def _start(kind: Kind, pair: Pair, rounds: int, more: int) -> float:
    """The log ratio of times of one pair of starts.

    Args:
        more: which of the two takes the part of the subject with more work. The parts change from start to start, so that what
            comes of being opened and timed first cancels, as it does in a benchmark.
    """
    subject_run, against = pair[more], pair[1 - more]
    subject_run.calls, against.calls = MORE_CALLS if kind.more_work else CALLS, CALLS
    order = list(pair)
    for one in order:
        one.blocks.clear()
    with subject_run.around.background_load.working(int(kind.busy)):
        for _ in range(rounds):
            for one in order:
                one.block()
            order.reverse()
    return one_start(subject_run.blocks, against.blocks)


def _trial(kind: Kind, comparisons: Iterable[Comparison]) -> AATrial:
    made = tuple(comparisons)
    counts: dict[Speed, int] = {"faster": 0, "slower": 0, "same": 0, "unknown": 0}
    for comparison in made:
        counts[comparison.speed] += 1
    estimates = [c.ratio for c in made if c.ratio is not None]
    return AATrial(
        kind.title,
        kind.asked,
        **counts,
        ratios=tuple(round(e.value, 5) for e in estimates),
        intervals=tuple((round(e.low, 5), round(e.high, 5)) for e in estimates),
        passed=kind.keeps(counts),
    )
