"""Memory that one training step frees is kept for the next."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
KEPT_BLOCK = 1 << 30
"""Blocks up to this many bytes are reused: more than any tensor of this network takes."""


def keep_freed_memory() -> bool:
    """Have glibc reuse large blocks instead of handing them back to the system; returns whether it will.

    By default every tensor above 32 MB is mapped anew and the system clears its pages on first touch, which costs a step at
    224 px about a quarter of its time (benchmarks/training_speed.py measures it). Other C libraries are left as they are.
    Source: mallopt(3), M_MMAP_THRESHOLD.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
