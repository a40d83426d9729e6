"""The process that decodes images: `python -m udacisense.data.decode_child`, asked by `apart`."""

from __future__ import annotations

import time
from typing import Any

from udacisense.data.bounds import examine
from udacisense.data.images import decode_here
from udacisense.errors import ImageError
from udacisense.processes import limits
from udacisense.processes.frames import Array
from udacisense.processes.limits import Bounds
from udacisense.processes.serve import Answer, serve

MEMORY_BYTES = 1 << 30
"""What the process may fill: 64 million pixels in scans take 400 MB, their decoded half three times 64 MB."""

CPU_S = 40
"""Its processor time, four times of what the costliest image takes that is let through."""


def bind() -> None:
    """Bind this process for good: memory, processor time, no file to read or to write."""
    limits.apply(Bounds(MEMORY_BYTES, CPU_S, file_bytes=0, read=()))


def answer(asked: dict[str, Any], arrays: list[Array]) -> Answer:
    """The pixels of the file that comes, and the seconds that decoding took.

    Raises:
        ImageError: it cannot be decoded.
    """
    raw, name, most = arrays.pop().tobytes(), str(asked["name"]), int(asked["max_pixels"])
    start = time.perf_counter()
    try:
        pixels = decode_here(raw, name, examine(raw, name), most)
    except MemoryError as exc:
        raise ImageError(f"{name} does not fit into memory. Make it smaller and try again.") from exc
    return {"seconds": time.perf_counter() - start}, [pixels]


def main() -> None:
    """Bind this process, then answer on its pipes."""
    bind()
    serve({"decode": answer})


if __name__ == "__main__":
    main()
