"""Blocks of a document, before it is Markdown or HTML, and the style of the figures in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udacisense.metrics.stats import Estimate

MB = 1024 * 1024  # the course writes size / 1,048,576 as "MB"; so does every page

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Heading:
    """A headline; level 1 is the document's."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has a cell for every column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row must have {len(self.columns)} cells, got {len(row)}: {row}")


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """A small image with what is said of it."""

    png: bytes
    caption: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Images side by side; a document that cannot hold images leaves them out."""

    images: tuple[EmbeddedImage, ...]


Block = Heading | Paragraph | Bullets | Table | Gallery


def percent(fraction: float | None) -> str:
    """A fraction as "87.5 %"."""
    return NOT_MEASURED if fraction is None else f"{fraction * 100:.1f} %"


def share(found: Estimate, note: str = "") -> str:
    """A share with its 95 % interval: "82.7 % (80.2 to 84.9)"; the note stands behind the interval."""
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f}{note})"


def ratio(found: Estimate | None) -> str:
    """A ratio with its 95 % interval: "0.58 (0.57 to 0.59)"."""
    return NOT_MEASURED if found is None else f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def megabytes(size_bytes: int | None) -> str:
    """A size as "5.96 MB" (1 MB = 1,048,576 bytes)."""
    return NOT_MEASURED if size_bytes is None else f"{size_bytes / MB:.2f} MB"


def milliseconds(seconds: float | None) -> str:
    """A time as "7.31 ms"."""
    return NOT_MEASURED if seconds is None else f"{seconds * 1000:.2f} ms"


def decibels(value: float | None) -> str:
    """A ratio as "35.2 dB"; None is what a comparison of equal things gives."""
    return "identical" if value is None else f"{value:.1f} dB"


def measured(value: float | None, unit: str, interval: tuple[float, float] | None = None) -> str:
    """A value in its own unit, with its 95 % interval where there is one."""
    if value is None:
        return NOT_MEASURED
    around = f" (95 %: {_figure(interval[0], unit)} to {_figure(interval[1], unit)})" if interval else ""
    return f"{_figure(value, unit)} {unit}{around}".strip()


def _figure(value: float, unit: str) -> str:
    decimals = 2 if unit == "ms" else 1
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0 turns -0 into 0


def commas(items: Sequence[str]) -> str:
    """Items in one line; "none" where there are none."""
    return ", ".join(items) or "none"
