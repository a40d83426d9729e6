"""The glossary: every term that a page asks for is in it, and the page shows its definition."""

from __future__ import annotations

import re

import pytest

from tests.driving import app, quick_answers, words
from tests.story import Story
from udacisense.settings import PROJECT
from ui.shared.glossary import GLOSSARY, TERMS, definitions, term

__all__ = ["quick_answers"]


def test_each_term_has_one_line_in_alphabetical_order() -> None:
    entries = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    assert len(entries) == len(definitions()), "a line is no entry, or a term is there twice"
    assert list(definitions()) == sorted(definitions(), key=str.lower)


def test_a_term_is_explained_and_an_unknown_one_is_an_error() -> None:
    assert "A to D" in term("quality grade")
    with pytest.raises(KeyError):
        term("no such term")


def test_every_term_of_a_page_is_in_the_glossary() -> None:
    assert [(page, name) for page, terms in TERMS.items() for name in terms if name not in definitions()] == []


def test_the_pages_with_terms_show_them_once() -> None:
    shown = {
        page.stem: re.findall(r"glossary_popover\(\"(\w+)\"\)", page.read_text(encoding="utf-8"))
        for page in (PROJECT / "pages").glob("*.py")
    }
    assert {page: names for page, names in shown.items() if names} == {page: [page] for page in TERMS}


@pytest.mark.parametrize("page", TERMS)
def test_the_page_shows_the_definitions(seeded_home: Story, page: str) -> None:
    shown = words(app(f"pages/{page}.py"))
    assert [name for name in TERMS[page] if f"**{name}**: {term(name).replace('`', '')}" not in shown] == []
