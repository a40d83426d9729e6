"""The parent's handle on one timed child process, which has its threads set before it imports anything."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import psutil

from udacisense.errors import MeasureError
from udacisense.foreign import in_brief, sentences
from udacisense.processes.fork_client import Start
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.spawn import module, popen
from udacisense.settings import settings

CHILD: Sequence[str] = module("udacisense.benchmark.worker_process")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def environment(threads: int) -> dict[str, str]:
    """What is set before a timed process imports anything."""
    return {**dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONHASHSEED": str(settings().seed)}


class Worker:
    """A child process that holds one loaded subject."""

    def __init__(
        self,
        name: str,
        threads: int,
        timeout_s: float,
        child: Sequence[str] = CHILD,
        start: Start = popen,
    ) -> None:
        """Start it, by `start`.

        Raises:
            MeasureError: the system starts no process.
        """
        self.name, self.timeout_s = name, timeout_s
        self.rss_samples: list[int] = []
        try:
            self._child = Child(child, env=environment(threads), start=start)
        except ChildError as exc:
            raise self._told(exc) from exc
        self._memory = psutil.Process(self._child.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer.

        Raises:
            MeasureError: the child failed, died, or was silent for `timeout_s` (it is then killed).
        """
        meanwhile = self._read_memory if do == "block" else None
        try:
            return self._child.ask(do, timeout_s=self.timeout_s, meanwhile=meanwhile, **command)[0]
        except ChildError as exc:
            raise self._told(exc) from exc

    def close(self) -> None:
        """End the child; once is enough, more does no harm."""
        self._child.close()

    def _read_memory(self) -> None:
        with suppress(psutil.Error):  # it may just have ended, which is told of elsewhere
            self.rss_samples.append(self._memory.memory_info().rss)

    def _told(self, exc: ChildError) -> MeasureError:
        if exc.kind:
            return MeasureError(f"{self.name} could not be timed: {in_brief(str(exc))}. Convert its checkpoint again.")
        said = f"Its last words: {in_brief(exc.said)}" if exc.said else ""
        return MeasureError(
            sentences(f"The process that timed {self.name} {exc.how}", said, "Free some memory, or convert the file again.")
        )
