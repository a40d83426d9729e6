"""What makes a measurement less trustworthy, as sentences with advice. Nothing is dropped for it."""

from __future__ import annotations

from collections.abc import Sequence

from udacisense.benchmark.protocol import Protocol
from udacisense.stats import mad_outliers, median

BUSY = 0.15
"""Share of all cores that other programs may use before it is remarked on."""
LISTEN_S = 0.5


def competing_load(listen_s: float = LISTEN_S) -> float | None:
    """Share (0..1) of all cores that other programs use just now, while this one waits; None where psutil cannot tell."""
    import psutil

    try:
        return float(psutil.cpu_percent(interval=listen_s)) / 100
    except OSError:
        return None


def remarks(
    blocks_s: Sequence[Sequence[float]], protocol: Protocol, *, stable: bool, enough: bool, load: float | None
) -> tuple[str, ...]:
    """The sentences for one subject.

    Args:
        blocks_s: its steady times in seconds. stable: whether the warm-up settled. enough: whether the protocol's numbers
            were reached. load: what other programs used before the run.
    """
    times = [s for block in blocks_s for s in block]
    found = []
    if load is not None and load > BUSY:
        found.append(
            f"Other programs used {load:.0%} of the processor just before the run. "
            "Close them and measure again for steadier times."
        )
    if not stable:
        found.append(
            f"The times had not settled after {protocol.warmup_max_s:g} s of warm-up. "
            "Use the standard protocol, or a quieter machine."
        )
    if not enough:
        found.append(
            f"Only {len(times)} runs were taken where the protocol {protocol.name} asks for {protocol.min_runs} runs and "
            f"{protocol.min_s:g} s. Measure again, or use a protocol with longer blocks."
        )
    outliers = mad_outliers(times)
    if outliers:
        slowest, middle = max(times[i] for i in outliers), median(times)
        found.append(
            f"{len(outliers)} of {len(times)} runs were far off: up to {slowest * 1e3:.1f} ms against a median of "
            f"{middle * 1e3:.1f} ms. They are kept. Close other programs and measure again."
        )
    return tuple(found)
