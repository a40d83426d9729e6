"""Where memory runs short it is the converter that ends, not the app, the machine, or whoever else works on it."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from udacisense.provenance import machine

_OOM_SCORE = Path("/proc/self/oom_score_adj")
FIRST_TO_GO = "1000"


def give_way(memory_bytes: int | None = None) -> None:
    """Bind this process for good: at most `memory_bytes` of its own data, by default all that the machine or container has.

    What asks for more gets a MemoryError or aborts, and Linux ends this process before any other. A system without such
    limits (Windows, macOS in part) keeps to its own ways.
    """
    with suppress(OSError):
        _OOM_SCORE.write_text(FIRST_TO_GO, encoding="ascii")
    if sys.platform == "win32":
        return
    import resource

    here = machine()
    most = memory_bytes or min(here.memory_bytes, here.memory_limit_bytes or here.memory_bytes)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
