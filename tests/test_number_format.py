"""Figures as people read them: units, rounding, and no number where nothing was measured."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from udacisense import number_format
from udacisense.metrics.stats import Estimate


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (number_format.mb(6_253_445), "5.96 MB"),
        (number_format.mb(None), "not measured"),
        (number_format.percent(0.798), "79.8 %"),
        (number_format.percent(None), "not measured"),
        (number_format.percent(0.0), "0.0 %"),
        (number_format.ms(0.005272), "5.27 ms"),
        (number_format.ms(0.0421), "42.1 ms"),
        (number_format.ms(1.5), "1,500 ms"),
        (number_format.count(1, "image"), "1 image"),
        (number_format.count(1000, "image"), "1,000 images"),
        (number_format.count(0, "file"), "0 files"),
        (number_format.count(None, "file"), "not measured"),
        (number_format.millions(1_528_106), "1.53 M"),
        (number_format.millions(5_420), "5.4 k"),
        (number_format.millions(12), "12"),
        (number_format.duration(8.04), "8.0 s"),
        (number_format.duration(59.9), "1 min 0 s"),
        (number_format.duration(125), "2 min 5 s"),
        (number_format.duration(3840), "1 h 4 min"),
        (number_format.when("2026-11-22T07:15:00Z"), "22 Nov 2026, 07:15 UTC"),
        (number_format.when("long ago"), "long ago"),
        (number_format.short("0123456789abcdef"), "01234567"),
    ],
)
def test_words(said: str, expected: str) -> None:
    assert said == expected


def test_figures_keep_three_digits_thousands_marks_and_no_minus_zero() -> None:
    assert number_format.ms(0.000352) == "0.352 ms"
    assert number_format.ms(0.0009999) == "1.00 ms"  # rounds up into the next size
    assert number_format.ms(0.0) == "0 ms"
    assert number_format.mb(2_000 * number_format.MB) == "2,000.00 MB"
    assert number_format.mb(500) == "under 0.01 MB"
    assert number_format.percent(-0.0001) == "0.0 %"
    assert number_format.percent(0.03, 0) == "3 %"
    assert number_format.points(-0.0123) == "-1.2 pp"


def test_an_interval_is_written_one_way() -> None:
    found = Estimate(0.827, 0.802, 0.849)
    assert number_format.share(found) == "82.7 % (80.2 to 84.9)"
    assert number_format.share(found, ", sample") == "82.7 % (80.2 to 84.9, sample)"
    assert number_format.ratio(found) == "0.83 (0.80 to 0.85)"
    assert number_format.change(Estimate(-0.008, -0.02, 0.004)) == "-0.8 pp (-2.0 to +0.4)"
    assert number_format.measured(8.31, "ms", (8.2, 8.4444)) == "8.31 ms (95 %: 8.20 to 8.44)"
    assert number_format.share(None) == number_format.ratio(None) == number_format.measured(None, "ms") == "not measured"


ALLOWED = {"udacisense/number_format.py"}
HOME = Path(__file__).resolve().parents[1]
BY_HAND = ("2 ** 20", "2 ** 30", "MB", "1024", "1048576")


def test_no_other_module_writes_percent_signs_and_megabytes_by_hand() -> None:
    sources = [p for root in ("udacisense", "ui", "pages") for p in sorted((HOME / root).rglob("*.py"))]
    assert len(sources) > 200
    found = [f"{p.relative_to(HOME)}:{line}" for p in sources for line in by_hand(p.read_text("utf-8"))]
    assert [where for where in found if where.partition(":")[0] not in ALLOWED] == []


def test_the_scan_finds_both_kinds() -> None:
    assert list(by_hand('a = f"{x:.1%} of it"\nb = f"{n / 2**20:.2f} MB"\nc = f"{x:.1f}"')) == [1, 2]


def by_hand(source: str) -> Iterator[int]:
    """Lines with an f-string that ends a format in % or divides by a power of 1024."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FormattedValue):
            continue
        spec = ast.unparse(node.format_spec).rstrip("'\"") if node.format_spec else ""
        if spec.endswith("%") or _divides_bytes(node.value):
            yield node.lineno


def _divides_bytes(value: ast.expr) -> bool:
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div) and ast.unparse(value.right) in BY_HAND
