"""Text from files without what cannot be seen: control characters, turned directions, bytes that are no text."""

from __future__ import annotations

import re

MARK = "\N{REPLACEMENT CHARACTER}"
_SPACE = re.compile(r"[ \t-\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: object) -> str:
    """The text with a mark in the place of each character that a terminal obeys, that hides, or that cannot be written."""
    return _UNSEEN.sub(MARK, str(text))


def one_line(text: object) -> str:
    """The visible text in one line."""
    return visible(_SPACE.sub(" ", str(text))).strip(" ")
