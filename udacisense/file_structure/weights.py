"""Looks at stored numbers: how many are subnormal, how many are no numbers at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from udacisense.file_structure.structure import FileError, Tensor

WIDTHS = {"float32": np.float32, "float16": np.float16, "float64": np.float64}
CHUNK = 1 << 20  # values looked at in one go, so that memory stays bounded


def tensor_of(
    name: str, shape: tuple[int, ...], dtype: str, data: memoryview | bytes, scales: int = 0, scale_bytes: int = 0
) -> Tensor:
    """A stored tensor, its values looked at where they are floats.

    Subnormal is what float32 arithmetic treats as such; a float16 value is widened before it is used, so it never is.

    Raises:
        FileError: the bytes are no whole number of values.
    """
    values: NDArray[np.generic] = np.frombuffer(data, np.uint8)
    subnormal = not_finite = 0
    if dtype in WIDTHS:
        width = np.dtype(WIDTHS[dtype]).itemsize
        if len(values) % width:
            raise FileError(f"the tensor {name!r} has {len(values)} bytes, which is no whole number of {dtype} values")
        values = values.view(WIDTHS[dtype])
        tiny = np.finfo(np.float32).tiny
        for start in range(0, len(values), CHUNK):
            part = values[start : start + CHUNK]
            with np.errstate(invalid="ignore", over="ignore"):
                size = np.abs(part)
            if dtype != "float16":
                subnormal += int(((size > 0) & (size < tiny)).sum())
            not_finite += int((~np.isfinite(part)).sum())
    return Tensor(name, shape, dtype, len(data), scales, scale_bytes, subnormal, not_finite)


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Bytes of stored tensors in the file, with their scales."""
    return sum(t.stored_bytes + t.scale_bytes for t in tensors)
