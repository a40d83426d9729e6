"""The numbers that options take: each is finite and between two bounds, whichever way it comes in."""

from __future__ import annotations

from dataclasses import dataclass

from udacisense.errors import MeasureError


@dataclass(frozen=True, slots=True)
class Range:
    """The finite numbers that one option takes."""

    option: str
    low: float
    high: float
    above: bool = False  # `low` itself is too small

    def fault(self, value: float) -> str | None:
        """What is wrong with a number; None where it may be used."""
        large_enough = value > self.low if self.above else value >= self.low
        if large_enough and value <= self.high:  # NaN is neither
            return None
        bounds = f"above {self.low:g} and at most" if self.above else f"from {self.low:g} to"
        return f"it must be a number {bounds} {self.high:,.10g}, not {value}"

    def check(self, *values: float) -> None:
        """Raises MeasureError, with the option's name, at the first number that may not be used."""
        for value in values:
            fault = self.fault(value)
            if fault is not None:
                raise MeasureError(f"{self.option} cannot be used: {fault}. Give another number.")


TOLERANCE = Range("--tolerance", 0.0, 1000.0, above=True)
SEED = Range("--seed", 0, 2**32 - 1)
THREADS = Range("--threads", 0, 1024)
BATCH = Range("--batch", 1, 1024)
BUSY = Range("--busy", 0, 256)
CPUS = Range("--cpus", 0, 8191)
COMPARISONS = Range("--comparisons", 1, 10_000)
CROP = Range("--crop-pct", 0.0, 1.0, above=True)
