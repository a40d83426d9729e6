"""One subject under one setting: its timed processes, start after start, and the record that comes out."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from udacisense.artifacts import source_checkpoint, subject_format
from udacisense.benchmark import page_cache
from udacisense.benchmark.cpu_load import BackgroundLoad
from udacisense.benchmark.protocol import TimingProtocol
from udacisense.benchmark.run_warnings import remarks
from udacisense.benchmark.shared_imports import SharedImports
from udacisense.benchmark.system_monitor import MachineWatch
from udacisense.benchmark.worker_client import Worker
from udacisense.errors import MeasureError, NotFoundError
from udacisense.metrics.stats import mean
from udacisense.processes import fork_client as forks
from udacisense.processes.spawn import popen
from udacisense.records import store
from udacisense.records.subjects import to_plain
from udacisense.settings import settings
from udacisense.types import Benchmark, Checkpoint, Conditions, Provenance, Start, Subject


@dataclass(frozen=True, slots=True)
class Setting:
    """Under what one subject is timed."""

    threads: int = 1
    batch: int = 1
    background_processes: int = 0  # kept busy while a block runs

    def __post_init__(self) -> None:
        if self.threads < 1 or self.batch < 1 or self.background_processes < 0:
            raise MeasureError(f"Threads and batch must be at least 1, busy processes at least 0; got {self.words}. Mend that.")

    @property
    def words(self) -> str:
        """The setting as people say it."""
        beside = f", {self.background_processes} busy beside" if self.background_processes else ""
        return f"{self.threads} thread{'s' * (self.threads != 1)}, batch {self.batch}{beside}"


@dataclass(frozen=True, slots=True)
class RunContext:
    """Context that all subjects of a run share."""

    protocol: TimingProtocol
    child: Sequence[str]  # command line of the timed process
    watch: MachineWatch
    background_load: BackgroundLoad
    shared: SharedImports
    usual: Setting = Setting()  # the plainest of the run
    cpus: tuple[int, ...] | None = None  # pin every timed process to these; None = as many as it has threads
    checkpoints: tuple[Checkpoint, ...] = ()  # those of the run's subjects, which need not be looked up

    def cores(self, threads: int) -> tuple[int, ...] | None:
        """The cores of a timed process: the same for all with so many threads, or one subject keeps a better core than another.

        The last ones, because systems tend to give their own work to the first. None = all, or a system that pins none.
        """
        if self.cpus is not None or not hasattr(os, "sched_getaffinity"):
            return self.cpus
        usable = sorted(os.sched_getaffinity(0))
        return tuple(usable[-threads:]) if threads < len(usable) else None


class SubjectRun:
    """Opens, warms up, times and describes one subject; every step raises MeasureError where it fails.

    Each `open` begins a start: a fresh process, whose blocks follow those of the starts before.
    """

    def __init__(self, subject: Subject, setting: Setting, around: RunContext) -> None:
        self.subject, self.setting, self.around = subject, setting, around
        self.calls = 1  # inferences a run; a self-test asks for more
        self.format = subject_format(subject)
        self.input_px, self.classes = _shape(subject, around.checkpoints)
        self.cpus = around.cores(setting.threads)
        self.starts: list[Start] = []  # those from nothing
        self.libraries: tuple[str, ...] = ()  # which later starts may share
        self.blocks: list[tuple[float, ...]] = []
        self.blocks_per_start: list[int] = []
        self.conditions: list[Conditions] = []
        self.whole_blocks: list[tuple[float, ...]] = []
        self.warmups: list[dict[str, Any]] = []
        self.rss_before: list[int | None] = []
        self.rss_samples: list[int] = []
        self.peaks: list[int | None] = []

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

    def open(self, stack: ExitStack) -> None:
        """Start a timed process and load the file, as one more start; the process ends with `stack`."""
        shared = self._shared_start()
        cached = page_cache.drop(self.subject.path)
        began = time.perf_counter()
        worker = Worker(
            self.name, self.setting.threads, self.around.protocol.step_timeout_s, self.around.child, shared or popen
        )
        self.worker = stack.enter_context(worker)
        worker.ask("hello")
        process_s = time.perf_counter() - began
        found = worker.ask("open", **self._asked())
        self.blocks_per_start.append(0)
        self.from_nothing = shared is None
        if self.from_nothing:
            self.libraries = tuple(found["imported"])
            self.rss_before.append(found["rss_before_bytes"])
            self.starts.append(Start(process_s, found["import_s"], found["load_s"], found["first_s"], cached))

    def _shared_start(self) -> forks.Start | None:
        """What forks the next process; None = it starts from nothing."""
        p = self.around.protocol
        if len(self.starts) < max(p.starts - p.shared_starts, 1):  # which libraries to share is learnt from the first
            return None
        return self.around.shared.start(self.setting.threads, self.libraries)

    def _asked(self) -> dict[str, Any]:
        return {
            "subject": to_plain(self.subject),
            "threads": self.setting.threads,
            "batch": self.setting.batch,
            "input_px": self.input_px,
            "classes": self.classes,
            "seed": settings().seed,
            "cpus": self.cpus,
        }

    def warm_up(self) -> None:
        """Run until the times are stable, or the protocol's time for it is over."""
        p = self.around.protocol
        limits = {"window": p.warmup_window, "tolerance": p.warmup_tolerance, "seconds": p.warmup_max_s}
        with self.around.background_load.working(self.setting.background_processes):
            self.warmups.append(self.worker.ask("warm", calls=self.calls, **limits))

    def block(self) -> None:
        """Time one block of runs."""
        p = self.around.protocol
        asked = {"seconds": p.block_s, "runs": p.block_runs, "settle": p.settle_runs, "load_s": p.load_s}
        with self.around.background_load.working(self.setting.background_processes):
            answer, conditions = self.around.watch.block(lambda: self.worker.ask("block", calls=self.calls, **asked))
        self.blocks.append(tuple(round(s, 8) for s in answer["times"]))
        self.blocks_per_start[-1] += 1
        self.conditions.append(conditions)

    def read_memory(self) -> None:
        """Read the peak of memory, before anything but inference was done in the process."""
        peak = self.worker.ask("memory")["peak_rss_bytes"]
        if self.from_nothing:  # another has the memory of what it was forked from
            self.peaks.append(peak)
            self.rss_samples += self.worker.rss_samples

    def whole(self) -> None:
        """Time one end-to-end block, from an image's bytes to logits."""
        with self.around.background_load.working(self.setting.background_processes):
            answer = self.worker.ask("whole", seed=settings().seed, seconds=self.around.protocol.whole_s)
        self.whole_blocks.append(tuple(answer["times"]))

    def finish(self) -> Mapping[str, Any]:
        """The last figures: times of decoding and preprocessing alone, and the smallest step of the clock."""
        p = self.around.protocol
        return self.worker.ask("finish", seed=settings().seed, preprocess_runs=p.preprocess_runs)

    def close(self) -> None:
        """End the process of this start."""
        self.worker.close()

    def has_share(self) -> bool:
        """Whether this start has its share of the protocol's runs and seconds."""
        p, blocks = self.around.protocol, self.blocks_per_start[-1]
        return self._has(p.min_runs / p.starts, p.min_s / p.starts, self.blocks[-blocks:] if blocks else [])

    def _has(self, runs: float, seconds: float, blocks: Sequence[Sequence[float]]) -> bool:
        recorded = math.fsum(s for block in blocks for s in block)
        return sum(map(len, blocks)) >= runs and recorded + self.around.protocol.load_s * len(blocks) >= seconds

    def record(self, run_id: str, made: Provenance, end: Mapping[str, Any]) -> Benchmark:
        """Everything that was measured, with what `finish` gave; its id is new."""
        p, s, energy = self.around.protocol, self.subject, self.around.watch.energy
        enough = self._has(p.min_runs, p.min_s, self.blocks)
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
            import_s=self.starts[0].import_s,
            load_s=self.starts[0].load_s,
            first_s=self.starts[0].first_s,
            warmup_s=tuple(self.warmups[0]["times"]),
            blocks_s=tuple(self.blocks),
            preprocess_s=tuple(end["preprocess_s"]),
            rss_before_bytes=self.rss_before[0],
            peak_rss_bytes=max((n for n in self.peaks if n is not None), default=None),
            size_bytes=s.size_bytes,
            made=made,
            warnings=remarks(self.blocks, p, enough=enough, clock_step_s=self.around.watch.clock_step_s()),
            protocol=p.model_dump(),
            sustained=p.order == "alone",
            background_processes=self.setting.background_processes,
            cpus=self.cpus,
            warmup_stable=all(w["stable"] for w in self.warmups),
            conditions=tuple(self.conditions),
            starts=tuple(self.starts),
            end_to_end_s=tuple(self.whole_blocks),
            decode_s=tuple(end["decode_s"]),
            mean_rss_bytes=round(mean(self.rss_samples)) if self.rss_samples else None,
            timer_resolution_s=end["timer_s"],
            energy_note=energy.note,
            blocks_per_start=tuple(self.blocks_per_start),
        )


def _shape(subject: Subject, known: tuple[Checkpoint, ...]) -> tuple[tuple[int, int], int]:
    """Input size and number of classes: the checkpoint's, or what the file's record says where it is not here any more."""
    try:
        checkpoint = source_checkpoint(subject, known)
    except NotFoundError:
        return subject.spec.preprocessing.input_size, len(subject.spec.classes)
    return checkpoint.input_px, len(checkpoint.classes)
