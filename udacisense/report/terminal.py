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
        case Table() if _fits(block, console.width):
            console.print(_grid(block))
        case Table():
            _lines(console, *_stacked(block, console.width))
        case Gallery(images):
            _lines(console, f"The HTML report shows {len(images)} of these images.")


def _lines(console: Console, *texts: str, style: str = "") -> None:
    """Never wrapped inside, so that a path or a command can be copied."""
    for text in texts:
        console.print(Text(visible(text), style), soft_wrap=True)


# --- tables ---------------------------------------------------------------------------------------------------------------


def _fits(table: Table, width: int) -> bool:
    return sum(map(_least, _columns(table))) + GAP * (len(table.columns) - 1) <= width


def _columns(table: Table) -> Iterator[tuple[str, ...]]:
    return zip(table.columns, *table.rows, strict=True)


def _least(cells: Sequence[str]) -> int:
    """The columns that a column of cells needs: its longest word, and room to read where it holds sentences."""
    word = max((len(word) for cell in cells for word in cell.split(" ") for word in word.split("\n")), default=0)
    line = max((len(line) for cell in cells for line in cell.split("\n")), default=0)
    return max(word, min(line, SENTENCE))


def _grid(table: Table) -> Grid:
    made = Grid(box=None, pad_edge=False)
    for name, cells in zip(table.columns, _columns(table), strict=True):
        made.add_column(Text(visible(name)), min_width=_least(cells), overflow="fold")  # an id cut short could not be copied
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
