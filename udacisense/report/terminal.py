"""Blocks as text on a terminal: tables as wide as it is; where a table does not fit, each row becomes a short paragraph."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from udacisense.plain_text import visible
from udacisense.report.blocks import Block, Bullets, Gallery, Heading, Paragraph, Table, Warnings

GAP = 2  # columns between two cells
SENTENCE = 30
"""A cell with more text than this is read in lines of at least so many columns."""
FIGURE = 12
"""A cell with less text, such as a figure with its unit, stays in one line."""
PAIR = 40
"""A longer value begins a line of its own where rows are paragraphs."""


def to_terminal(blocks: Sequence[Block], console: Console) -> None:
    """Print the blocks; what people named their files is printed as it is, never read as markup."""
    for before, block in zip((None, *blocks), blocks, strict=False):
        if before is not None and (isinstance(block, Heading) or (isinstance(before, Table) and isinstance(block, Table))):
            console.print()
        _print(console, block)


def _print(console: Console, block: Block) -> None:
    match block:
        case Heading(_, text):
            _lines(console, text, style="bold")
        case Paragraph(text):
            _lines(console, text)
        case Bullets(items):
            _lines(console, *(f"· {item}" for item in items))
        case Warnings(items):
            _lines(console, *(f"! {item}" for item in items))
        case Table():
            _table(console, block)
        case Gallery(images):
            _lines(console, f"The HTML report shows {len(images)} of these images.")


def _table(console: Console, table: Table) -> None:
    widths = _widths(table, console.width)
    if widths is None:
        _lines(console, *_stacked(table, console.width))
    else:
        console.print(_grid(table, widths))


def _lines(console: Console, *texts: str, style: str = "") -> None:
    """Never wrapped inside, so that a path or a command can be copied."""
    for text in texts:
        console.print(Text(visible(text), style), soft_wrap=True)


# --- tables ---------------------------------------------------------------------------------------------------------------


def _widths(table: Table, width: int) -> list[int] | None:
    """How wide each column may be so that all fit; None where they cannot, even with their texts in several lines."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    least, widths = list(map(_least, columns)), list(map(_widest, columns))
    room = width - GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        most = max(range(len(columns)), key=lambda c: widths[c] - least[c])
        widths[most] -= 1
    return widths


def _widest(cells: Sequence[str]) -> int:
    return max(len(line) for cell in cells for line in cell.split("\n"))


def _least(cells: Sequence[str]) -> int:
    """The columns that a column of cells needs: no figure and no word is broken, and sentences have room to be read."""
    return max(_least_of(line) for cell in cells for line in cell.split("\n"))


def _least_of(line: str) -> int:
    if len(line) <= FIGURE:
        return len(line)
    return max(SENTENCE if len(line) > SENTENCE else 0, *map(len, line.split(" ")))


def _grid(table: Table, widths: Sequence[int]) -> Grid:
    made = Grid(box=None, pad_edge=False)
    for name, width in zip(table.columns, widths, strict=True):
        made.add_column(Text(visible(name)), width=width, overflow="fold")
    for row in table.rows:
        made.add_row(*(Text(visible(cell)) for cell in row))
    return made


def _stacked(table: Table, width: int) -> Iterator[str]:
    """A row in lines: its first cell, then the others by the names of their columns."""
    for row in table.rows:
        yield row[0]
        pairs = [f"{name}: {cell}" if name else cell for name, cell in zip(table.columns[1:], row[1:], strict=True) if cell]
        yield from _filled(pairs, width - GAP)


def _filled(pairs: Sequence[str], width: int) -> Iterator[str]:
    """As many short pairs in a line as it holds; a long one in lines of its own."""
    line = ""
    for pair in pairs:
        if len(pair) > PAIR:
            yield from _indented([line] if line else [])
            yield from _indented(textwrap.wrap(pair, width, break_long_words=False, break_on_hyphens=False))
            line = ""
        elif not line or len(line) + len(pair) + 3 > width:
            yield from _indented([line] if line else [])
            line = pair
        else:
            line = f"{line} · {pair}"
    yield from _indented([line] if line else [])


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"{' ' * GAP}{line}" for line in lines)
