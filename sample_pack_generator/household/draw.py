"""Named random draws: a scene is a function of its seed, and every choice is written down by its name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Value = str | int | float | bool


class Draw:
    """Draws values that depend on the seed and on the name of the draw alone, not on the order of the draws.

    So a new parameter in one place leaves all other parameters of the scene as they were.
    """

    def __init__(self, seed: int, path: str = "", log: dict[str, Value] | None = None) -> None:
        self.seed = seed
        self._path = path
        self.log: dict[str, Value] = {} if log is None else log

    def scope(self, name: str) -> Draw:
        """The same draws under a longer name; the log is shared."""
        return Draw(self.seed, f"{self._path}{name}.", self.log)

    def rng(self, name: str) -> np.random.Generator:
        """A generator for bulk noise (textures); not logged, for the seed and the name say it all."""
        digest = hashlib.blake2b(f"{self.seed}/{self._path}{name}".encode(), digest_size=8).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))

    def uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high], rounded to four decimals so that the log holds the exact value."""
        return self._note(name, round(float(self.rng(name).uniform(low, high)), 4))

    def integer(self, name: str, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return self._note(name, int(self.rng(name).integers(low, high + 1)))

    def chance(self, name: str, probability: float) -> bool:
        """True with this probability."""
        return self._note(name, bool(self.rng(name).random() < probability))

    def choice(self, name: str, options: Sequence[T]) -> T:
        """One of the options; the log keeps it as text or number."""
        return self._pick(name, options, int(self.rng(name).integers(len(options))))

    def cycle(self, name: str, options: Sequence[T]) -> T:
        """The option whose turn it is by the seed, so that neighbouring seeds cover all of them evenly."""
        return self._pick(name, options, self.seed % len(options))

    def _pick(self, name: str, options: Sequence[T], index: int) -> T:
        chosen = options[index]
        self._note(name, chosen if isinstance(chosen, str | int | float | bool) else index)
        return chosen

    def _note(self, name: str, value: T) -> T:
        if isinstance(value, str | int | float | bool):
            self.log[self._path + name] = value
        return value
