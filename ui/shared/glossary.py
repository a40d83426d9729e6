"""The glossary's definitions, read from docs/glossary.md, and the popover that shows those of a page."""

from __future__ import annotations

import re
from functools import lru_cache

import streamlit as st

from udacisense.settings import SHARED
from ui.shared.plain_text import Markdown, escape

GLOSSARY = SHARED / "docs" / "glossary.md"
ENTRY = re.compile(r"^- \*\*(?P<term>.+?)\*\*: (?P<definition>.+)$", re.MULTILINE)


@lru_cache(maxsize=1)
def definitions() -> dict[str, str]:
    """Term -> its definition in one line, in the glossary's order."""
    found = ENTRY.finditer(GLOSSARY.read_text(encoding="utf-8"))
    return {entry["term"]: entry["definition"] for entry in found}


def term(name: str) -> str:
    """The definition of a term, `term("quality grade")`.

    Raises:
        KeyError: the glossary does not have it; a test asks for every term that a page names.
    """
    return definitions()[name]


def glossary_popover(*terms: str) -> None:
    """A button that shows what the terms of a page mean, for those who do not know them. One on a page."""
    with st.popover("Terms on this page", icon=":material/menu_book:", type="tertiary"):
        for name in terms:
            st.markdown(_line(name, term(name)))


def _line(name: str, definition: str) -> Markdown:
    return f"**{escape(name)}**: {escape(definition.replace('`', ''))}"
