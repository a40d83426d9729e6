"""Lists of numbers on the command line."""

from __future__ import annotations

from udacisense.errors import MeasureError


def numbers(text: str) -> tuple[int, ...]:
    """Numbers from "1,2,all"; all is 0.

    Raises:
        MeasureError: the text is no such list.
    """
    try:
        return tuple(0 if word.strip() == "all" else int(word) for word in text.split(",") if word.strip())
    except ValueError as exc:
        raise MeasureError(f"{text!r} is no list of numbers. Write it as 1,2.") from exc
