"""Timing protocol: number, length and order of runs, in a TOML file that is checked like a recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from udacisense.errors import MeasureError
from udacisense.metrics.stats import MIN_BLOCKS
from udacisense.settings import SHARED, settings
from udacisense.toml_file import TomlKind, load

DEFAULT = "standard"
PROTOCOL = TomlKind("a benchmark protocol", "See benchmarks/protocols/standard.toml.", error=MeasureError)
MOST = 1_000_000  # runs, rounds or starts: more than anybody waits for
DAY_S = 86_400.0
Order = Literal["turns", "alone"]


class TimingProtocol(BaseModel):
    """One way of timing. Every subject is started `starts` times. A round is one block of runs of each of them; the rounds of a
    start go on until each has its share of the runs and seconds.

    With order "turns" the subjects are timed block by block (A B B A ...), so that what slows the machine slows all alike.
    With order "alone" each has the machine for itself from its first block to its last, as under sustained load.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1)
    order: Order = "turns"
    starts: int = Field(
        ge=1, le=MOST, description=f"fresh processes per subject, each timed from its start on; {MIN_BLOCKS} give an interval"
    )
    shared_starts: int = Field(
        0,
        ge=0,
        le=MOST,
        description="the last so many of them share what a process has imported, where the system can: they are quicker, "
        "and say nothing of the time and memory of a start",
    )
    rounds: int = Field(ge=1, le=MOST, description="blocks of each start")
    block_s: float = Field(gt=0, le=DAY_S, description="recorded seconds of a block")
    load_s: float = Field(0.0, ge=0, le=DAY_S, description="seconds of runs before each block that are not recorded")
    block_runs: int = Field(2, ge=1, le=MOST, description="fewest runs of a block, however long they take")
    min_runs: int = Field(ge=1, le=MOST, description="steady runs per subject, over all starts")
    min_s: float = Field(ge=0, le=DAY_S, description="seconds under load per subject, over all starts, recorded or not")
    max_rounds: int = Field(ge=1, le=MOST, description="of a start: give up asking for more")
    warmup_max_s: float = Field(gt=0, le=DAY_S, description="a warm-up that is not stable by then is told as a warning")
    warmup_window: int = Field(10, ge=2, le=MOST, description="runs; stable = the medians of two windows in a row agree")
    warmup_tolerance: float = Field(0.03, gt=0, lt=1, description="how closely they agree, as a share")
    settle_runs: int = Field(
        2, ge=0, le=MOST, description="untimed runs before a block: the other subject has just emptied the caches"
    )
    whole_rounds: int = Field(
        1, ge=0, le=MOST, description="end-to-end blocks per start, from an image file to logits; 0 = none"
    )
    whole_s: float = Field(0.15, gt=0, le=DAY_S, description="seconds of such a block")
    preprocess_runs: int = Field(20, ge=1, le=MOST)
    step_timeout_s: float = Field(180.0, gt=0, le=DAY_S, description="a subject that is silent for this long counts as hung")

    @model_validator(mode="after")
    def _enough_rounds(self) -> Self:
        if self.max_rounds < self.rounds:
            raise ValueError(f"max_rounds is {self.max_rounds}, fewer than the {self.rounds} rounds asked for")
        if self.shared_starts >= self.starts:
            raise ValueError(
                f"shared_starts is {self.shared_starts}; at least one of the {self.starts} starts must be from nothing"
            )
        if self.starts * self.rounds < MIN_BLOCKS:
            raise ValueError(
                f"{self.starts} starts of {self.rounds} rounds are too few for an interval: make {MIN_BLOCKS} blocks"
            )
        return self


def folders() -> tuple[Path, ...]:
    """Folders of the protocols; the first that has a name wins: your home, then those that came with the product."""
    return tuple(dict.fromkeys(place / "benchmarks" / "protocols" for place in (settings().home, SHARED)))


def protocol_names() -> tuple[str, ...]:
    """The names that `get_protocol` knows, the shortest run first."""
    found = {path.stem: path for folder in reversed(folders()) for path in sorted(folder.glob("*.toml"))}
    return tuple(sorted(found, key=lambda name: _length(found[name])))


def _length(path: Path) -> float:
    try:
        return read_protocol(path).min_s
    except MeasureError:  # told when it is picked
        return float("inf")


def get_protocol(name: str = DEFAULT) -> TimingProtocol:
    """The protocol of that name, or in that TOML file.

    Raises:
        MeasureError: there is none (the message lists the names), or a mistake in it.
    """
    for path in _candidates(name):
        if path.is_file():
            return read_protocol(path)
    known = ", ".join(protocol_names()) or "none is here"
    raise MeasureError(f"There is no benchmark protocol {name!r}. Pick one of: {known}; or give a .toml file.")


def _candidates(name: str) -> Iterator[Path]:
    if name.endswith(".toml") or os.sep in name:
        yield Path(name)
    else:
        yield from (folder / f"{name}.toml" for folder in folders())


def read_protocol(path: Path) -> TimingProtocol:
    """The protocol in a TOML file; its name is the file's.

    Raises:
        MeasureError: the file cannot be read, is not TOML, has an unknown key or a value out of range.
    """
    return load(path, TimingProtocol, PROTOCOL, name=path.stem)
