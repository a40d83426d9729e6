"""Ten thousand records: what lists, pages and rules take beside a home without any (benchmarks/many_records.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.attack import measured
from tools.attack.row import Row

MOST_CPU_S, MOST_MB = 0.5, 400.0
LONGER_S = {"History": 1.0}
"""The first drawing of a chart of every run."""
LINE = re.compile(
    r"^(?P<case>[\w ]+?) +first +(?P<cpu>[\d.]+) s \(without records +(?P<bare>[\d.]+)\), .*peak +(?P<mb>\d+) MiB",
    re.M,
)


def many(arena: Path, short: bool) -> Iterator[Row]:
    """Make the home, measure it."""
    count, cases = (
        (1000, ("runs", "Overview")) if short else (10_000, ("runs", "ready", "Overview", "Benchmark", "Readiness", "History"))
    )
    home = arena / "many"
    program = measured.module("benchmarks.many_records")
    made = measured.run([*program, "make", str(home), "--records", str(count)], home, 300)
    row = Row(f"{count:,} records", count)
    row.expect(made.code == 0, made.err[-800:])
    told = measured.run([*program, "measure", str(home), "--rounds", "3", "--cases", *cases], home, 900)
    for found in LINE.finditer(told.out):
        more, peak = float(found["cpu"]) - float(found["bare"]), float(found["mb"]) * 1.048576
        row.figures |= {f"{found['case']}: cpu s more": round(more, 2), f"{found['case']}: MB": peak}
        if found["case"] in cases:
            row.expect(
                more <= LONGER_S.get(found["case"], MOST_CPU_S) and peak <= MOST_MB,
                f"{found['case']}: {more:.2f} s more, {peak:.0f} MB",
            )
            row.figures["measured"] = row.figures.get("measured", 0) + 1
    row.expect(row.figures.pop("measured", 0) == len(cases), f"not all was measured: {(told.out + told.err)[-800:]}")
    yield row
