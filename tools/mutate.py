"""Ways to change a file that its reader may trip over. Half of them hit what looks like an offset, a length or a name."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LENGTHS = (0, 1, 0x7F, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)
"""Values of four bytes that lengths and offsets trip over."""

CHANGES = (1, 1, 1, 2, 6)
"""How many changes one file gets."""

MAX_PART = 4096  # bytes that are doubled, taken out or put in at once


def mutate(whole: Sequence[bytes], luck: random.Random) -> tuple[bytes, str]:
    """A changed copy of one of the files, and how it was changed."""
    content = luck.choice(whole)
    if content[:2] == b"PK" and luck.random() < 0.7:
        return _inside(content, luck)
    return _changed(content, whole, luck)


def _inside(content: bytes, luck: random.Random) -> tuple[bytes, str]:
    """An archive with one member changed, packed anew so that its checksums fit and the reader goes on."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {entry: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    chosen = luck.choice(list(members))
    changed, how = _changed(members[chosen], list(members.values()), luck)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry, held in members.items():
            archive.writestr(entry.filename, changed if entry is chosen else held)
    return buffer.getvalue(), f"{chosen.filename}: {how}"


def _changed(content: bytes, whole: Sequence[bytes], luck: random.Random) -> tuple[bytes, str]:
    data, how = bytearray(content), []
    for _ in range(luck.choice(CHANGES)):
        if not data:
            break
        way = luck.choice(WAYS)
        at = _place(content, len(data), luck)
        how.append(f"{way.__name__} at {at}")
        way(Change(data, at, whole, luck))
    return bytes(data), ", ".join(how)


def _place(content: bytes, length: int, luck: random.Random) -> int:
    """Where to change: half of the time at a place that looks like an offset, a length or the start of a name."""
    places = anchors(content)
    at = int(luck.choice(places)) if len(places) and luck.random() < 0.5 else luck.randrange(length)
    return min(at, length - 1)


@lru_cache(maxsize=64)
def anchors(content: bytes) -> NDArray[np.int64]:
    """Places whose four bytes could be an offset into the file, and places right before a run of letters."""
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    offsets = np.flatnonzero((words > 0) & (words < len(content))) * 4
    letters = np.frombuffer(content, np.uint8)
    isletter = (letters >= 0x41) & (letters < 0x7B)
    runs = (
        isletter[4:] & isletter[3:-1] & isletter[2:-2] & isletter[1:-3] & ~isletter[:-4] if len(content) > 4 else isletter[:0]
    )
    return np.concatenate([offsets, np.flatnonzero(runs)])


class Change:
    """One change of some bytes at a place; every method is a way."""

    def __init__(self, data: bytearray, at: int, whole: Sequence[bytes], luck: random.Random) -> None:
        self._data, self._at, self._whole, self._luck = data, at, whole, luck

    def flip(self) -> None:
        """One bit."""
        self._data[self._at] ^= 1 << self._luck.randrange(8)

    def noise(self) -> None:
        """Some bytes drawn at random."""
        part = self._luck.randbytes(self._luck.choice((1, 4, 64)))
        self._data[self._at : self._at + len(part)] = part

    def length(self) -> None:
        """Four bytes that say too much, nothing, or nearly the right thing."""
        near = len(self._data) + self._luck.randint(-8, 8)
        number = self._luck.choice((*LENGTHS, max(near, 0), max(near - self._at, 0)))
        self._data[self._at : self._at + 4] = (number & 2**32 - 1).to_bytes(4, "little")

    def endless(self) -> None:
        """A huge length in the writing of protocol buffers."""
        self._data[self._at : self._at + 1] = b"\xff" * self._luck.randint(1, 9) + b"\x01"

    def cut(self) -> None:
        """The end is missing."""
        del self._data[self._at :]

    def take(self) -> None:
        """A part is missing."""
        del self._data[self._at : self._at + self._luck.randint(1, MAX_PART)]

    def double(self) -> None:
        """A part comes twice, or far more often."""
        part = self._data[self._at : self._at + self._luck.randint(1, MAX_PART)]
        self._data[self._at : self._at] = part * self._luck.choice((1, 2, 50))

    def splice(self) -> None:
        """A part of another file, in place of what is there or between."""
        other = self._luck.choice(self._whole)
        start = self._luck.randrange(len(other)) if other else 0
        part = other[start : start + self._luck.randint(1, MAX_PART)]
        self._data[self._at : self._at + self._luck.choice((0, len(part)))] = part


WAYS = Change.flip, Change.noise, Change.length, Change.endless, Change.cut, Change.take, Change.double, Change.splice
