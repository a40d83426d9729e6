"""`benchmark`: subjects timed side by side, each in processes of its own, in blocks that take turns."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

from udacisense.benchmark.cpu_load import BackgroundLoad
from udacisense.benchmark.interleave import Interleaver, attempt
from udacisense.benchmark.protocol import TimingProtocol, get_protocol
from udacisense.benchmark.shared_imports import SharedImports
from udacisense.benchmark.subject_run import RunContext, Setting, SubjectRun
from udacisense.benchmark.system_monitor import MachineWatch
from udacisense.benchmark.worker_client import CHILD
from udacisense.errors import MeasureError
from udacisense.processes.locks import heavy_work
from udacisense.progress import part
from udacisense.provenance import usable_cores
from udacisense.ranges import BATCH, BUSY, THREADS
from udacisense.settings import settings
from udacisense.types import Benchmark, Checkpoint, Subject

OnFailure = Callable[[Subject, MeasureError], None]


def benchmark(
    subjects: Sequence[Subject],
    protocol: TimingProtocol | None = None,
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
        batches: each subject is timed with each of these numbers of images a run.
        busy: besides the quiet run, repeat it beside this many processes that keep cores busy.
        cpus: pin every timed process to these cores; by default to as many as it has threads, the same for all subjects.
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
    machine = heavy_work(f"timing {len(unique)} files", seeded=False, alone=True)
    with machine, BackgroundLoad(busy) as load, SharedImports() as shared:
        known = tuple(s for s in unique if isinstance(s, Checkpoint))
        around = RunContext(plan, child, MachineWatch(), load, shared, found[0], pinned, known)
        records = run.measure([(s, setting) for setting in found for s in unique], around)
    for subject, failure in run.failures:
        if on_failure is not None:
            on_failure(subject, failure)
    if on_failure is None and run.failures:
        raise MeasureError(_failed(run.failures, records)) from run.failures[0][1]
    return records


def _settings(threads: Sequence[int], batches: Sequence[int], busy: int) -> tuple[Setting, ...]:
    """Every combination, each once, the plainest first."""
    THREADS.check(*threads)
    BATCH.check(*batches)
    BUSY.check(busy)
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


def _command(
    subjects: Sequence[Subject], protocol: TimingProtocol, found: Sequence[Setting], cpus: tuple[int, ...] | None
) -> str:
    """The command line that makes the run again; what is as usual is left out."""
    words = ["python -m udacisense benchmark", *(s.id for s in subjects), f"--protocol {protocol.name}"]
    lists = {"threads": {s.threads for s in found}, "batch": {s.batch for s in found}, "cpus": set(cpus or ())}
    for option, values in lists.items():
        if values and (values != {1} or option == "cpus"):
            words.append(f"--{option} {','.join(map(str, sorted(values)))}")
    if found[-1].background_processes:
        words.append(f"--busy {found[-1].background_processes}")
    return " ".join(words)


class _Run:
    """All subjects in turns, or one after the other where the protocol says "alone"; failures are noted meanwhile."""

    def __init__(self, protocol: TimingProtocol, command: str) -> None:
        self.protocol, self.command = protocol, command
        self.failures: list[tuple[Subject, MeasureError]] = []

    def measure(self, wanted: Sequence[tuple[Subject, Setting]], around: RunContext) -> tuple[Benchmark, ...]:
        """Measure and save everything; subjects that fail are noted and left out."""
        groups = [wanted] if self.protocol.order == "turns" else [[one] for one in wanted]
        found: list[Benchmark] = []
        for i, group in enumerate(groups):
            with part(i / len(groups), (i + 1) / len(groups)):
                subject_runs = self._subject_runs(group, around)
                found += Interleaver(self.protocol, self.command, self._note).measure(subject_runs)
        return tuple(found)

    def _subject_runs(self, group: Sequence[tuple[Subject, Setting]], around: RunContext) -> list[SubjectRun]:
        subject_runs: list[SubjectRun] = []
        for subject, setting in group:
            attempt(subject, partial(_add, subject_runs, subject, setting, around), self._note)
        return subject_runs

    def _note(self, subject: Subject, error: MeasureError) -> None:
        self.failures.append((subject, error))


def _add(subject_runs: list[SubjectRun], subject: Subject, setting: Setting, around: RunContext) -> None:
    subject_run = SubjectRun(subject, setting, around)
    subject_run.check()
    subject_runs.append(subject_run)


def _failed(failures: Sequence[tuple[Subject, MeasureError]], records: Sequence[Benchmark]) -> str:
    kept = f" The other {len(records)} were measured and saved." if records else ""
    return " ".join(dict.fromkeys(str(failure) for _, failure in failures)) + kept
