"""Blocks as Markdown (tables as GitHub renders them), and text from files made safe to stand in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from udacisense.plain_text import one_line
from udacisense.report.blocks import Block, Bullets, Gallery, Heading, Paragraph, Table, Warnings

JOINER = "\N{WORD JOINER}"
"""Has no width and no meaning; what it parts is no address, no emoji and no icon to a renderer, and the same to a reader."""

_PARTED = re.compile(
    r"(?i:https?|ftp|mailto|xmpp)(?=:)|(?i:www)(?=\.)"  # addresses, which renderers link without being asked
    r"|@(?=[\w-])"  # mail addresses, names of people
    r"|:(?=(?!\d\d:)[\w+-]+:|material/)"  # emoji and icons, not times
    r"|(?<!\S)[-<>~](?=(?:->|[->=])(?!\S))"  # arrows and their like
)
_SPECIAL = re.compile(
    r"[\\`*_\[\]<>|#~$]"
    r"|&(?=[#\w])"  # entities
    r"|:(?=[^\W\d]|:)"  # directives such as :red[...]
    r"|^[-+=](?=[-=\s]|$)"  # lists, underlines of headings
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def to_markdown(blocks: Sequence[Block]) -> str:
    """The text of a Markdown file; what people named their files is shown as it is, never read as markup."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {escape(text)}"
        case Paragraph(text):
            return escape(text)
        case Bullets(items) | Warnings(items):
            return "\n".join(f"- {escape(item)}" for item in items)
        case Table(columns, rows):
            lines = [tuple(map(escape, columns)), tuple("---" for _ in columns), *(tuple(map(escape, row)) for row in rows)]
            return "\n".join("| " + " | ".join(line) + " |" for line in lines)
        case Gallery(images):
            return f"The HTML report shows {len(images)} of these images."


def escape(text: object) -> str:
    """The text with all that a renderer of Markdown would read as markup made plain, in one line.

    Holds for CommonMark, for GitHub's tables and bare addresses, and for Streamlit's own signs (colours, icons, formulas).
    """
    parted = _PARTED.sub(rf"\g<0>{JOINER}", one_line(text))
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\g<0>", parted))


def code(text: object) -> str:
    """The text as a code span, whatever backticks it holds; nothing of nothing."""
    plain = one_line(text).replace(":material/", f":{JOINER}material/")
    if not plain:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", plain)), default=0) + 1)
    room = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{room}{plain}{room}{fence}"
