"""The process that decodes an image: `python -m udacisense.data.decode_child`.

On stdin comes a line of JSON with `name` and `max_pixels`, then the file. On stdout goes a line of JSON with `height`, `width`
and `seconds`, then the pixels, row by row; or a line with `error` alone.
"""

from __future__ import annotations

import json
import sys
import time
from typing import IO

from udacisense.data.bounds import examine
from udacisense.data.images import decode_here
from udacisense.errors import ImageError
from udacisense.processes import limits
from udacisense.processes.limits import Bounds
from udacisense.types import Pixels

MEMORY_BYTES = 1 << 30
"""What the process may fill: 64 million pixels in scans take 400 MB, their decoded half three times 64 MB."""

CPU_S = 40
"""Its processor time, four times of what the costliest image takes that is let through."""


def bind() -> None:
    """Bind this process for good: memory, processor time, no file to read or to write."""
    limits.apply(Bounds(MEMORY_BYTES, CPU_S, file_bytes=0, read=()))


def answer(source: IO[bytes]) -> tuple[dict[str, object], Pixels | None]:
    """The pixels of the file that comes, and what is said with them."""
    asked = json.loads(source.readline())
    raw, name, most = source.read(), str(asked["name"]), int(asked["max_pixels"])
    start = time.perf_counter()
    try:
        pixels = decode_here(raw, name, examine(raw, name, most), most)
    except ImageError as exc:
        return {"error": str(exc)}, None
    except MemoryError:
        return {"error": f"{name} does not fit into memory. Make it smaller and try again."}, None
    seconds = time.perf_counter() - start
    return {"height": pixels.shape[0], "width": pixels.shape[1], "seconds": seconds}, pixels


def main() -> None:
    """Answer once, bound by limits."""
    limits.die_with_parent()
    bind()
    told, pixels = answer(sys.stdin.buffer)
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    if pixels is not None:
        sys.stdout.buffer.write(pixels.data.cast("B"))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
