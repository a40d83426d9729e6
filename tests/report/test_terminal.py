"""One document, three renderers: what the terminal prints of blocks at any width, and that no block is unknown to one."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from rich.console import Console

from udacisense.cli.answers import BLOCKS
from udacisense.cli.app import app
from udacisense.report import to_html, to_markdown
from udacisense.report.blocks import Block, Bullets, EmbeddedImage, Gallery, Heading, Paragraph, Table, Warnings
from udacisense.report.terminal import to_terminal

LONG = "Top-1 on 1,000 test images is 83.4 % against 82.7 % of its checkpoint, so that the rule is kept with room to spare."
ID = "torchscript-lite-fp32-4ce2fa81-93fcd5"
TABLE = Table(("artifact", "size", "", "why"), ((ID, "3.88 MB", "✔ pass", LONG), (f"{ID[:-1]}6", "3.89 MB", "", LONG)))
DOCUMENT: tuple[Block, ...] = (
    Heading(1, "Title"),
    Paragraph("A paragraph."),
    Bullets(("one item",)),
    Warnings(("mind this",)),
    TABLE,
    Gallery((EmbeddedImage(b"png", "a caption"),)),
)


def printed(width: int, *blocks: Block) -> str:
    out = io.StringIO()
    to_terminal(blocks, Console(file=out, width=width, highlight=False, emoji=False, markup=False))
    return out.getvalue()


def test_every_kind_of_block_is_rendered_by_all_three() -> None:
    assert {type(block) for block in DOCUMENT} == set(get_args(Block))
    for text in (to_html(DOCUMENT), to_markdown(DOCUMENT), printed(160, *DOCUMENT)):
        assert [said for said in ("Title", "A paragraph.", "one item", "mind this", ID, "3.88 MB") if said not in text] == []


def test_a_table_that_fits_has_a_line_of_columns_and_whole_ids() -> None:
    lines = printed(100, TABLE).splitlines()
    assert lines[0].split() == ["artifact", "size", "why"]
    assert lines[1].startswith(f"{ID}  3.88 MB  ✔ pass  Top-1 on")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_where_a_table_does_not_fit_each_row_tells_its_cells_by_name(width: int) -> None:
    said = printed(width, TABLE)
    assert max(map(len, said.splitlines())) <= width
    assert said.splitlines()[:2] == [ID, "  size: 3.88 MB · ✔ pass"]
    assert " ".join(said.split()).count(f"why: {LONG}") == 2


@pytest.mark.parametrize("width", [10, 40, 80, 100, 140, 200])
def test_no_width_cuts_an_id_or_loses_a_cell(width: int) -> None:
    said = printed(width, TABLE)
    words = {word for row in TABLE.rows for cell in row for word in cell.split()}
    assert words - set(said.split()) == set()


def test_a_path_or_a_command_is_never_broken() -> None:
    command = "python -m udacisense benchmark " + " ".join([ID] * 5)
    assert printed(40, Paragraph(command), Warnings((command,))).splitlines() == [command, f"! {command}"]


def test_tables_stand_apart_and_a_heading_begins_a_part() -> None:
    small = Table(("a",), (("1",),))
    assert [line.strip() for line in printed(80, small, small, Heading(2, "B"), small).splitlines()] == [
        "a", "1", "", "a", "1", "", "B", "a", "1"
    ]  # fmt: skip


def test_the_answer_of_every_verb_has_blocks() -> None:
    verbs = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert verbs - {"report"} == set(BLOCKS) - {"convert_all", "verify_all"}
