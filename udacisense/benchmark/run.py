"""`benchmark`: subjects timed side by side, each in a process of its own, in blocks that take turns."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import product
from typing import TypeVar

from udacisense import store
from udacisense.benchmark.busy import Neighbours
from udacisense.benchmark.protocol import Protocol, get_protocol
from udacisense.benchmark.queueing import alone_on_the_machine
from udacisense.benchmark.turn import Setting, Surroundings, Turn
from udacisense.benchmark.watch_machine import MachineWatch
from udacisense.benchmark.worker import CHILD
from udacisense.errors import MeasureError, UdaciSenseError
from udacisense.progress import part, report
from udacisense.provenance import here, usable_cores
from udacisense.settings import settings
from udacisense.types import Benchmark, Provenance, Subject

T = TypeVar("T")
OnFailure = Callable[[Subject, MeasureError], None]


def benchmark(
    subjects: Sequence[Subject],
    protocol: Protocol | None = None,
    *,
    threads: Sequence[int] = (),
    batches: Sequence[int] = (1,),
    busy: int = 0,
    cpus: Sequence[int] = (),
    on_failure: OnFailure | None = None,
    child: Sequence[str] = CHILD,
) -> tuple[Benchmark, ...]:
    """Time the subjects side by side; each record is saved as soon as its subject is done.

    Args:
        protocol: how long and in what order; the standard one by default.
        threads: each subject is timed with each of these numbers; by default the setting `threads`. 0 = all cores.
        batches: each subject is timed with each of these numbers of pictures a run.
        busy: besides the quiet run, repeat it beside this many processes that keep cores busy.
        cpus: pin every timed process to these cores.
        on_failure: told of each subject that could not be timed, while the others go on. Without it the first failure is
            raised, after the others are measured and saved.
        child: the command line of the process that is timed.

    Raises:
        MeasureError: no subject was given, or (without `on_failure`) one could not be timed.
    """
    if not subjects:
        raise MeasureError("There is nothing to time. Name at least one checkpoint or artifact.")
    unique = list({s.id: s for s in subjects}.values())
    found = _settings(threads, batches, busy)
    pinned = _checked(cpus)
    plan = protocol or get_protocol()
    run = _Run(plan, _command(unique, plan, found, pinned))
    with alone_on_the_machine(f"timing {len(unique)} files"), Neighbours(busy) as neighbours:
        around = Surroundings(plan, child, MachineWatch(), neighbours, found[0], pinned)
        records = run.measure([(s, setting) for setting in found for s in unique], around)
    for subject, failure in run.failures:
        if on_failure is not None:
            on_failure(subject, failure)
    if on_failure is None and run.failures:
        raise MeasureError(_failed(run.failures, records)) from run.failures[0][1]
    return records


def _settings(threads: Sequence[int], batches: Sequence[int], busy: int) -> tuple[Setting, ...]:
    """Every combination, each once, the plainest first."""
    numbers = sorted({usable_cores() if n == 0 else n for n in threads} or {settings().threads})
    levels = sorted({0, busy})
    return tuple(Setting(t, b, n) for n, t, b in product(levels, numbers, sorted(set(batches))))


def _checked(cpus: Sequence[int]) -> tuple[int, ...] | None:
    if not cpus:
        return None
    if not hasattr(os, "sched_setaffinity"):
        raise MeasureError("This system does not let a process be pinned to cores. Leave --cpus out.")
    usable = os.sched_getaffinity(0)
    if not set(cpus) <= usable:
        raise MeasureError(f"Cores {sorted(set(cpus) - usable)} are not there. Pick from {sorted(usable)}.")
    return tuple(sorted(set(cpus)))


def _command(subjects: Sequence[Subject], protocol: Protocol, found: Sequence[Setting], cpus: tuple[int, ...] | None) -> str:
    """The command line that makes the run again; what is as usual is left out."""
    words = ["python -m udacisense benchmark", *(s.id for s in subjects), f"--protocol {protocol.name}"]
    lists = {"threads": {s.threads for s in found}, "batch": {s.batch for s in found}, "cpus": set(cpus or ())}
    for option, values in lists.items():
        if values and (values != {1} or option == "cpus"):
            words.append(f"--{option} {','.join(map(str, sorted(values)))}")
    if found[-1].beside:
        words.append(f"--busy {found[-1].beside}")
    return " ".join(words)


class _Run:
    """One run: all subjects in turns, or one after the other where the protocol says "alone"."""

    def __init__(self, protocol: Protocol, command: str) -> None:
        self.protocol, self.command = protocol, command
        self.failures: list[tuple[Subject, MeasureError]] = []

    def measure(self, wanted: Sequence[tuple[Subject, Setting]], around: Surroundings) -> tuple[Benchmark, ...]:
        """Measure and save everything; subjects that fail are noted and left out."""
        groups = [wanted] if self.protocol.order == "turns" else [[one] for one in wanted]
        found: list[Benchmark] = []
        for i, group in enumerate(groups):
            with part(i / len(groups), (i + 1) / len(groups)):
                found += self._measure_group(group, around)
        return tuple(found)

    def _measure_group(self, group: Sequence[tuple[Subject, Setting]], around: Surroundings) -> list[Benchmark]:
        """Turns that share a run: they are open at the same time, and their records may be compared."""
        made, run_id = here(self.command), store.new_id("run")
        made_turns = [self._attempt(subject, partial(_checked_turn, subject, setting, around)) for subject, setting in group]
        turns = [turn for turn in made_turns if turn is not None]
        with ExitStack() as stack, part(0.0, 1.0):
            turns = self._each(turns, "loading", lambda turn: self._open(turn, stack), 0.0, 0.15)
            turns = self._each(turns, "warming up", Turn.warm_up, 0.15, 0.25)
            turns = self._rounds(turns, Turn.block, 0.25, 0.85)
            turns = self._each(turns, "reading the memory of", Turn.read_memory, 0.85, 0.86)
            turns = self._whole_way(turns)
            turns = self._each(turns, "ending", Turn.finish, 0.96, 0.99)
            saved = [self._attempt(turn.subject, partial(_saved, turn, run_id, made)) for turn in turns]
        return [record for record in saved if record is not None]

    def _open(self, turn: Turn, stack: ExitStack) -> None:
        first = turn.setting == turn.around.usual
        for _ in range(self.protocol.cold_starts - 1 if first else 0):
            turn.start_cold()
        turn.open(stack)

    def _rounds(self, turns: list[Turn], work: Callable[[Turn], None], start: float, end: float) -> list[Turn]:
        """Rounds of one block each, every second round in reverse order, until all have enough."""
        p, done = self.protocol, 0
        order = list(turns)
        while turns and done < p.max_rounds and (done < p.rounds or not all(t.has_enough() for t in turns)):
            share = min(done / p.rounds, 1.0), min((done + 1) / p.rounds, 1.0)
            stage = f"round {done + 1} of {max(p.rounds, done + 1)}:"
            turns = self._each(turns, stage, work, *(start + (end - start) * s for s in share))[::-1]
            done += 1
        return sorted(turns, key=order.index)

    def _whole_way(self, turns: list[Turn]) -> list[Turn]:
        order, rounds = list(turns), self.protocol.whole_rounds
        for i in range(rounds):
            place = (0.86 + 0.1 * i / rounds, 0.86 + 0.1 * (i + 1) / rounds)
            turns = self._each(turns, "from the picture's file:", Turn.whole, *place)[::-1]
        return sorted(turns, key=order.index)

    def _each(self, turns: Sequence[Turn], stage: str, work: Callable[[Turn], None], start: float, end: float) -> list[Turn]:
        """`work` on each turn; one that fails is noted and left out of the answer."""
        done = []
        for i, turn in enumerate(turns):
            report(start + (end - start) * i / len(turns), f"{stage} {turn.name}")
            if self._attempt(turn.subject, partial(_done, work, turn)):
                done.append(turn)
        return done

    def _attempt(self, subject: Subject, work: Callable[[], T]) -> T | None:
        """The answer of `work`, None where it failed, which is noted."""
        try:
            return work()
        except MeasureError as exc:
            self.failures.append((subject, exc))
        except UdaciSenseError as exc:
            self.failures.append((subject, MeasureError(f"{subject.id} could not be timed: {exc}")))
        return None


def _done(work: Callable[[Turn], None], turn: Turn) -> bool:
    work(turn)
    return True


def _checked_turn(subject: Subject, setting: Setting, around: Surroundings) -> Turn:
    turn = Turn(subject, setting, around)
    turn.check()
    return turn


def _saved(turn: Turn, run_id: str, made: Provenance) -> Benchmark:
    record = turn.record(run_id, made)
    store.save(record)
    return record


def _failed(failures: Sequence[tuple[Subject, MeasureError]], records: Sequence[Benchmark]) -> str:
    kept = f" The other {len(records)} were measured and saved." if records else ""
    return " ".join(dict.fromkeys(str(failure) for _, failure in failures)) + kept
