"""The glossary: every term that a page asks for is in it, and the page shows its definition."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.driving import app, quick_answers, words
from tests.story import Story
from udacisense.settings import PROJECT
from ui.shared.glossary import GLOSSARY, definitions, term

__all__ = ["quick_answers"]

PAGES = ("verify", "benchmark", "readiness", "models")


def asked(page: Path) -> list[str]:
    """The terms that a page's source names, one list for each popover."""
    calls = [node for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    (popover,) = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "glossary_popover"]
    return [ast.literal_eval(argument) for argument in popover.args]


def test_each_term_has_one_line_in_alphabetical_order() -> None:
    entries = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    assert len(entries) == len(definitions()), "a line is no entry, or a term is there twice"
    assert list(definitions()) == sorted(definitions(), key=str.lower)


def test_a_term_is_explained_and_an_unknown_one_is_an_error() -> None:
    assert "A to D" in term("quality grade")
    with pytest.raises(KeyError):
        term("no such term")


@pytest.mark.parametrize("page", PAGES)
def test_every_term_of_a_page_is_in_the_glossary(page: str) -> None:
    terms = asked(PROJECT / "pages" / f"{page}.py")
    assert terms
    assert [name for name in terms if name not in definitions()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_page_shows_the_definitions(seeded_home: Story, page: str) -> None:
    shown = words(app(f"pages/{page}.py"))
    for name in asked(PROJECT / "pages" / f"{page}.py"):
        assert f"**{name}**: {term(name).replace('`', '')}" in shown
