"""Blocks as Markdown (tables as GitHub renders them)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from udacisense.report.blocks import Block, Bullets, Gallery, Grid, Heading, Text

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def to_markdown(blocks: Sequence[Block]) -> str:
    """The text of a Markdown file; what people named their files is shown as it is, never read as markup."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {escape(text)}"
        case Text(text):
            return escape(text)
        case Bullets(items):
            return "\n".join(f"- {escape(item)}" for item in items)
        case Grid(columns, rows):
            lines = [columns, tuple("---" for _ in columns), *rows]
            return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
        case Gallery(pictures):
            return f"The HTML report shows {len(pictures)} of these pictures."


def _cell(text: str) -> str:
    return text if text == "---" else escape(text)


def escape(text: str) -> str:
    """The text with every character that Markdown would read as markup made plain, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
