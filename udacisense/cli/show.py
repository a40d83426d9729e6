"""The answer of a verb printed for a person at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from udacisense.cli.answers import BLOCKS
from udacisense.report.blocks import Paragraph
from udacisense.report.terminal import to_terminal

MIN_WIDTH = 200  # columns where the output goes to a file: a row stays a line


def answer(verb: str, found: Any) -> None:
    """Print the answer of a verb on stdout."""
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, MIN_WIDTH)
    if verb == "report":
        _report(console, found)
    else:
        to_terminal(BLOCKS[verb](found), console)


def _report(console: Console, found: Any) -> None:
    if found.path is None:
        console.file.write(found.text)
    else:
        to_terminal([Paragraph(f"Written to {found.path}")], console)
