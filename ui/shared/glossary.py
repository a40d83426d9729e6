"""The glossary's definitions, read from docs/glossary.md, and the popover that shows those of a page."""

from __future__ import annotations

import re
from functools import lru_cache

import streamlit as st

from udacisense.settings import SHARED
from ui.shared.plain_text import Markdown, escape

GLOSSARY = SHARED / "docs" / "glossary.md"
TERMS: dict[str, tuple[str, ...]] = {
    "verify": (
        "equivalence",
        "agreement",
        "confidence interval",
        "prediction flip",
        "near-tie",
        "real break",
        "logit",
        "McNemar's test",
        "golden images",
        "rendered sample",
        "exploratory",
    ),
    "benchmark": (
        "run",
        "start",
        "interleaving",
        "steady latency",
        "P95 latency",
        "cold start",
        "peak memory",
        "quality grade",
        "confidence interval",
        "Pareto-optimal",
        "MB",
    ),
    "readiness": (
        "verdict",
        "readiness rule",
        "inconclusive",
        "baseline",
        "confidence interval",
        "percentage point",
        "equivalence",
        "rendered sample",
        "JSON record",
    ),
    "models": (
        "checkpoint",
        "lineage",
        "top-1",
        "confidence interval",
        "calibration error",
        "multiply-adds",
        "sparsity",
        "rendered sample",
        "JSON record",
    ),
}
"""Page -> the terms on it that not every reader knows."""

ENTRY = re.compile(r"^- \*\*(?P<term>.+?)\*\*: (?P<definition>.+)$", re.MULTILINE)


@lru_cache(maxsize=1)
def definitions() -> dict[str, str]:
    """Term -> its definition in one line, in the glossary's order."""
    found = ENTRY.finditer(GLOSSARY.read_text(encoding="utf-8"))
    return {entry["term"]: entry["definition"] for entry in found}


def term(name: str) -> str:
    """The definition of a term, `term("quality grade")`.

    Raises:
        KeyError: the glossary does not have it; a test asks for all of `TERMS`.
    """
    return definitions()[name]


def glossary_popover(page: str) -> None:
    """A button that shows what the terms of a page mean. One on a page, below its heading."""
    with st.popover("Terms on this page", icon=":material/menu_book:", type="tertiary"):
        for name in TERMS[page]:
            st.markdown(_line(name, term(name)))


def _line(name: str, definition: str) -> Markdown:
    return f"**{escape(name)}**: {escape(definition.replace('`', ''))}"
