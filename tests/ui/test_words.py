"""Figures as people read them: units, rounding, and no number where nothing was measured."""

from __future__ import annotations

import pytest

from ui.shared import number_format


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
