"""The door through which text of files comes onto a page: shown as it is written, never read as markup.

Streamlit reads nearly every text that it is given as Markdown, also labels, hints and toasts. So whatever comes out of a file
(ids, names, paths, messages, reasons, versions) goes through `escape` or `code` before it stands in one, and through
`in_chart` before it stands in a chart. tests/ui/test_plain_text.py holds ui/ and pages/ to it.
"""

from __future__ import annotations

from typing import TypeAlias

from udacisense.plain_text import one_line
from udacisense.report.markdown import code, escape

__all__ = ["Markdown", "code", "escape", "in_chart", "one_line"]

Markdown: TypeAlias = str
"""Text that is ready to be shown: our own markup, and all else in it escaped."""

_CHART = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "%": "&#37;", "$": "&#36;"})


def in_chart(text: object) -> str:
    """The text for a label, a legend or a hint of a chart: Plotly reads tags, %{...} and $...$ in them."""
    return one_line(text).translate(_CHART)
