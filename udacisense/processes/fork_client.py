"""Starting of processes by forking one that has imported what they need: milliseconds where imports take seconds.

This is the parent's side; the process that forks is `fork_server`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Self

from udacisense.processes.fork_server import MESSAGE_BYTES
from udacisense.processes.spawn import module, popen

IMPORT_S = 120.0
"""So long may the modules take to import; it then counts as hung."""
POLL_S = 0.002


class ForkServerError(Exception):
    """Nothing can be forked: the modules do not import, or they start threads, which a fork would lose."""


class ForkServer:
    """A process that starts others by forking; they end with it, and it ends with this process."""

    def __init__(self, modules: Sequence[str], env: Mapping[str, str]) -> None:
        """Start it and wait until it has imported the modules, with `env` set before.

        Raises:
            ForkServerError: this system or these modules do not let processes be forked.
        """
        if sys.platform != "linux":  # elsewhere system libraries do not survive a fork
            raise ForkServerError(f"{sys.platform} has no fork that is safe")
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(IMPORT_S)
        with theirs:
            self._process = self._started(modules, env, theirs.fileno())
        self._check_threads()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self, modules: Sequence[str], env: Mapping[str, str], fd: int) -> subprocess.Popen[Any]:
        nowhere = subprocess.DEVNULL
        command = module("udacisense.processes.fork_server", str(fd), *modules)
        try:
            return popen(command, env=env, stdin=nowhere, stdout=nowhere, stderr=nowhere, pass_fds=(fd,))
        except OSError as exc:
            self._socket.close()
            raise ForkServerError(f"no process could be started: {exc.strerror}") from exc

    def _check_threads(self) -> None:
        try:
            threads = self._answer()["threads"]
        except (OSError, ValueError, KeyError) as exc:
            self.close()
            raise ForkServerError("the modules do not import") from exc
        if threads != 1:
            self.close()
            raise ForkServerError(f"the modules start {threads - 1} threads")

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._socket.recv(MESSAGE_BYTES))
        return answer

    def _ask(self, message: Mapping[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(message).encode()], list(fds))
            return self._answer()

    def popen(self, command: Sequence[str], *, env: Mapping[str, str], stderr: IO[bytes], **_: object) -> ForkedProcess:
        """As `spawn.popen` for a command of `spawn.module`, its stdin and stdout pipes.

        Raises:
            OSError: the server is gone.
        """
        their_stdin, stdin = os.pipe()
        stdout, their_stdout = os.pipe()
        try:
            asked = {"module": list(command[2:]), "env": dict(env)}
            pid = self._ask(asked, (their_stdin, their_stdout, stderr.fileno()))["pid"]
        except (OSError, ValueError, KeyError) as exc:
            os.close(stdin)
            os.close(stdout)
            raise OSError(None, "the process that starts others is gone") from exc
        finally:
            os.close(their_stdin)
            os.close(their_stdout)
        return ForkedProcess(self, pid, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"))

    def exit_code(self, pid: int) -> int | None:
        """How a process that was forked ended, below 0 for a signal; None = it runs. All end with the server."""
        try:
            code: int | None = self._ask({"ended": pid})["code"]
        except (OSError, ValueError, KeyError):
            return -signal.SIGKILL
        return code

    def close(self) -> None:
        """End it, and what it has started."""
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._socket.close()


class ForkedProcess:
    """A process that was forked, with the part of `subprocess.Popen` that `rpc` uses."""

    def __init__(self, server: ForkServer, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._server = server
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None = it runs."""
        if self._code is None:
            self._code = self._server.exit_code(self.pid)
        return self._code

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        while (code := self.poll()) is None:
            time.sleep(POLL_S)
        return code

    def kill(self) -> None:
        """End it; once it has ended this does nothing."""
        if self.poll() is None:  # until then the server keeps its number from being given to another
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


Process = subprocess.Popen[Any] | ForkedProcess
Start = Callable[..., Process]
"""`spawn.popen`, or the `popen` of a fork server."""
