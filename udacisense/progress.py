"""Progress of long-running work, reported without knowing who shows it.

The work calls `report(0.4, "batch 8 of 20")`; a sink installed by the command line (a rich bar) or by a job (lines of
JSON) shows it. Without a sink nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PROGRESS_FILE = "UDACISENSE_PROGRESS_FILE"
"""Environment variable with the file to which a job's work writes its progress."""

WAITING = "waiting for "
"""How the stage of work begins that is queued behind other work."""

Sink = Callable[[float, str], None]

_sink: ContextVar[Sink | None] = ContextVar("progress_sink", default=None)


def report(fraction: float, stage: str) -> None:
    """Tell the watcher that `fraction` (0..1) of the current work is done and what is going on."""
    sink = _sink.get()
    if sink is not None:
        sink(min(max(fraction, 0.0), 1.0), stage)


@contextmanager
def watched_by(sink: Sink) -> Iterator[None]:
    """Send reports made inside the block to `sink`."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


@contextmanager
def part(start: float, end: float, prefix: str = "") -> Iterator[None]:
    """Map the reports made inside the block onto `start`..`end` of the work around it."""
    outer = _sink.get()

    def scaled(fraction: float, stage: str) -> None:
        if outer is not None:
            outer(start + (end - start) * fraction, f"{prefix}{stage}")

    with watched_by(scaled):
        yield
