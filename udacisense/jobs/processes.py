"""Processes told apart from others that later got the same number, and ended with everything they started."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

CLOCK_SLACK_S = 2.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Process:
    """A process number with the moment at which the process began, so that a later one of that number is another."""

    pid: int
    began: float  # seconds since the epoch; moves with the clock, so it decides only where the kernel tells no more
    start: str | None = (
        None  # the kernel's own mark of that moment, which no clock moves; None = it tells none, or an older file
    )

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this number now; one that is gone already never counts as alive."""
        try:
            return cls(pid, psutil.Process(pid).create_time(), _kernel_start(pid))
        except psutil.Error:
            return cls(pid, 0.0)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Process:
        """The process that a job's file names; whatever else the file says is left aside."""
        return cls(plain["pid"], plain["began"], plain.get("start"))

    def is_alive(self) -> bool:
        """False once it ended, also when its number was given to another process or nobody collected it yet."""
        try:
            process = psutil.Process(self.pid)
            return bool(self._is(process) and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def _is(self, process: psutil.Process) -> bool:
        start = None if self.start is None else _kernel_start(self.pid)
        if start is not None:
            return start == self.start
        return abs(float(process.create_time()) - self.began) < CLOCK_SLACK_S

    def end(self, grace_s: float) -> None:
        """Ask the process and all that it started to stop; what is left after `grace_s` seconds is killed."""
        if not self.is_alive():
            return
        family = [psutil.Process(self.pid)]
        with suppress(psutil.Error):
            family += family[0].children(recursive=True)
        _signal_group(self.pid, signal.SIGTERM)
        _, left = psutil.wait_procs(family, timeout=grace_s)
        if left:
            _signal_group(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=grace_s)


def _signal_group(pid: int, number: int) -> None:
    """Signal the process group that `pid` leads; where it leads none, the process alone."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg") and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _kernel_start(pid: int) -> str | None:
    """Which boot of the machine, and the clock ticks from then to the start of the process; None = not on this system."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
        return (
            f"{_boot()}:{stat.rpartition(')')[2].split()[19]}"  # the name in brackets may hold anything; field 22 of the line
        )
    except (OSError, IndexError):
        return None


@lru_cache(maxsize=1)
def _boot() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()
