"""Messages between a process and its child: a line of JSON, then the bytes of the arrays that it names.

The child may be in the hands of the file that it opened, so nothing is unpickled and every size is bounded before it is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MAX_LINE_BYTES = 8 << 20
MAX_ARRAY_BYTES = 1 << 30
"""What the arrays of a message may have together."""
MAX_ARRAYS = 10_000
_KINDS = {"<f4": np.float32, "<i8": np.int64, "|u1": np.uint8}


class FrameError(Exception):
    """What came is no message."""


def write(out: IO[bytes], message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Send a message with its arrays (float32, int64 or uint8)."""
    plain = [np.ascontiguousarray(a) for a in arrays]
    told = [{"kind": a.dtype.str, "shape": list(a.shape)} for a in plain]
    out.write(json.dumps({**message, "arrays": told}).encode() + b"\n")
    for array in plain:
        out.write(array.data.cast("B") if array.size else b"")
    out.flush()


def read(given: IO[bytes], most_bytes: int = MAX_ARRAY_BYTES) -> tuple[dict[str, Any], list[Array]] | None:
    """The next message with its arrays, which have at most `most_bytes` together; None at the end.

    Raises:
        FrameError: it is none, or larger than any that is meant.
    """
    line = given.readline(MAX_LINE_BYTES)
    if not line:
        return None
    try:
        message = json.loads(line)
        told = message.pop("arrays")
        if not isinstance(told, list) or len(told) > MAX_ARRAYS:
            raise FrameError("too many arrays")
        arrays: list[Array] = []
        for one in told:
            arrays.append(_array(given, one["kind"], one["shape"], most_bytes - sum(a.nbytes for a in arrays)))
        return message, arrays
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as exc:
        raise FrameError(str(exc)[:200] or type(exc).__name__) from exc


def _array(given: IO[bytes], kind: str, shape: Sequence[int], most_bytes: int) -> Array:
    dtype = np.dtype(_KINDS[kind])
    if any(type(n) is not int or n < 0 for n in shape) or len(shape) > 16:
        raise FrameError(f"no shape: {str(shape)[:80]}")
    size = math.prod(shape) * dtype.itemsize
    if size > most_bytes:
        raise FrameError(f"an array of {size} bytes where {most_bytes} are left")
    raw = bytearray(size)
    view, done = memoryview(raw), 0
    while done < size:
        got = given.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise FrameError("it ends within an array")
        done += got
    return np.frombuffer(raw, dtype).reshape(shape)
