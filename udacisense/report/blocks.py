"""Blocks of a document, before it is Markdown, HTML or text on a terminal."""

from __future__ import annotations

from dataclasses import dataclass


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
class Warnings:
    """Sentences to mind."""

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


Block = Heading | Paragraph | Bullets | Warnings | Table | Gallery
