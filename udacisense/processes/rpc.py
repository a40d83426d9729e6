"""Calls into a child process: ask with a time limit, hear of progress, and tell plainly how a child ended.

This is the parent's side; the child's is `serve`. Arrays travel as bytes, see `frames`.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Self

from udacisense import errors, scratch
from udacisense.errors import UdaciSenseError
from udacisense.processes import frames
from udacisense.processes.fork_client import Process, Start
from udacisense.processes.frames import Array, FrameError
from udacisense.processes.spawn import popen
from udacisense.progress import report

SAID_BYTES = 16_000
"""So much of the end of what a child printed is read."""
STAGE_CHARACTERS = 300
EVERY_S = 0.1
"""How often `meanwhile` is done: seldom enough to cost the child nothing."""

Answer = tuple[dict[str, Any], list[Array]]


class ChildError(Exception):
    """A call failed in the child, or the child ended."""

    def __init__(self, message: str, kind: str = "", *, ours: bool = False, how: str = "", said: str = "", by: int = 0) -> None:
        super().__init__(message)
        self.kind = kind  # the name of its error's class; "" where the child itself ended
        self.how = how  # in what way, as "was killed by SIGSEGV"
        self.said = said  # its last words
        self.by = by  # the signal that ended it, 0 = none
        self._ours = ours

    @property
    def told(self) -> UdaciSenseError | None:
        """The error as the child raised it, where it is one of UdaciSense's."""
        kind = getattr(errors, self.kind, None) if self._ours else None
        return kind(str(self)) if isinstance(kind, type) and issubclass(kind, UdaciSenseError) else None

    @property
    def in_full(self) -> str:
        """The error behind the name of its class, uncut: for a record, as `in_brief` is for a sentence."""
        return f"{self.kind}: {self}"


class Child:
    """A running child process, asked by one thread at a time. It ends when this object or this process does."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        most_bytes: int = frames.MAX_ARRAY_BYTES,
        start: Start = popen,
    ) -> None:
        """Start the child.

        Args:
            env: set before it imports anything; TMPDIR is a folder of its own where it is not among them.
            most_bytes: what the arrays of an answer may have together.
            start: `ForkServer.popen` where imports are shared.

        Raises:
            ChildError: the system starts no process.
        """
        self.stage = ""  # what it was doing last, as far as it told
        self._said = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed in close(); reading it does not move the child's place
        self._said_before = self._said_until = 0  # where what it printed for the last call begins; for calls answered, ends
        self._timeout_s = self._ends = 0.0
        self._lock = threading.Lock()
        # what it writes for a moment goes with it: libraries clear that away on an exit which a killed process does not have
        self._folder = tempfile.TemporaryDirectory(prefix=scratch.prefix(), ignore_cleanup_errors=True)
        try:
            self._process = start(
                command,
                env={"TMPDIR": self._folder.name, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=-1,
            )
        except OSError as exc:
            self._said.close()
            self._folder.cleanup()
            raise ChildError(f"no process could be started: {exc.strerror}", how=f"did not start ({exc.strerror})") from exc
        self._answers: queue.SimpleQueue[Answer | FrameError | None] = queue.SimpleQueue()
        threading.Thread(target=_collect, args=(self._process.stdout, self._answers, most_bytes), daemon=True).start()
        self._end = weakref.finalize(self, _end, self._process, self._said, self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def ask(
        self,
        do: str,
        arrays: Sequence[Array] = (),
        *,
        timeout_s: float,
        meanwhile: Callable[[], None] | None = None,
        **arguments: object,
    ) -> Answer:
        """Call `do` in the child and wait for its answer; what it reports is reported here. A child that is late is ended.

        Args:
            meanwhile: done every tenth of a second while it works.

        Raises:
            ChildError: the call failed, the child ended, or the time was over.
        """
        with self._lock:
            self._timeout_s, self._ends = timeout_s, time.monotonic() + timeout_s
            self._said_before = self._said_until  # not what it has said by now: it may have ended since, with last words
            self._send({"do": do, "timeout_s": timeout_s, **arguments}, arrays)
            while "progress" in (found := self._next(meanwhile))[0]:
                self._hear(found[0]["progress"])
            self._said_until = self._said_bytes()
        told = found[0]
        if "error" in told:
            raise ChildError(str(told["error"]), str(told.get("kind", "")), ours=told.get("ours") is True)
        return found

    def _send(self, message: Mapping[str, object], arrays: Sequence[Array]) -> None:
        assert self._process.stdin is not None  # asked for in __init__
        timeout_s = self._timeout_s
        late = threading.Timer(timeout_s, self._process.kill) if arrays else None  # it may never read what fills the pipe
        if late is not None:
            late.start()
        try:
            with suppress(OSError, ValueError):  # a child that is gone is told of later, with the way it ended
                frames.write(self._process.stdin, message, arrays)
        finally:
            if late is not None:
                late.cancel()

    def _said_bytes(self) -> int:
        with suppress(OSError, ValueError):  # closed
            return os.fstat(self._said.fileno()).st_size
        return 0

    def said(self) -> str:
        """The end of what it printed for the last call, which for the first is all since its start."""
        with suppress(OSError, ValueError):
            self._said.seek(max(self._said_before, self._said_bytes() - SAID_BYTES))
            return self._said.read().decode("utf-8", "replace").strip()
        return ""

    def close(self) -> None:
        """End the child; once is enough, more does no harm. Another thread that waits for an answer gets a ChildError."""
        self._end()

    def _next(self, meanwhile: Callable[[], None] | None) -> Answer:
        while (left := self._ends - time.monotonic()) > 0:
            try:
                found = self._answers.get(timeout=left if meanwhile is None else min(EVERY_S, left))
            except queue.Empty:
                if meanwhile is not None:
                    meanwhile()
                continue
            if isinstance(found, FrameError):
                raise self._stopped(f"answered with something else ({found})")
            if found is not None:
                return found
            if time.monotonic() < self._ends:
                raise self._ended()
        raise self._stopped(f"gave no answer within {self._timeout_s:g} s and was stopped")

    def _hear(self, progress: Any) -> None:
        try:
            fraction, stage = float(progress[0]), str(progress[1])[:STAGE_CHARACTERS]
        except (ValueError, TypeError, LookupError) as exc:
            raise self._stopped("answered with something else (no progress)") from exc
        self.stage = stage
        report(fraction, stage)

    def _stopped(self, how: str) -> ChildError:
        self._process.kill()
        self._process.wait()
        return ChildError(f"it {how}", how=how)

    def _ended(self) -> ChildError:
        code = self._process.wait()
        said = (self.said().splitlines() or [""])[-1].strip().rstrip(".")[:160]
        if code == -getattr(signal, "SIGXCPU", 0):
            how = "used more processor time than it may and was stopped"
            return ChildError(f"it {how}", how=how, said=said, by=-code)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = ", as happens where it asks for more memory than it may use" if -code in (signal.SIGKILL, signal.SIGABRT) else ""
        return ChildError(f"its process {how}{hint}{f' ({said})' if said else ''}", how=how, said=said, by=max(-code, 0))


def _collect(out: IO[bytes], answers: queue.SimpleQueue[Answer | FrameError | None], most_bytes: int) -> None:
    while True:
        try:
            found = frames.read(out, most_bytes)
        except (FrameError, OSError, ValueError, MemoryError) as exc:
            answers.put(exc if isinstance(exc, FrameError) else None)
            return
        answers.put(found)
        if found is None:
            return


def _end(process: Process, said: IO[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()  # it holds nothing that must be saved, and may be deep in native code
    process.wait()
    for pipe in (process.stdin, process.stdout, said):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    folder.cleanup()
