"""`benchmark`: subjects timed side by side, each in a process of its own, in blocks that take turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from udacisense import store
from udacisense.artifacts import subject_format
from udacisense.benchmark.protocol import STANDARD, Protocol
from udacisense.benchmark.remarks import competing_load, remarks
from udacisense.benchmark.worker import CHILD, Worker
from udacisense.errors import MeasureError, NotFoundError, UdaciSenseError
from udacisense.labels import CLASSES, INPUT_PX
from udacisense.models.checkpoint import find_checkpoint
from udacisense.progress import report
from udacisense.provenance import here
from udacisense.settings import settings
from udacisense.types import Benchmark, Checkpoint, Format, Provenance, Subject

OnFailure = Callable[[Subject, MeasureError], None]


@dataclass(slots=True)
class _Turn:
    """One subject of the run: its process, and what was measured so far."""

    subject: Subject
    format: Format
    input_px: tuple[int, int]
    classes: int
    worker: Worker
    opened: dict[str, Any] = field(default_factory=dict)
    warmup: dict[str, Any] = field(default_factory=dict)
    blocks: list[tuple[float, ...]] = field(default_factory=list)

    def has_enough(self, protocol: Protocol) -> bool:
        times = [s for block in self.blocks for s in block]
        return len(times) >= protocol.min_runs and math.fsum(times) >= protocol.min_s


def benchmark(
    subjects: Sequence[Subject],
    protocol: Protocol = STANDARD,
    *,
    on_failure: OnFailure | None = None,
    child: Sequence[str] = CHILD,
) -> tuple[Benchmark, ...]:
    """Time the subjects side by side; each record is saved as soon as its subject is done.

    Args:
        on_failure: told of each subject that could not be timed, while the others go on. Without it the first failure is
            raised, after the others are measured and saved.
        child: the command line of the process that is timed.

    Raises:
        MeasureError: no subject was given, or (without `on_failure`) one could not be timed.
    """
    if not subjects:
        raise MeasureError("There is nothing to time. Name at least one checkpoint or artifact.")
    unique = list({s.id: s for s in subjects}.values())
    run = _Run(unique, protocol, child)
    records = run.measure()
    for subject, failure in run.failures:
        if on_failure is not None:
            on_failure(subject, failure)
    if on_failure is None and run.failures:
        raise MeasureError(_failed(run.failures, records)) from run.failures[0][1]
    return records


class _Run:
    """One interleaved run."""

    def __init__(self, subjects: Sequence[Subject], protocol: Protocol, child: Sequence[str]) -> None:
        self.subjects, self.protocol, self.child = subjects, protocol, child
        self.failures: list[tuple[Subject, MeasureError]] = []
        self.run_id = store.new_id("run")
        self.rounds = 0

    def measure(self) -> tuple[Benchmark, ...]:
        """Open, warm up, take turns, finish: all subjects, the failed ones left out."""
        load = competing_load()
        made = here(f"python -m udacisense benchmark {' '.join(s.id for s in self.subjects)} --protocol {self.protocol.name}")
        with ExitStack() as stack:
            turns = self._each(self.subjects, "loading", 0.0, 0.15, lambda s: self._open(s, stack))
            turns = self._each(turns, "warming up", 0.15, 0.3, self._warm_up)
            turns = self._take_turns(turns)
            return tuple(self._each(turns, "writing", 0.97, 1.0, lambda turn: self._finish(turn, made, load)))

    def _each(self, items: Sequence[Any], stage: str, start: float, end: float, work: Callable[[Any], Any]) -> list[Any]:
        """`work` on each item in turn; an item that fails is noted and left out."""
        done = []
        for i, item in enumerate(items):
            subject = item.subject if isinstance(item, _Turn) else item
            report(start + (end - start) * i / len(items), f"{stage} {subject.id}")
            try:
                done.append(work(item))
            except MeasureError as exc:
                self.failures.append((subject, exc))
            except UdaciSenseError as exc:
                self.failures.append((subject, MeasureError(f"{subject.id} could not be timed: {exc}")))
        return done

    def _open(self, subject: Subject, stack: ExitStack) -> _Turn:
        fmt = subject_format(subject)
        reason = fmt.unavailable("run")
        if reason is not None:
            raise MeasureError(f"{subject.id} cannot be timed here: {reason}")
        if store.sha256_of(subject.path) != subject.sha256:
            raise MeasureError(f"{subject.path} changed since its record was made. Convert it again, or pick it by its path.")
        input_px, classes = _shape(subject)
        worker = stack.enter_context(Worker(subject.id, self.protocol.threads, self.protocol.step_timeout_s, self.child))
        opened = worker.ask(
            "open",
            format=fmt.name,
            path=str(subject.path),
            threads=self.protocol.threads,
            batch=self.protocol.batch,
            input_px=input_px,
            classes=classes,
            seed=settings().seed,
        )
        return _Turn(subject, fmt, input_px, classes, worker, opened)

    def _warm_up(self, turn: _Turn) -> _Turn:
        p = self.protocol
        turn.warmup = turn.worker.ask("warm", window=p.warmup_window, tolerance=p.warmup_tolerance, seconds=p.warmup_max_s)
        return turn

    def _take_turns(self, turns: list[_Turn]) -> list[_Turn]:
        """Rounds of one block each, every second round in reverse order, until all have enough."""
        p = self.protocol
        while turns and self.rounds < p.max_rounds:
            if self.rounds >= p.rounds and all(t.has_enough(p) for t in turns):
                break
            share = min(self.rounds / p.rounds, 1.0)
            stage = f"round {self.rounds + 1} of {max(p.rounds, self.rounds + 1)}:"
            alive = self._each(turns, stage, 0.3 + 0.67 * share, 0.3 + 0.67 * min(share + 1 / p.rounds, 1.0), self._block)
            turns = alive[::-1]
            self.rounds += 1
        order = [s.id for s in self.subjects]
        return sorted(turns, key=lambda t: order.index(t.subject.id))

    def _block(self, turn: _Turn) -> _Turn:
        p = self.protocol
        answer = turn.worker.ask("block", seconds=p.block_s, runs=2, settle=p.settle_runs)
        turn.blocks.append(tuple(answer["times"]))
        return turn

    def _finish(self, turn: _Turn, made: Provenance, load: float | None) -> Benchmark:
        p, s = self.protocol, turn.subject
        end = turn.worker.ask("finish", input_px=turn.input_px, seed=made.seed, preprocess_runs=p.preprocess_runs)
        turn.worker.close()
        record = Benchmark(
            id=store.new_id(f"bench-{s.id}"),
            run_id=self.run_id,
            subject_id=s.id,
            subject_sha256=s.sha256,
            runtime=turn.format.runtime,
            runtime_version=turn.format.runtime_version(),
            threads=p.threads,
            batch=p.batch,
            input_px=turn.input_px,
            import_s=turn.opened["import_s"],
            load_s=turn.opened["load_s"],
            first_s=turn.opened["first_s"],
            warmup_s=tuple(turn.warmup["times"]),
            blocks_s=tuple(turn.blocks),
            preprocess_s=tuple(end["preprocess_s"]),
            rss_before_bytes=turn.opened["rss_before_bytes"],
            peak_rss_bytes=end["peak_rss_bytes"],
            size_bytes=s.size_bytes,
            made=made,
            warnings=remarks(turn.blocks, p, stable=turn.warmup["stable"], enough=turn.has_enough(p), load=load),
        )
        store.save(record)
        return record


def _shape(subject: Subject) -> tuple[tuple[int, int], int]:
    """Input size and number of classes: the checkpoint's, or the house's where it is not here any more."""
    try:
        checkpoint = subject if isinstance(subject, Checkpoint) else find_checkpoint(subject.checkpoint_id)
    except NotFoundError:
        return INPUT_PX, len(CLASSES)
    return checkpoint.input_px, len(checkpoint.classes)


def _failed(failures: Sequence[tuple[Subject, MeasureError]], records: Sequence[Benchmark]) -> str:
    kept = f" The other {len(records)} were measured and saved." if records else ""
    return " ".join(str(failure) for _, failure in failures) + kept
