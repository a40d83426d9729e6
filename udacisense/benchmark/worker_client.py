"""The parent's handle on one timed child process: ask over pipes, wait with a limit, tell plainly how it ended."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import psutil

from udacisense.errors import MeasureError
from udacisense.foreign import in_brief, sentences
from udacisense.processes.spawn import popen

CHILD: tuple[str, ...] = (sys.executable, "-m", "udacisense.benchmark.worker_process")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SAMPLE_S = 0.1
"""How often the child's memory is read while it works: seldom enough to cost it nothing."""
GRACE_S = 10.0
"""The child's own limit comes this much after the parent's: it matters only when the parent is gone."""


class Worker:
    """A child process that holds one loaded subject."""

    def __init__(self, name: str, threads: int, timeout_s: float, child: Sequence[str] = CHILD) -> None:
        self.name, self.timeout_s = name, timeout_s
        self.rss_samples: list[int] = []
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in close()
        self._process = popen(
            child,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            env=dict.fromkeys(THREAD_VARIABLES, str(threads)),
        )
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._memory = psutil.Process(self._process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def ask(self, do: str, **command: object) -> dict[str, Any]:
        """Send a command and wait for its answer.

        Raises:
            MeasureError: the child failed, died, or was silent for `timeout_s` (it is then killed).
        """
        line = json.dumps({"do": do, "timeout_s": self.timeout_s + GRACE_S, **command})
        stdin = self._process.stdin
        with suppress(OSError):  # a child that is gone is told of below, with the way it ended
            if stdin is not None:
                stdin.write(line + "\n")
                stdin.flush()
        answer = self._wait(sampled=do == "block")
        if answer is None:
            raise MeasureError(self._how_it_ended())
        found: dict[str, Any] = json.loads(answer)
        if "error" in found:
            raise MeasureError(f"{self.name} could not be timed: {found['error']}. Convert its checkpoint again.")
        return found

    def _wait(self, sampled: bool) -> str | None:
        """The child's next line, None when it ended; its memory is read meanwhile if `sampled`."""
        end = time.monotonic() + self.timeout_s
        while (left := end - time.monotonic()) > 0:
            try:
                return self._answers.get(timeout=min(SAMPLE_S, left) if sampled else left)
            except queue.Empty:
                if sampled:
                    self._read_memory()
        self.close()
        raise MeasureError(
            f"{self.name} gave no answer within {self.timeout_s:g} s while it was timed, so it was stopped. "
            "Try the file alone with evaluate, or convert it again."
        )

    def _read_memory(self) -> None:
        with suppress(psutil.Error):  # it may just have ended, which is told of elsewhere
            self.rss_samples.append(self._memory.memory_info().rss)

    def close(self) -> None:
        """End the child; once is enough, more does no harm."""
        if self._said.closed:
            return
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # asked for in __init__
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._said.seek(0)
        last = self._said.read()[-400:].strip().splitlines()[-1:]
        said = f"Its last words: {in_brief(last[0])}" if last else ""
        return sentences(f"The process that timed {self.name} {how}", said, "Free some memory, or convert the file again.")
