"""A reader of protocol buffers that believes nothing: every length is checked against what is there before it is taken.

Wire format: https://protobuf.dev/programming-guides/encoding/. Fields are named by number, which a schema never changes.
"""

from __future__ import annotations

import struct
from functools import cached_property

from udacisense.file_structure.structure import FileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_FIELDS = 1_000_000
"""Most fields of one message that are read; weights are one field each, not one a value."""


class Message:
    """One message: its fields in the order in which they stand in the file."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def integer(self, field: int, default: int = 0) -> int:
        """The last number of a field, as a message means it that repeats a single field."""
        found = [value for value in self._fields.get(field, []) if isinstance(value, int)]
        return found[-1] if found else default

    def integers(self, field: int) -> tuple[int, ...]:
        """Every signed 64-bit number of a repeated field, packed or not."""
        found: list[int] = []
        for value in self._fields.get(field, []):
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                found.append(number)
        return tuple(n - 2**64 if n >= 2**63 else n for n in found)

    def raw(self, field: int) -> memoryview:
        """The bytes of a field; empty where it is left out."""
        found = self._blocks(field)
        return found[-1] if found else self._data[:0]

    def has(self, field: int) -> bool:
        """Whether the field is there at all."""
        return field in self._fields

    def text(self, field: int) -> str:
        """A string; "" where it is left out."""
        return _text(self.raw(field))

    def texts(self, field: int) -> tuple[str, ...]:
        """Every string of a repeated field."""
        return tuple(map(_text, self._blocks(field)))

    def message(self, field: int) -> Message:
        """A message; an empty one where it is left out."""
        return Message(self.raw(field))

    def messages(self, field: int) -> list[Message]:
        """Every message of a repeated field."""
        return [Message(block) for block in self._blocks(field)]

    def mapping(self, field: int) -> dict[str, Message]:
        """A map from strings to messages."""
        return {entry.text(1): entry.message(2) for entry in self.messages(field)}

    def texts_by_key(self, field: int) -> dict[str, str]:
        """A map from strings to strings."""
        return {entry.text(1): entry.text(2) for entry in self.messages(field)}

    def _blocks(self, field: int) -> list[memoryview]:
        return [value for value in self._fields.get(field, []) if not isinstance(value, int)]

    @cached_property
    def _fields(self) -> dict[int, list[int | memoryview]]:
        found: dict[int, list[int | memoryview]] = {}
        at = count = 0
        while at < len(self._data):
            key, at = _varint(self._data, at)
            value, at = _value(self._data, at, key & 7)
            found.setdefault(key >> 3, []).append(value)
            count += 1
            if count > MAX_FIELDS:
                raise FileError(f"a message has more than {MAX_FIELDS} fields: no model has")
        return found


def _value(data: memoryview, at: int, kind: int) -> tuple[int | memoryview, int]:
    if kind == VARINT:
        return _varint(data, at)
    if kind == BYTES:
        length, at = _varint(data, at)
    elif kind in (FIXED32, FIXED64):
        length = 4 if kind == FIXED32 else 8
    else:
        raise FileError("the file is no protocol buffer, or damaged")
    if at + length > len(data):
        raise FileError("the file ends before one of its parts does: it is cut off or damaged")
    part = data[at : at + length]
    if kind == BYTES:
        return part, at + length
    return int(struct.unpack("<I" if kind == FIXED32 else "<Q", part)[0]), at + length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise FileError("the file ends before one of its parts does: it is cut off or damaged")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (2**64 - 1), at
    raise FileError("a number in the file has no end: it is damaged")


def _text(block: memoryview) -> str:
    return bytes(block).decode("utf-8", "replace")
