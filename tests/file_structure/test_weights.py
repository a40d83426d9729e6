"""Stored numbers that are looked at: those that slow a processor down, and those that are none."""

from __future__ import annotations

import numpy as np
import pytest

from udacisense.file_structure import weights
from udacisense.file_structure.structure import FileError
from udacisense.file_structure.weights import bytes_of, tensor_of

TINY = np.finfo(np.float32).smallest_normal


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_subnormal_and_broken_values_are_counted_in_every_chunk(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "CHUNK", 4)
    values = np.array([0, 1, -TINY / 2, TINY, np.nan, TINY / 4, np.inf, -np.inf, -1, TINY / 8], dtype)
    found = tensor_of("w", (10,), dtype, values.tobytes())
    assert (found.subnormal, found.not_finite, found.stored_bytes) == (3, 3, values.nbytes)


def test_a_narrow_float_is_never_subnormal_and_an_integer_never_broken() -> None:
    half = np.array([1e-7, np.inf, 1], np.float16)
    assert half[0] > 0
    found = tensor_of("w", (3,), "float16", half.tobytes())
    assert (found.subnormal, found.not_finite) == (0, 1)
    odd = tensor_of("q", (5,), "int8", b"\x00\x01\x7f\x80\xff", scales=1, scale_bytes=4)
    assert (odd.subnormal, odd.not_finite) == (0, 0)
    assert bytes_of([found, odd]) == 6 + 5 + 4


def test_half_a_value_is_refused_with_the_name_of_its_tensor() -> None:
    with pytest.raises(FileError, match=r"'w' has 5 bytes.*float32"):
        tensor_of("w", (1,), "float32", b"12345")
