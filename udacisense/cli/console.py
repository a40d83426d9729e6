"""Terminal output: tables, lines, warnings."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from udacisense.plain_text import visible


def table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Rows of text below a title."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")  # an id cut short could not be copied
    for row in rows:
        made.add_row(*(escape(visible(cell)) for cell in row))
    console.print(made)


def lines(console: Console, *texts: str) -> None:
    """Lines of text, never wrapped inside."""
    for line in texts:
        console.print(escape(visible(line)), soft_wrap=True)


def warnings(console: Console, found: Iterable[str]) -> None:
    """Sentences to mind, each marked."""
    lines(console, *(f"! {warning}" for warning in found))
