"""Figures as people read them: every page, report, message and terminal writes the same figure the same way.

>>> percent(0.972), mb(6_253_445), ms(0.00527), count(1000, "image")
('97.2 %', '5.96 MB', '5.27 ms', '1,000 images')
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

MB = 2**20
"""The bytes of what is called MB here, as the course's notebooks count."""
MB_HELP = "MB means 1,048,576 bytes here, as in the course's notebooks."
GB = 2**30
"""Likewise."""
NOT_MEASURED = "not measured"


class Interval(Protocol):
    """A figure with the ends of its 95 % interval, such as an `Estimate`."""

    @property
    def value(self) -> float: ...  # noqa: D102
    @property
    def low(self) -> float: ...  # noqa: D102
    @property
    def high(self) -> float: ...  # noqa: D102


def percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction 0..1 as "79.8 %"."""
    return NOT_MEASURED if fraction is None else f"{_fixed(100 * fraction, decimals)} %"


def change_percent(fraction: float | None, decimals: int = 1) -> str:
    """A relative change as "+12.0 %"."""
    return NOT_MEASURED if fraction is None else f"{100 * fraction:+.{decimals}f} %"


def points(fraction: float) -> str:
    """A difference of two shares in percentage points: "-1.2 pp"."""
    return f"{100 * fraction:+.1f} pp"


def mb(size_bytes: float | None, decimals: int = 2) -> str:
    """Bytes as "5.96 MB"; what would round to nothing is "under 0.01 MB"."""
    if size_bytes is None:
        return NOT_MEASURED
    smallest = 10**-decimals
    return f"under {smallest:g} MB" if size_bytes < smallest * MB else f"{size_bytes / MB:,.{decimals}f} MB"


def gb(size_bytes: float) -> str:
    """Many bytes as "31.2 GB"."""
    return f"{size_bytes / GB:,.1f} GB"


def ms(seconds: float | None) -> str:
    """Seconds as milliseconds with three significant digits: "5.27 ms"."""
    return NOT_MEASURED if seconds is None else f"{_three_digits(1000 * seconds)} ms"


def count(number: int | None, noun: str = "") -> str:
    """A whole number with thousands marks and its noun: "1 image", "1,000 images"."""
    if number is None:
        return NOT_MEASURED
    ending = "" if number == 1 or not noun else "s"
    return f"{number:,} {noun}{ending}".strip()


def millions(number: float | None) -> str:
    """A large count as "1.53 M"."""
    if number is None:
        return NOT_MEASURED
    return f"{number / 1e6:,.2f} M" if number >= 1e6 else f"{number / 1e3:.1f} k" if number >= 1e3 else f"{number:g}"


def duration(seconds: float | None) -> str:
    """Seconds as "8.0 s", "2 min 5 s" or "1 h 4 min"."""
    if seconds is None:
        return NOT_MEASURED
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def decibels(value: float | None) -> str:
    """A ratio as "35.2 dB"; None is what a comparison of equal things gives."""
    return "identical" if value is None else f"{value:.1f} dB"


def when(created: str) -> str:
    """An ISO time as "22 Nov 2026, 07:15 UTC"; text of another form is given back as it is."""
    try:
        moment = datetime.fromisoformat(created).astimezone(UTC)
    except ValueError:
        return created
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def short(sha256: str) -> str:
    """The first eight digits of a hash, enough to tell files apart by eye."""
    return sha256[:8]


def commas(items: list[str] | tuple[str, ...]) -> str:
    """Items in one line; "none" where there are none."""
    return ", ".join(items) or "none"


# --- with a 95 % interval ------------------------------------------------------------------------------------------------


def share(found: Interval | None, note: str = "") -> str:
    """A share with its interval: "82.7 % (80.2 to 84.9)"; the note stands behind the interval."""
    return NOT_MEASURED if found is None else f"{percent(found.value)} ({percent_range(found)}{note})"


def percent_range(found: Interval) -> str:
    """The interval of a share alone: "80.2 to 84.9"."""
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def points_range(found: Interval) -> str:
    """The interval of a difference of shares alone, in points: "-2.0 to +0.4"."""
    return f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"


def change(found: Interval | None) -> str:
    """A difference of shares with its interval: "-0.8 pp (-2.0 to +0.4)"."""
    return NOT_MEASURED if found is None else f"{points(found.value)} ({points_range(found)})"


def ratio(found: Interval | None) -> str:
    """A ratio with its interval: "0.58 (0.57 to 0.59)"."""
    return NOT_MEASURED if found is None else f"{found.value:.2f} ({ratio_range(found)})"


def ratio_range(found: Interval) -> str:
    """The interval of a ratio alone: "0.57 to 0.59"."""
    return f"{found.low:.2f} to {found.high:.2f}"


def measured(value: float | None, unit: str, interval: tuple[float, float] | None = None) -> str:
    """A value in its own unit, with its interval where there is one: "8.31 ms (95 %: 8.20 to 8.44)"."""
    if value is None:
        return NOT_MEASURED
    around = f" (95 %: {in_unit(interval[0], unit)} to {in_unit(interval[1], unit)})" if interval else ""
    return f"{in_unit(value, unit)} {unit}{around}".strip()


def in_unit(value: float, unit: str) -> str:
    """The digits of a value as its unit asks for them, without the unit."""
    return _three_digits(value) if unit == "ms" else _fixed(value, 2 if unit == "MB" else 1)


def _fixed(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0 turns -0 into 0


def _three_digits(value: float) -> str:
    size = abs(float(f"{value:.3g}"))
    return _fixed(value, 0 if size == 0 or size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3)


def channels(values: Sequence[float]) -> str:
    """A value for each colour: "(0.485, 0.456, 0.406)"."""
    return f"({', '.join(f'{value:.4g}' for value in values)})"
