"""Bounds of a process that reads a file from nobody knows where: memory, time, and no writing."""

from __future__ import annotations

import sys
from contextlib import suppress

MEMORY_BYTES = 6 << 30
"""Address space of the reading process; torch alone maps about 2 GiB of it."""

DATA_BYTES = 2 << 30
"""Of it, what the reading process may fill: a hostile file asks torch for more than it holds."""

CPU_S = 60
"""Processor time of the reading process."""

FILE_BYTES = 4096
"""Largest file that the reading process may write; torch tries its temporary folder with a few bytes."""

WALL_S = 90.0
"""Time after which the reading process is ended from outside."""


def bind(memory_bytes: int = MEMORY_BYTES, cpu_s: int = CPU_S) -> None:
    """Bind this process for good: address space, processor time, no core dump, no file worth the name.

    A system without a limit (Windows has none, macOS not that of memory) keeps the time limit from outside.
    """
    if sys.platform == "win32":
        return
    import resource

    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_DATA, min(memory_bytes, DATA_BYTES)),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
