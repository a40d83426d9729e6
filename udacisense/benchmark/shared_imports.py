"""Fork servers of a run: later starts of a subject share what its first has imported, where the system lets them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from threading import Lock
from types import TracebackType
from typing import Self

from udacisense.benchmark.worker_client import environment
from udacisense.processes.fork_client import ForkServer, ForkServerError, Start

OURS = ("udacisense.benchmark.worker_steps", "udacisense.formats", "udacisense.data.images", "udacisense.data.preprocess")
"""What every timed process uses."""


class SharedImports:
    """One server for each number of threads and choice of libraries, started when it is first asked for."""

    def __init__(self) -> None:
        self._stack, self._lock = ExitStack(), Lock()
        self._servers: dict[tuple[int, tuple[str, ...]], Start | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def start(self, threads: int, libraries: Sequence[str]) -> Start | None:
        """What starts a process that has these libraries; None = each must start from nothing here."""
        wanted = threads, tuple(libraries)
        with self._lock:
            if wanted not in self._servers:
                self._servers[wanted] = self._server(*wanted)
            return self._servers[wanted]

    def _server(self, threads: int, libraries: tuple[str, ...]) -> Start | None:
        try:
            return self._stack.enter_context(ForkServer((*OURS, *libraries), environment(threads))).popen
        except ForkServerError:
            return None
