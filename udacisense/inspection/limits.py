"""Bounds of a process that takes a file apart."""

from __future__ import annotations

from pathlib import Path

from udacisense.processes import limits
from udacisense.processes.limits import ADDRESS_BYTES, MEMORY_BYTES, Bounds

MOST_MEMORY_BYTES = ADDRESS_BYTES + MEMORY_BYTES

CPU_S = 60
"""Processor time of the reading process."""

WALL_S = 90.0
"""Time after which the reading process is ended from outside."""


def bind(path: Path, folder: Path | None = None) -> None:
    """Bind this process for good: it sees one file, and writes nothing but into a temporary folder of its own."""
    whole = Bounds.for_file(path, write=() if folder is None else (folder,))
    limits.apply(Bounds(whole.memory_bytes, CPU_S, whole.file_bytes, whole.read, whole.write))
