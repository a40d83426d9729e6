"""Figures as people read them. Pure text, so every page says the same number the same way."""

from __future__ import annotations

from datetime import UTC, datetime

BYTES_A_MB = 1024 * 1024
MB_HELP = "MB means 1,048,576 bytes here, as in the course's notebooks."
NOT_MEASURED = "not measured"


def mb(size_bytes: int | None) -> str:
    """Bytes as "5.96 MB" (1 MB = 1,048,576 bytes, as the course counts)."""
    if size_bytes is None:
        return NOT_MEASURED
    return f"{size_bytes / BYTES_A_MB:,.2f} MB" if size_bytes >= BYTES_A_MB / 100 else "under 0.01 MB"


def percent(fraction: float | None) -> str:
    """A fraction 0..1 as "79.8 %"."""
    return NOT_MEASURED if fraction is None else f"{100 * fraction:.1f} %"


def ms(seconds: float | None) -> str:
    """Seconds as milliseconds with three significant digits: "5.27 ms"."""
    if seconds is None:
        return NOT_MEASURED
    value = 1000 * seconds
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} ms"


def count(number: int | None, noun: str = "") -> str:
    """A whole number with thousands marks and its noun: "1 image", "1,000 images"."""
    if number is None:
        return NOT_MEASURED
    ending = "" if number == 1 or not noun else "s"
    return f"{number:,} {noun}{ending}".strip()


def millions(number: int | None) -> str:
    """A large count as "1.53 M"."""
    if number is None:
        return NOT_MEASURED
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.1f} k" if number >= 1e3 else str(number)


def duration(seconds: float | None) -> str:
    """Seconds as "8 s", "2 min 5 s" or "1 h 4 min"."""
    if seconds is None:
        return NOT_MEASURED
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


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
