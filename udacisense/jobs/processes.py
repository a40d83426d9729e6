"""Processes told apart from others that later got the same number, and ended with everything they started."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass

import psutil

CLOCK_SLACK_S = 2.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process number with the time at which the process began, seconds since the epoch."""

    pid: int
    began: float

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this number now; one that is gone already never counts as alive."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return cls(pid, 0.0)

    def is_alive(self) -> bool:
        """False once it ended, also when its number was given to another process or nobody collected it yet."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < CLOCK_SLACK_S
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

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
