"""Numbers of the command line: read, and refused by name of the fault."""

from __future__ import annotations

import pytest
import typer

from udacisense import ranges
from udacisense.cli.numbers import DEFAULT_TOLERANCE, list_within, numbers, within
from udacisense.types import TOLERANCE


@pytest.mark.parametrize(("text", "found"), [("1,2,all", (1, 2, 0)), (" 4 ,", (4,)), ("", ())])
def test_a_list_of_numbers_is_read(text: str, found: tuple[int, ...]) -> None:
    assert numbers(text) == found


def test_a_list_is_refused_for_each_wrong_number_in_it() -> None:
    check = list_within(ranges.BATCH)
    assert check("1,8") == "1,8"
    with pytest.raises(typer.BadParameter, match="'1,x' is no list of numbers"):
        check("1,x")
    with pytest.raises(typer.BadParameter):
        check("1,-3")


def test_one_number_is_held_to_its_range_and_none_is_none() -> None:
    check = within(ranges.TOLERANCE)
    assert (check(None), check(0.5)) == (None, 0.5)
    for wrong in (float("nan"), float("inf"), -1.0):
        with pytest.raises(typer.BadParameter):
            check(wrong)


def test_the_help_tells_the_tolerance_that_verify_takes() -> None:
    assert DEFAULT_TOLERANCE == TOLERANCE
