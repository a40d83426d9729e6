"""The numbers of the command line: one that is not finite or out of range ends the verb before any work, with its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from udacisense import ranges
from udacisense.ranges import Range

ALL = "all"
DEFAULT_TOLERANCE = 1e-5  # udacisense.types.TOLERANCE, whose module the command line does not import for its help


def within(allowed: Range) -> Callable[[float | None], float | None]:
    """A check for an option that takes one number; typer puts the option's name before the message."""

    def check(value: float | None) -> float | None:
        fault = None if value is None else allowed.fault(value)
        if fault is not None:
            raise typer.BadParameter(f"{fault}.")
        return value

    return check


def list_within(allowed: Range) -> Callable[[str], str]:
    """A check for an option that takes a list of numbers."""

    def check(text: str) -> str:
        try:
            found = numbers(text)
        except ValueError as exc:
            raise typer.BadParameter(f"{text!r} is no list of numbers. Write it as 1,2.") from exc
        for fault in filter(None, map(allowed.fault, found)):
            raise typer.BadParameter(f"{fault}.")
        return text

    return check


def numbers(text: str) -> tuple[int, ...]:
    """Numbers from "1,2,all"; all is 0.

    Raises:
        ValueError: the text is no such list.
    """
    return tuple(0 if word.strip() == ALL else int(word) for word in text.split(",") if word.strip())


Seed = Annotated[
    int | None, typer.Option(callback=within(ranges.SEED), help="in place of the recipe's, to see what another one changes")
]
Tolerance = Annotated[
    float,
    typer.Option(
        callback=within(ranges.TOLERANCE),
        help="largest logit difference that counts as equal; with a larger one the record is exploratory: ready, pages and "
        "reports do not count it",
    ),
]
Threads = Annotated[
    str,
    typer.Option(callback=list_within(ranges.THREADS), help="numbers of threads, such as 1,2,all; by default the setting"),
]
Batch = Annotated[str, typer.Option(callback=list_within(ranges.BATCH), help="numbers of images a run, such as 1,8")]
Busy = Annotated[int, typer.Option(callback=within(ranges.BUSY), help="repeat it beside so many busy processes")]
Cpus = Annotated[
    str,
    typer.Option(
        callback=list_within(ranges.CPUS),
        help="pin the timed processes to these cores, such as 0,1; by default one for each thread",
    ),
]
Comparisons = Annotated[
    int,
    typer.Option(
        callback=within(ranges.COMPARISONS), help="of the file with itself; each other kind is made two fifths as often"
    ),
]
Crop = Annotated[
    float | None,
    typer.Option(callback=within(ranges.CROP), help="share kept by a crop after resizing; by default squeezed whole"),
]
