"""What keyboard and screen reader need: headings that skip no level, and code that wraps, for what scrolls must take focus."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = [PROJECT / "app.py", *(PROJECT / "pages").rglob("*.py"), *(PROJECT / "ui").rglob("*.py")]
SKIPS = re.compile(r"st\.subheader\(|\.subheader\(|[\"']#{4,} ")
"""`st.subheader` writes an h3, and `st.title` an h1: between them a level would be missing. So would one above "#### "."""


def test_no_heading_skips_a_level_below_the_title() -> None:
    skipping = [f"{source.relative_to(PROJECT)}: {line.strip()}" for source in SOURCES
                for line in source.read_text(encoding="utf-8").splitlines() if SKIPS.search(line)]  # fmt: skip
    assert not skipping


def test_a_heading_of_the_third_level_stands_below_one_of_the_second() -> None:
    """The one h3 of the pages is the board of recipes, below the header of the chosen file."""
    third = [source.name for source in SOURCES if '"### ' in source.read_text(encoding="utf-8")]
    assert third == ["recipe_trials.py"]


def test_code_wraps_for_a_block_that_scrolls_sideways_cannot_be_reached_by_keyboard() -> None:
    calls = [node for source in SOURCES for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.code"]  # fmt: skip
    assert calls
    assert not [ast.unparse(call) for call in calls if "wrap_lines=True" not in ast.unparse(call)]
