"""Neighbours: processes that keep cores busy on purpose, while a block runs and only then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

SPIN = """
import os, threading
go = threading.Event()
def spin():
    while True:
        go.wait()
        for _ in range(10000): pass
threading.Thread(target=spin, daemon=True).start()
while (said := os.read(0, 1)):
    go.set() if said == b"g" else go.clear()
"""
"""Spins between "g" and "r", rests otherwise, and ends when its input does: it never outlives who started it."""


class BackgroundLoad:
    """`count` processes that can be made busy; they rest from the start."""

    def __init__(self, count: int) -> None:
        self._processes = [
            subprocess.Popen([sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0)
            for _ in range(count)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    @contextmanager
    def working(self, count: int) -> Iterator[None]:
        """Keep `count` of them busy inside the block."""
        self._tell(b"g", count)
        try:
            yield
        finally:
            self._tell(b"r", count)

    def _tell(self, word: bytes, count: int) -> None:
        for process in self._processes[:count]:
            with suppress(OSError):  # one that was killed from outside is missed by the record of what others used
                assert process.stdin is not None, "asked for in __init__"
                process.stdin.write(word)
