"""A reader of flatbuffers that believes nothing: every offset and length is checked against the file before it is followed.

Layout: https://flatbuffers.dev/internals/. Fields are named by their number in the schema, which a schema never changes.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udacisense.file_structure.structure import FileError

MAX_TABLES = 200_000
"""Longest list of tables that is followed; the largest phone classifiers have a few thousand."""


class Table:
    """One table in a buffer, at a position."""

    def __init__(self, data: memoryview, at: int) -> None:
        self._data = data
        self._at = at

    @classmethod
    def root(cls, data: memoryview, identifier: bytes) -> Table:
        """The root table of a whole buffer that carries a file identifier such as b"TFL3".

        Raises:
            FileError: the buffer is too short or carries another identifier.
        """
        if len(data) < 8 or bytes(data[4:8]) != identifier:
            raise FileError(f"the file does not carry the mark {identifier.decode()!r} of its format")
        return cls(data, _number(data, 0, "<I"))

    def integer(self, field: int, code: str = "i", default: int = 0) -> int:
        """A number, by its struct code: b B h H i I q Q."""
        at = self._field(field)
        return default if at is None else int(_number(self._data, at, "<" + code))

    def real(self, field: int, default: float = 0.0) -> float:
        """A 32-bit float."""
        at = self._field(field)
        return default if at is None else _number(self._data, at, "<f")

    def text(self, field: int) -> str:
        """A string; "" where it is left out."""
        return bytes(self.raw(field)).decode("utf-8", "replace")

    def raw(self, field: int) -> memoryview:
        """The bytes of a vector of bytes."""
        return self._vector(field, 1)[0]

    def numbers(self, field: int, dtype: str) -> NDArray[np.generic]:
        """A vector of numbers of a numpy type such as "<i4"."""
        part, _ = self._vector(field, np.dtype(dtype).itemsize)
        return np.frombuffer(part, dtype)

    def integers(self, field: int) -> tuple[int, ...]:
        """A vector of 32-bit integers."""
        return tuple(int(n) for n in self.numbers(field, "<i4"))

    def table(self, field: int) -> Table | None:
        """A table; None where it is left out."""
        at = self._field(field)
        return None if at is None else Table(self._data, at + _number(self._data, at, "<I"))

    def tables(self, field: int) -> list[Table]:
        """A vector of tables.

        Raises:
            FileError: it is longer than that of any model.
        """
        part, start = self._vector(field, 4)
        if len(part) // 4 > MAX_TABLES:
            raise FileError(f"the file lists {len(part) // 4} parts where a model has a few thousand at most")
        offsets = np.frombuffer(part, "<u4")
        return [Table(self._data, start + 4 * i + int(offset)) for i, offset in enumerate(offsets)]

    def _vector(self, field: int, width: int) -> tuple[memoryview, int]:
        """The bytes of a vector whose items are `width` wide, and where they start; empty where it is left out."""
        at = self._field(field)
        if at is None:
            return self._data[:0], 0
        start = at + _number(self._data, at, "<I")
        length = _number(self._data, start, "<I")
        start += 4
        return cut(self._data, start, length * width), start

    def _field(self, field: int) -> int | None:
        index = 4 + 2 * field
        if index + 2 > self._vtable[1]:
            return None
        offset = _number(self._data, self._vtable[0] + index, "<H")
        return self._at + offset if offset else None

    @cached_property
    def _vtable(self) -> tuple[int, int]:
        """Where the table of field positions lies, and its length in bytes."""
        at = self._at - _number(self._data, self._at, "<i")
        return at, _number(self._data, at, "<H")


def cut(data: memoryview, start: int, size: int) -> memoryview:
    """A part of the data.

    Raises:
        FileError: it would lie outside.
    """
    if start < 0 or size < 0 or start + size > len(data):
        raise FileError("the file ends before one of its parts does: it is cut off or damaged")
    return data[start : start + size]


def _number(data: memoryview, at: int, code: str) -> Any:
    """A number by its struct code; raises where it lies outside the data."""
    if at < 0 or at + struct.calcsize(code) > len(data):
        raise FileError("the file points outside itself: it is cut off or damaged")
    return struct.unpack_from(code, data, at)[0]
