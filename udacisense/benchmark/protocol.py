"""How long and in what order to time: two protocols, a record of numbers each."""

from __future__ import annotations

from dataclasses import dataclass

from udacisense.errors import MeasureError
from udacisense.stats import MIN_BLOCKS


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way of timing. Subjects take turns, block by block (A B B A ...), so that what slows the machine slows both.

    A round is one block of every subject; rounds go on until each subject has `min_runs` runs and `min_s` seconds.
    """

    name: str
    rounds: int  # blocks per subject
    block_s: float  # length of a block, seconds
    min_runs: int  # steady runs per subject
    min_s: float  # steady seconds per subject
    max_rounds: int  # give up asking for more
    warmup_max_s: float  # a warm-up that is not stable by then is told as a warning
    threads: int = 1
    batch: int = 1
    warmup_window: int = 10  # runs; stable = the medians of two windows in a row are within warmup_tolerance
    warmup_tolerance: float = 0.03
    settle_runs: int = 2  # untimed runs at the start of a block: the other subject has just emptied the caches
    preprocess_runs: int = 20
    step_timeout_s: float = 180.0  # a subject that is silent for this long counts as hung

    def __post_init__(self) -> None:
        if self.rounds < MIN_BLOCKS:
            raise MeasureError(
                f"A protocol needs at least {MIN_BLOCKS} rounds for an interval, got {self.rounds}. Raise rounds."
            )
        if self.threads < 1 or self.batch < 1:
            raise MeasureError(f"Threads and batch must be at least 1, got {self.threads} and {self.batch}.")


QUICK = Protocol("quick", rounds=8, block_s=0.4, min_runs=40, min_s=3.0, max_rounds=24, warmup_max_s=1.5)
STANDARD = Protocol("standard", rounds=16, block_s=0.7, min_runs=100, min_s=10.0, max_rounds=64, warmup_max_s=5.0)
PROTOCOLS: dict[str, Protocol] = {p.name: p for p in (QUICK, STANDARD)}


def get_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        MeasureError: there is none; the message lists the names.
    """
    if name not in PROTOCOLS:
        raise MeasureError(f"There is no benchmark protocol {name!r}. Pick one of: {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]
