"""Interleaved timing of several subjects: started as often as the protocol asks, in turns, each saved when done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from udacisense.benchmark import partial_results
from udacisense.benchmark.protocol import TimingProtocol
from udacisense.benchmark.subject_run import SubjectRun
from udacisense.errors import MeasureError, UdaciSenseError
from udacisense.progress import part, report
from udacisense.provenance import here
from udacisense.records import store
from udacisense.types import Benchmark, Subject

Failed = Callable[[Subject, MeasureError], None]
KEEP_S = 10.0
"""At most so many seconds of blocks are lost when a run is killed."""


def attempt(subject: Subject, work: Callable[[], None], failed: Failed) -> MeasureError | None:
    """Do `work` of a subject; the error with which it failed, which `failed` was told of."""
    try:
        work()
    except MeasureError as exc:
        error = exc
    except UdaciSenseError as exc:
        error = MeasureError(f"{subject.id} could not be timed: {exc}")
        error.__cause__ = exc
    else:
        return None
    failed(subject, error)
    return error


class Interleaver:
    """One run: of each start the processes of all subjects live at the same time, so their records may be compared."""

    def __init__(self, protocol: TimingProtocol, command: str, failed: Failed) -> None:
        self.protocol, self.failed = protocol, failed
        self.run_id, self.made = store.new_id("run"), here(command)
        self._saved: dict[SubjectRun, Benchmark] = {}
        self._kept_at = time.monotonic()

    def measure(self, subject_runs: Sequence[SubjectRun]) -> list[Benchmark]:
        """The records of all that did not fail, in the order given; every second start goes in reverse order."""
        left, asked = list(subject_runs), self.protocol.starts
        for number in range(asked):
            stage = f"start {number + 1} of {asked}, " if asked > 1 else ""
            with part(number / asked, (number + 1) / asked, stage), ExitStack() as stack:
                left = self._start(left, stack, last=number + 1 == asked)[::-1]
        return [self._saved[subject_run] for subject_run in subject_runs if subject_run in self._saved]

    def _start(self, subject_runs: list[SubjectRun], stack: ExitStack, last: bool) -> list[SubjectRun]:
        """One start of each, from opening its process to ending it."""
        subject_runs = self._each(subject_runs, "loading", lambda subject_run: subject_run.open(stack), 0.0, 0.15)
        subject_runs = self._each(subject_runs, "warming up", SubjectRun.warm_up, 0.15, 0.25)
        subject_runs = self._rounds(subject_runs, 0.25, 0.85)
        subject_runs = self._each(subject_runs, "reading the memory of", SubjectRun.read_memory, 0.85, 0.86)
        subject_runs = self._whole_way(subject_runs, 0.86, 0.96)
        return self._each(subject_runs, "ending", self._save if last else self._end, 0.96, 1.0)

    def _rounds(self, subject_runs: list[SubjectRun], start: float, end: float) -> list[SubjectRun]:
        """Rounds of one block each, every second round in reverse order, until each start has its share."""
        p, done = self.protocol, 0
        order = list(subject_runs)
        while subject_runs and done < p.max_rounds and (done < p.rounds or not all(t.has_share() for t in subject_runs)):
            share = min(done / p.rounds, 1.0), min((done + 1) / p.rounds, 1.0)
            stage = f"round {done + 1} of {max(p.rounds, done + 1)}:"
            subject_runs = self._each(subject_runs, stage, SubjectRun.block, *(start + (end - start) * s for s in share))[::-1]
            done += 1
            self._keep(subject_runs)
        return sorted(subject_runs, key=order.index)

    def _whole_way(self, subject_runs: list[SubjectRun], start: float, end: float) -> list[SubjectRun]:
        order, rounds = list(subject_runs), self.protocol.whole_rounds
        for i in range(rounds):
            places = (start + (end - start) * (i + n) / rounds for n in (0, 1))
            subject_runs = self._each(subject_runs, "from the image's file:", SubjectRun.whole, *places)[::-1]
        return sorted(subject_runs, key=order.index)

    def _end(self, subject_run: SubjectRun) -> None:
        subject_run.close()
        partial_results.keep(subject_run, self.run_id, self.made)

    def _save(self, subject_run: SubjectRun) -> None:
        record = subject_run.record(self.run_id, self.made, subject_run.finish())
        subject_run.close()
        store.save(record)
        self._saved[subject_run] = record
        partial_results.forget(subject_run, self.run_id)

    def _keep(self, subject_runs: Sequence[SubjectRun]) -> None:
        if time.monotonic() - self._kept_at < KEEP_S:
            return
        for subject_run in subject_runs:
            partial_results.keep(subject_run, self.run_id, self.made)
        self._kept_at = time.monotonic()

    def _each(
        self, subject_runs: Sequence[SubjectRun], stage: str, work: Callable[[SubjectRun], None], start: float, end: float
    ) -> list[SubjectRun]:
        """`work` on each subject; one that fails is told of, written down as unfinished, and left out of the answer."""
        done = []
        for i, subject_run in enumerate(subject_runs):
            report(start + (end - start) * i / len(subject_runs), f"{stage} {subject_run.name}")
            error = attempt(subject_run.subject, partial(work, subject_run), self.failed)
            if error is None:
                done.append(subject_run)
            else:
                partial_results.keep(subject_run, self.run_id, self.made, str(error))
        return done
