"""One subject under one setting: its timed process, the steps of a run, and the record that comes out."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from udacisense import store
from udacisense.artifacts import subject_format
from udacisense.benchmark import page_cache
from udacisense.benchmark.busy import Neighbours
from udacisense.benchmark.protocol import Protocol
from udacisense.benchmark.remarks import remarks
from udacisense.benchmark.watch_machine import MachineWatch
from udacisense.benchmark.worker import Worker
from udacisense.errors import MeasureError, NotFoundError
from udacisense.labels import CLASSES, INPUT_PX
from udacisense.models.checkpoint import find_checkpoint
from udacisense.settings import settings
from udacisense.types import Benchmark, Checkpoint, Conditions, Provenance, Start, Subject


@dataclass(frozen=True, slots=True)
class Setting:
    """Under what one subject is timed."""

    threads: int = 1
    batch: int = 1
    beside: int = 0  # busy processes while a block runs

    def __post_init__(self) -> None:
        if self.threads < 1 or self.batch < 1 or self.beside < 0:
            raise MeasureError(f"Threads and batch must be at least 1, busy processes at least 0; got {self.words}. Mend that.")

    @property
    def words(self) -> str:
        """The setting as people say it."""
        beside = f", {self.beside} busy beside" if self.beside else ""
        return f"{self.threads} thread{'s' * (self.threads != 1)}, batch {self.batch}{beside}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all turns of a run share."""

    protocol: Protocol
    child: Sequence[str]  # command line of the timed process
    watch: MachineWatch
    neighbours: Neighbours
    usual: Setting = Setting()  # the plainest of the run
    cpus: tuple[int, ...] | None = None  # pin every timed process to these


class Turn:
    """Opens, warms up, times and describes one subject; every step raises MeasureError where it fails."""

    def __init__(self, subject: Subject, setting: Setting, around: Surroundings, calls: int = 1) -> None:
        self.subject, self.setting, self.around, self.calls = subject, setting, around, calls
        self.format = subject_format(subject)
        self.input_px, self.classes = _shape(subject)
        self.starts: list[Start] = []
        self.blocks: list[tuple[float, ...]] = []
        self.conditions: list[Conditions] = []
        self.whole_blocks: list[tuple[float, ...]] = []
        self.warmup: dict[str, Any] = {}
        self.end: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The subject, and its setting where that is not the usual."""
        return self.subject.id if self.setting == self.around.usual else f"{self.subject.id} ({self.setting.words})"

    def check(self) -> None:
        """Raise MeasureError where the subject cannot be timed at all."""
        reason = self.format.unavailable("run")
        if reason is not None:
            raise MeasureError(f"{self.subject.id} cannot be timed here: {reason}")
        if store.sha256_of(self.subject.path) != self.subject.sha256:
            raise MeasureError(
                f"{self.subject.path} changed since its record was made. Convert it again, or pick it by its path."
            )

    def start_cold(self) -> None:
        """Start the subject once in a process of its own and end that: one more figure for its start."""
        with ExitStack() as stack:
            self.open(stack)

    def open(self, stack: ExitStack) -> None:
        """Start the timed process and load the file; the process ends with `stack`."""
        p = self.around.protocol
        cached = page_cache.drop(self.subject.path)
        began = time.perf_counter()
        worker = Worker(self.name, self.setting.threads, p.step_timeout_s, self.around.child)
        self.worker = stack.enter_context(worker)
        worker.ask("hello")
        process_s = time.perf_counter() - began
        self.opened = worker.ask(
            "open",
            format=self.format.name,
            path=str(self.subject.path),
            threads=self.setting.threads,
            batch=self.setting.batch,
            input_px=self.input_px,
            classes=self.classes,
            seed=settings().seed,
            cpus=self.around.cpus,
            calls=self.calls,
        )
        found = self.opened
        self.starts.append(Start(process_s, found["import_s"], found["load_s"], found["first_s"], cached))

    def warm_up(self) -> None:
        """Run until the times are stable, or the protocol's time for it is over."""
        p = self.around.protocol
        with self.around.neighbours.working(self.setting.beside):
            self.warmup = self.worker.ask("warm", window=p.warmup_window, tolerance=p.warmup_tolerance, seconds=p.warmup_max_s)

    def block(self) -> None:
        """Time one block of runs."""
        p = self.around.protocol
        with self.around.neighbours.working(self.setting.beside):
            answer, conditions = self.around.watch.block(
                lambda: self.worker.ask("block", seconds=p.block_s, runs=p.block_runs, settle=p.settle_runs, load_s=p.load_s)
            )
        self.blocks.append(tuple(round(s, 8) for s in answer["times"]))
        self.conditions.append(conditions)

    def read_memory(self) -> None:
        """Read the peak of memory, before anything but inference was done in the process."""
        self.end |= self.worker.ask("memory")

    def whole(self) -> None:
        """Time one block of the whole way, from a picture's bytes to logits."""
        with self.around.neighbours.working(self.setting.beside):
            answer = self.worker.ask(
                "whole", input_px=self.input_px, seed=settings().seed, seconds=self.around.protocol.whole_s
            )
        self.whole_blocks.append(tuple(answer["times"]))

    def finish(self) -> None:
        """Take the last figures and end the process."""
        p = self.around.protocol
        self.end |= self.worker.ask("finish", input_px=self.input_px, seed=settings().seed, preprocess_runs=p.preprocess_runs)
        self.worker.close()

    def has_enough(self) -> bool:
        """Whether the protocol's runs and seconds are reached."""
        p = self.around.protocol
        recorded = math.fsum(s for block in self.blocks for s in block)
        runs = sum(map(len, self.blocks))
        return runs >= p.min_runs and recorded + p.load_s * len(self.blocks) >= p.min_s

    def record(self, run_id: str, made: Provenance) -> Benchmark:
        """Everything that was measured; its id is new."""
        p, s, energy = self.around.protocol, self.subject, self.around.watch.energy
        samples = self.worker.rss_samples
        return Benchmark(
            id=store.new_id(f"bench-{s.id}"),
            run_id=run_id,
            subject_id=s.id,
            subject_sha256=s.sha256,
            runtime=self.format.runtime,
            runtime_version=self.format.runtime_version(),
            threads=self.setting.threads,
            batch=self.setting.batch,
            input_px=self.input_px,
            import_s=self.opened["import_s"],
            load_s=self.opened["load_s"],
            first_s=self.opened["first_s"],
            warmup_s=tuple(self.warmup["times"]),
            blocks_s=tuple(self.blocks),
            preprocess_s=tuple(self.end["preprocess_s"]),
            rss_before_bytes=self.opened["rss_before_bytes"],
            peak_rss_bytes=self.end["peak_rss_bytes"],
            size_bytes=s.size_bytes,
            made=made,
            warnings=remarks(self.blocks, p, enough=self.has_enough(), clock_step_s=self.around.watch.clock_step_s()),
            protocol=p.model_dump(),
            sustained=p.order == "alone",
            beside=self.setting.beside,
            cpus=self.around.cpus,
            warmup_stable=self.warmup["stable"],
            conditions=tuple(self.conditions),
            starts=tuple(self.starts),
            whole_s=tuple(self.whole_blocks),
            decode_s=tuple(self.end["decode_s"]),
            mean_rss_bytes=round(math.fsum(samples) / len(samples)) if samples else None,
            timer_s=self.end["timer_s"],
            energy_note=energy.note,
        )


def _shape(subject: Subject) -> tuple[tuple[int, int], int]:
    """Input size and number of classes: the checkpoint's, or the house's where it is not here any more."""
    try:
        checkpoint = subject if isinstance(subject, Checkpoint) else find_checkpoint(subject.checkpoint_id)
    except NotFoundError:
        return INPUT_PX, len(CLASSES)
    return checkpoint.input_px, len(checkpoint.classes)
