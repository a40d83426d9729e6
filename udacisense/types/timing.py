"""Records of what was timed, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from udacisense.types.base import Amount, Count, Many, Provenance, Ratio, Seconds, Sha256, require


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions of the machine during one block of runs. None = not available on this system."""

    at_s: Seconds  # when the block began, seconds after the run's first
    wall_s: Seconds  # its length
    cpu_s: Seconds | None  # processor time that the timed process used
    run_queue_wait_s: Annotated[
        Seconds | None, Field(alias="waited_s")
    ]  # time that it was ready to run and another program had the processor
    other_cpu_share: Annotated[
        Amount | None, Field(alias="others")
    ]  # share (0..1) of all cores that other programs used meanwhile
    mhz: Amount | None  # clock of the cores, mean
    throttles: Count | None  # times that a core was slowed for its heat
    energy_j: Amount | None  # of the whole processor package


@dataclass(frozen=True, slots=True)
class Start:
    """One start from nothing to the first answer, in a process of its own; seconds."""

    process_s: Seconds  # starting Python
    import_s: Seconds  # importing the runtime
    load_s: Seconds  # loading the file
    first_s: Seconds  # first inference
    file_cached: bool | None  # whether the file was in the page cache before; None = the system does not tell

    @property
    def total_s(self) -> float:
        """From nothing to the first answer."""
        return self.process_s + self.import_s + self.load_s + self.first_s


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Raw times of one subject in one run; stats.py derives median, percentiles and ratios.

    What older records do not hold has a default that says so: None or nothing.
    """

    id: str
    run_id: str  # subjects of one run were timed side by side; only those may be compared
    subject_id: str
    subject_sha256: Sha256
    runtime: str  # "torch", "torch.jit", "torch lite interpreter"
    runtime_version: str
    threads: Count
    batch: Count
    input_px: tuple[Count, Count]
    import_s: Seconds | None  # importing the runtime
    load_s: Seconds
    first_s: Seconds  # first inference after load, never mixed with the steady ones
    warmup_s: Many[Seconds]  # of the first start
    blocks_s: Many[Many[Seconds]]  # steady times, a tuple per block, start after start
    preprocess_s: Many[Seconds]  # per image: decode is not included
    rss_before_bytes: Count | None  # resident memory before the file was loaded
    peak_rss_bytes: Count | None
    size_bytes: Count
    made: Provenance
    warnings: Many[str] = ()  # sentences that say what to do next
    protocol: Mapping[str, str | float | int] | None = None  # the numbers that it was timed by
    sustained: bool = False  # timed alone without a pause, not in turns with others
    background_processes: Annotated[Count, Field(alias="beside")] = 0  # processes that were kept busy on purpose meanwhile
    cpus: Many[Count] | None = None  # pinned to these; None = not pinned
    warmup_stable: bool | None = None
    conditions: Many[Conditions] = ()  # one for each block
    starts: Many[Start] = ()
    end_to_end_s: Annotated[
        Many[Many[Seconds]], Field(alias="whole_s")
    ] = ()  # one image from its file: decode, preprocess, infer; a tuple per block
    decode_s: Many[Seconds] = ()
    mean_rss_bytes: Count | None = None  # while the blocks ran
    timer_resolution_s: Annotated[Seconds | None, Field(alias="timer_s")] = None  # the smallest step of the clock
    energy_note: str = "The record is older than the reading of energy counters."  # why energy is None; empty where it is not
    blocks_per_start: tuple[
        Count, ...
    ] = ()  # how many of the blocks each start gave; () = all came from one, as in older records

    def __post_init__(self) -> None:
        require(any(self.blocks_s), "a benchmark needs at least one steady time")
        require(self.threads >= 1, f"threads must be at least 1, got {self.threads}")
        require(self.batch >= 1, f"batch must be at least 1, got {self.batch}")
        require(self.background_processes >= 0, f"background_processes must be at least 0, got {self.background_processes}")
        require(all(s >= 0 for s in self.steady_s), "a time below 0: the clock of that machine steps back")
        of_starts = sum(self.blocks_per_start) == len(self.blocks_s)
        require(of_starts or not self.blocks_per_start, "the blocks of the starts must be all blocks")

    @property
    def steady_s(self) -> tuple[float, ...]:
        """All steady times in the order they were taken, in seconds."""
        return tuple(s for block in self.blocks_s for s in block)

    @property
    def by_start(self) -> tuple[tuple[tuple[float, ...], ...], ...]:
        """The blocks of each start; each start was a process of its own."""
        ends = tuple(accumulate(self.blocks_per_start)) or (len(self.blocks_s),)
        return tuple(self.blocks_s[begin:end] for begin, end in zip((0, *ends), ends, strict=False))

    @property
    def plain(self) -> bool:
        """One image at a time on an otherwise quiet machine, in turns: what rules and tables speak of."""
        return self.batch == 1 and self.background_processes == 0 and not self.sustained

    @property
    def setting(self) -> tuple[int, int, int, bool]:
        """Threads, batch, busy processes beside, sustained: only times under one setting are put side by side."""
        return self.threads, self.batch, self.background_processes, self.sustained


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Unfinished benchmark of one subject: kept for inspection, never compared, never judged."""

    id: str
    run_id: str
    subject_id: str
    subject_sha256: Sha256
    threads: Count
    batch: Count
    background_processes: Annotated[Count, Field(alias="beside")]
    starts_asked: Count
    blocks_s: Many[Many[Seconds]]  # those that were finished
    blocks_per_start: Many[Count]
    reason: str  # a sentence: why it is not finished
    made: Provenance


@dataclass(frozen=True, slots=True)
class AATrial:
    """One kind of comparison of a self-test, made many times."""

    title: str
    asked: str  # what the verdicts must keep to, as a sentence
    faster: Count
    slower: Count
    same: Count
    unknown: Count
    ratios: Many[Ratio]  # of each comparison, in the order made
    passed: bool
    intervals: tuple[tuple[Ratio, Ratio], ...] = ()  # 95 %, of each ratio; older records do not hold them

    @property
    def comparisons(self) -> int:
        """Number of comparisons."""
        return self.faster + self.slower + self.same + self.unknown


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A/A test of the benchmark on this machine: equal work, slower work, and slower work under CPU load."""

    id: str
    subject_id: str
    subject_sha256: Sha256
    protocol: Mapping[str, str | float | int]
    trials: Many[AATrial]
    seconds: Seconds
    passed: bool
    made: Provenance
