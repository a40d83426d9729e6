"""A process that has imported what others need, and forks them: `python -m udacisense.processes.fork_server FD MODULE ...`.

It is asked on the socket FD by `fork_client`: to start a process, and how one that it started has ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import socket
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from udacisense.processes.limits import PARENT, die_with_parent

MESSAGE_BYTES = 1 << 16


def main() -> None:
    """Import the modules, say how many threads that started, then answer until the other end of the socket is closed."""
    die_with_parent()
    asked = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector of a forked process then leaves alone what it shares
    _answer(asked, {"threads": _threads()})
    while True:
        raw, fds, _, _ = socket.recv_fds(asked, MESSAGE_BYTES, 3)
        if not raw:
            return
        message = json.loads(raw)
        if "ended" in message:
            _answer(asked, {"code": _ended(message["ended"])})
        else:
            _answer(asked, {"pid": _fork(message["module"], message["env"], fds, asked)})


def _answer(asked: socket.socket, message: Mapping[str, Any]) -> None:
    asked.send(json.dumps(message).encode())


def _threads(tasks: Path = Path("/proc/self/task")) -> int:
    return len(list(tasks.iterdir()))


def _ended(pid: int) -> int | None:
    """The exit code of a process that was forked here, below 0 for a signal; None = it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _fork(command: Sequence[str], env: Mapping[str, str], fds: Sequence[int], asked: socket.socket) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        asked.close()
        os.environ.update({**env, PARENT: str(server)})
        _run(command, fds)
    for fd in fds:
        os.close(fd)
    return pid


def _run(command: Sequence[str], fds: Sequence[int]) -> None:
    """Be `python -m command`, with the descriptors as stdin, stdout and stderr, and end."""
    code = 1
    try:
        for place, fd in enumerate(fds):
            os.dup2(fd, place)
            os.close(fd)
        tempfile.tempdir = None  # as the environment says now
        sys.argv = list(command)
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except BaseException:  # the interpreter would print it too; nothing of the server may run on in a forked process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
