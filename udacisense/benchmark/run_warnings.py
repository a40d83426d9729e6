"""Warnings about a run beyond its quality grade: sentences with advice, written into the record."""

from __future__ import annotations

from collections.abc import Sequence

from udacisense.benchmark.protocol import TimingProtocol

CLOCK_STEP_S = 2.0
"""A date that moved by more than this during a run was set; less is the system keeping time."""


def remarks(
    blocks_s: Sequence[Sequence[float]], protocol: TimingProtocol, *, enough: bool, clock_step_s: float = 0.0
) -> tuple[str, ...]:
    """The sentences for one subject.

    Args:
        blocks_s: its steady times in seconds. enough: whether the protocol's numbers were reached.
        clock_step_s: how far the machine's date was set during the run, seconds.
    """
    times = [s for block in blocks_s for s in block]
    found = []
    if not enough:
        found.append(
            f"Only {len(times)} runs were taken where the protocol {protocol.name} asks for {protocol.min_runs} runs and "
            f"{protocol.min_s:g} s. Measure again, or use a protocol with longer blocks."
        )
    if abs(clock_step_s) > CLOCK_STEP_S:
        way = "back" if clock_step_s < 0 else "forth"
        found.append(
            f"The date of this machine was set {way} by {abs(clock_step_s):.0f} s during the run. "
            "The times come from a clock that cannot be set; only the date of this record may be wrong."
        )
    return tuple(found)
