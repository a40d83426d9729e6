"""Resident memory of this process, now and at its peak."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def rss_bytes() -> int | None:
    """Resident memory now, in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_rss_bytes(status: Path = _STATUS) -> int | None:
    """The largest resident memory so far, in bytes; None where the system does not tell.

    On Linux from VmHWM: ru_maxrss also holds what the parent used before this process was started.
    """
    try:
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _peak_elsewhere()


def _peak_elsewhere() -> int | None:
    import psutil

    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = getattr(psutil.Process().memory_info(), "peak_wset", None)  # Windows
    return None if peak is None else int(peak)
