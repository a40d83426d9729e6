"""One row of the table: an attack, how often it was tried, what came of it in figures, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Part = Callable[[Path, bool], Iterator["Row"]]
"""A part of the attack: given an empty folder and whether the short form is meant, it yields its rows."""


@dataclass
class Row:
    """What came of one attack."""

    attack: str
    count: int
    figures: dict[str, Any] = field(default_factory=dict)
    through: list[str] = field(default_factory=list)  # what got through; there must be nothing

    def expect(self, held: object, otherwise: str) -> None:
        """Note what got through where something did not hold."""
        if not held:
            self.through.append(otherwise[:2000])

    @property
    def verdict(self) -> str:
        """In a word."""
        return "fail" if self.through else "pass"

    def plain(self) -> dict[str, Any]:
        """For the JSON document."""
        figures = {k: round(v, 1) if isinstance(v, float) else v for k, v in self.figures.items()}
        return asdict(self) | {"figures": figures, "verdict": self.verdict}
