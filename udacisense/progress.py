"""Progress of long-running work, reported without knowing who shows it.

The work calls `report(0.4, "batch 8 of 20")`; a sink installed by the command line (a rich bar) or by a job (lines of
JSON) shows it. Without a sink nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

PROGRESS_FILE = "UDACISENSE_PROGRESS_FILE"
"""Environment variable with the file to which a job's work writes its progress."""

WAITING = "waiting for "
"""How the stage of work begins that is queued behind other work."""

Sink = Callable[[float, str], None]
T = TypeVar("T")
R = TypeVar("R")

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


class Shares:
    """Progress of several pieces of work that go on at once in threads: each has an equal share of the work around them."""

    def __init__(self, count: int) -> None:
        self._fractions, self._lock, self._outer = [0.0] * count, Lock(), _sink.get()

    @contextmanager
    def one(self, index: int, prefix: str = "") -> Iterator[None]:
        """Map the reports made inside the block, in whatever thread, onto the share of one piece."""

        def tell(fraction: float, stage: str) -> None:
            with self._lock:
                self._fractions[index] = max(fraction, self._fractions[index])
                if self._outer is not None:
                    self._outer(sum(self._fractions) / len(self._fractions), f"{prefix}{stage}")

        with watched_by(tell):
            yield
            tell(1.0, "done")


def side_by_side(
    items: Sequence[T], do: Callable[[T], R], workers: int, prefix: Callable[[T], str] = lambda _: ""
) -> tuple[R, ...]:
    """Do something with each item, as many at once as there are workers, in threads; the answers in the order of the items.

    Args:
        prefix: how the stages of an item begin.

    Raises:
        Exception: the first that `do` raised; what runs by then is waited for, and no more is begun.
    """
    shares = Shares(len(items))

    def one(index: int) -> R:
        with shares.one(index, prefix(items[index])):
            return do(items[index])

    with ThreadPoolExecutor(max(1, min(workers, len(items)))) as pool:
        work = [pool.submit(one, index) for index in range(len(items))]
        try:
            return tuple(piece.result() for piece in work)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
