"""Text of files on a terminal, in a drawing and in a table of figures: nothing in it is obeyed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.story import Story
from udacisense.plain_text import one_line, visible
from udacisense.report import PipelineStage, PipelineSummary, draw_pipeline
from udacisense.report.blocks import Heading, Paragraph, Table, Warnings
from udacisense.report.terminal import to_terminal
from ui.shared.rows import to_csv


def test_what_a_terminal_would_obey_is_marked() -> None:
    assert visible("a\x1b[2Jb\x07c\rd\u202ee\ud800\n\tf") == "a�[2Jb�c�d�e�\n\tf"
    assert one_line(" a\n\n b\x1b ") == "a b�"


def test_names_in_lines_and_tables_are_printed_as_they_are() -> None:
    out = io.StringIO()
    console = Console(file=out, width=160, highlight=False, emoji=False)
    text = "[red]a[/red] :smile: \x1b]8;;http://evil.invalid\x1b\\b"
    cell = "[link=http://evil.invalid]x[/link] \x1b[31m"
    to_terminal([Paragraph(text), Heading(1, text), Warnings((text,)), Table((text,), ((cell,),))], console)
    console.width = 10
    to_terminal([Table((text, text), ((cell, cell),))], console)
    assert "\x1b" not in out.getvalue()
    assert "[red]a[/red] :smile: " in out.getvalue()
    assert "[link=http://evil.invalid]x[/link]" in out.getvalue()


def test_a_drawing_reads_no_formula_in_a_title(seeded_home: Story, tmp_path: Path) -> None:
    hostile = replace(seeded_home.readiness[0].verdicts[0], title=r"$\nonsense{$ and $x$")
    judged = replace(seeded_home.readiness[0], verdicts=(hostile,))
    artifact = replace(seeded_home.faithful, id=r"$\frac{$")
    stages = (
        PipelineStage("Optimized", seeded_home.checkpoint, "f", "t", None, None),
        PipelineStage("Mobile", artifact, "f", "t", None, None),
    )
    drawn = draw_pipeline(PipelineSummary(None, stages, (), (judged,)), tmp_path / "drawn.png")
    assert drawn.stat().st_size > 0


@pytest.mark.parametrize("text", ['=HYPERLINK("http://evil.invalid")', "@x", "+cmd|x", "-x()", "\t=1"])
def test_a_spreadsheet_reckons_no_text(text: str) -> None:
    row = next(csv.DictReader(io.StringIO(to_csv([{"name": text, "n": -1.5}]))))
    assert row == {"name": f"'{text}", "n": "-1.5"}


@pytest.mark.parametrize("text", ["pipeline_03", "+0.3 (0.1 to 0.5)", "-0.2 points", "a=b", ""])
def test_figures_and_names_stay_as_they_are_in_a_spreadsheet(text: str) -> None:
    assert next(csv.DictReader(io.StringIO(to_csv([{"name": text}, {"name": "x"}]))))["name"] == text
