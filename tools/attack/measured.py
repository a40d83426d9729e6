"""Commands run under a stopwatch: bounded in time and memory, with what they used, in a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
MOST_MEMORY_BYTES = 6 << 30
"""What any command may fill: an attack that gets through must not take the machine along."""
SAID_BYTES = 1 << 20
PATIENCE_S = 30.0

STOPWATCH = """
import json, os, resource, signal, sys
told, seconds, memory, command = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    os.execvp(command[0], command)
late = []
def end(*_):
    late.append(1)
    os.killpg(child, signal.SIGKILL)
signal.signal(signal.SIGALRM, end)
signal.setitimer(signal.ITIMER_REAL, seconds)
_, status, usage = os.wait4(child, 0)
signal.setitimer(signal.ITIMER_REAL, 0)
try:
    os.killpg(child, signal.SIGKILL)  # what it left behind
except OSError:
    pass
answer = {"code": os.waitstatus_to_exitcode(status), "cpu_s": usage.ru_utime + usage.ru_stime,
          "peak_mb": usage.ru_maxrss * 1024 / 1e6, "timed_out": bool(late)}
os.write(told, json.dumps(answer).encode())
"""
"""A small process of its own, because the kernel counts what the starting process held to what the started one holds."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it used together with the children that it waited for."""

    code: int
    out: str
    err: str
    cpu_s: float
    peak_mb: float  # of the largest process
    timed_out: bool

    @property
    def clean(self) -> bool:
        """Whether no stack trace and no error that nobody foresaw was shown."""
        said = self.out + self.err
        return not self.timed_out and "Traceback" not in said and "nobody foresaw" not in said


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a command in a home of its own, with a temporary folder beside it."""
    temporary = home.with_name(f"{home.name}-tmp")
    temporary.mkdir(exist_ok=True)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("UDACISENSE_") and k != "PYTEST_CURRENT_TEST"}
    return plain | {"UDACISENSE_HOME": str(home), "PYTHONPATH": str(PROJECT), "TMPDIR": str(temporary)} | more


def run(command: list[str], home: Path, timeout_s: float = 120.0, env: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end or until its time is over; nothing that it starts outlives it."""
    reading, writing = os.pipe()
    watch = [sys.executable, "-I", "-S", "-c", STOPWATCH, str(writing), str(timeout_s), str(MOST_MEMORY_BYTES), *command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            watch, cwd=PROJECT, env=environment(home, **(env or {})), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            pass_fds=(writing,), start_new_session=True,
        )  # fmt: skip
        os.close(writing)
        try:
            process.wait(timeout_s + PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with os.fdopen(reading, "rb") as pipe:
            told = json.loads(pipe.read() or b'{"code": -9, "cpu_s": 0.0, "peak_mb": 0.0, "timed_out": true}')
        return Ended(out=_text(out), err=_text(err), **told)


def _text(file: Any) -> str:
    file.seek(0)
    return bytes(file.read(SAID_BYTES)).decode("utf-8", "replace")


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", name, *arguments]


def verb(home: Path, *arguments: str, timeout_s: float = 120.0, **env: str) -> Ended:
    """A verb of the command line."""
    return run(module("udacisense", *arguments), home, timeout_s, env)


def ask(home: Path, name: str, *arguments: str, timeout_s: float = 600.0) -> tuple[dict[str, Any], Ended]:
    """What a child program of this tool answers as JSON on its last line; {} where it did not."""
    ended = run(module(f"tools.attack.{name}", *arguments), home, timeout_s)
    try:
        return dict(json.loads(ended.out.strip().splitlines()[-1])), ended
    except (ValueError, IndexError, TypeError):
        return {}, ended
