"""Calls into a child process: ask with a time limit, and tell plainly how a child ended.

The child's side is `serve`; the parent's is `Child`. Arrays travel as bytes, see `frames`.
"""

from __future__ import annotations

import faulthandler
import io
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from udacisense.processes import frames
from udacisense.processes.frames import Array, FrameError
from udacisense.processes.limits import allow_cpu, die_with_parent
from udacisense.processes.spawn import popen

GRACE_S = 5.0
"""A child's own limit of time comes this much after its parent's: it matters only where the parent hangs."""
CPU_FACTOR = 4
"""Processor time that a call may use, as a multiple of its limit of time: it may run on several cores."""
SAID_BYTES = 4000

Answer = tuple[dict[str, Any], list[Array]]
Handler = Callable[[Mapping[str, Any], list[Array]], Answer]


class ChildError(Exception):
    """A call failed in the child: `kind` is the name of its error's class, "" where the child itself ended."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Child:
    """A running child process, asked by one thread at a time. It ends when this object or this process does."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the child.

        Raises:
            ChildError: the system starts no process.
        """
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._lock = threading.Lock()
        try:
            self._process = popen(
                command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, bufsize=-1
            )
        except OSError as exc:
            self._said.close()
            raise ChildError(f"no process could be started: {exc.strerror}") from exc
        self._answers: queue.SimpleQueue[Answer | FrameError | None] = queue.SimpleQueue()
        threading.Thread(target=_collect, args=(self._process.stdout, self._answers), daemon=True).start()
        self._end = weakref.finalize(self, _end, self._process, self._said)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def ask(self, do: str, arrays: Sequence[Array] = (), *, timeout_s: float, **arguments: object) -> Answer:
        """Call `do` in the child and wait for its answer; a child that does not answer in time is ended.

        Raises:
            ChildError: the call failed, the child ended, or the time was over.
        """
        with self._lock:
            assert self._process.stdin is not None  # asked for in __init__
            with suppress(OSError):  # a child that is gone is told of below, with the way it ended
                frames.write(self._process.stdin, {"do": do, "timeout_s": timeout_s, **arguments}, arrays)
            found = self._wait(timeout_s)
        if "error" in found[0]:
            raise ChildError(str(found[0]["error"]), str(found[0].get("kind", "")))
        return found

    def _wait(self, timeout_s: float) -> Answer:
        try:
            found = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            self.close()
            raise ChildError(f"it gave no answer within {timeout_s:g} s and was stopped") from None
        if found is None or isinstance(found, FrameError):
            raise ChildError(self._how_it_ended() if found is None else f"it answered with something else ({found})")
        return found

    def close(self) -> None:
        """End the child; once is enough, more does no harm."""
        self._end()

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        if code == -getattr(signal, "SIGXCPU", 0):
            return "it used more processor time than it may and was stopped"
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        hint = ", as happens where it asks for more memory than it may use" if -code in (signal.SIGKILL, signal.SIGABRT) else ""
        said = self._last_words()
        return f"its process {how}{hint}{f' ({said})' if said else ''}"

    def _last_words(self) -> str:
        with suppress(OSError, ValueError):
            self._said.seek(max(self._said.seek(0, io.SEEK_END) - SAID_BYTES, 0))
            lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1].strip().rstrip(".")[:160] if lines else ""
        return ""


def _collect(out: IO[bytes], answers: queue.SimpleQueue[Answer | FrameError | None]) -> None:
    while True:
        try:
            found = frames.read(out)
        except (FrameError, OSError, ValueError, MemoryError) as exc:
            answers.put(exc if isinstance(exc, FrameError) else None)
            return
        answers.put(found)
        if found is None:
            return


def _end(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    process.kill()  # it holds nothing that must be saved
    process.wait()
    for pipe in (process.stdin, process.stdout, said):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


# --- the child's side ----------------------------------------------------------------------------------------------------


def pipes() -> tuple[IO[bytes], IO[bytes]]:
    """This process's own two ends; what a library or a file prints goes to stderr, so that it cannot spoil an answer."""
    die_with_parent()
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return sys.stdin.buffer, answers


def serve(handlers: Mapping[str, Handler]) -> None:
    """Answer calls until they end. An error of a handler becomes the answer; the process goes on."""
    calls, answers = pipes()
    while (call := frames.read(calls)) is not None:
        asked, arrays = call
        limit = float(asked.pop("timeout_s"))
        # ends this process even where native code hangs and nobody is left to kill it
        faulthandler.dump_traceback_later(limit + GRACE_S, exit=True)
        allow_cpu(CPU_FACTOR * (limit + GRACE_S))
        frames.write(answers, *_answered(handlers, asked, arrays))
        faulthandler.cancel_dump_traceback_later()


def _answered(handlers: Mapping[str, Handler], asked: dict[str, Any], arrays: list[Array]) -> Answer:
    try:
        return handlers[str(asked.pop("do"))](asked, arrays)
    except MemoryError:
        return {"error": "it asks for more memory than it may use", "kind": "MemoryError"}, []
    except RecursionError:
        return {"error": "its parts are nested deeper than those of any model", "kind": "RecursionError"}, []
    except Exception as exc:  # the seam: every runtime has errors of its own, and the parent must hear of each
        return {"error": str(exc) or type(exc).__name__, "kind": type(exc).__name__}, []
