"""Turns at something costly: one at a time for each visitor, and few at a time for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Who is at it now. Waiting is bounded; who waits in vain hears of it."""

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._at_once = at_once
        self._wait_s = wait_s
        self._busy: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, visitor: str) -> Iterator[None]:
        """A turn for the visitor, from when nobody else is in the way.

        Raises:
            TimeoutError: somebody was in the way all the time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._free(visitor), self._wait_s):
                raise TimeoutError(f"no turn within {self._wait_s:g} s")
            self._busy.add(visitor)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(visitor)
                self._changed.notify_all()

    def _free(self, visitor: str) -> bool:
        return visitor not in self._busy and len(self._busy) < self._at_once
