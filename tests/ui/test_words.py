"""Figures as people read them: units, rounding, and no number where nothing was measured."""

from __future__ import annotations

import pytest

from ui import words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.mb(6_253_445), "5.96 MB"),
        (words.mb(None), "not measured"),
        (words.percent(0.798), "79.8 %"),
        (words.percent(None), "not measured"),
        (words.percent(0.0), "0.0 %"),
        (words.ms(0.005272), "5.27 ms"),
        (words.ms(0.0421), "42.1 ms"),
        (words.ms(1.5), "1,500 ms"),
        (words.count(1, "image"), "1 image"),
        (words.count(1000, "image"), "1,000 images"),
        (words.count(0, "file"), "0 files"),
        (words.count(None, "file"), "not measured"),
        (words.millions(1_528_106), "1.53 M"),
        (words.millions(5_420), "5.4 k"),
        (words.millions(12), "12"),
        (words.duration(8.04), "8.0 s"),
        (words.duration(59.9), "1 min 0 s"),
        (words.duration(125), "2 min 5 s"),
        (words.duration(3840), "1 h 4 min"),
        (words.when("2026-11-22T07:15:00Z"), "22 Nov 2026, 07:15 UTC"),
        (words.when("long ago"), "long ago"),
        (words.short("0123456789abcdef"), "01234567"),
    ],
)
def test_words(said: str, expected: str) -> None:
    assert said == expected
