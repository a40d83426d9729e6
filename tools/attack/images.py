"""Images changed at random, and images that ask for much in few bytes, decoded as uploads are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.attack import homes, measured
from tools.attack.row import Row

MUTATED = {True: 300, False: 3000}
MOST_CPU_S, MOST_MB = 10.0, 700.0
"""Most that one image may take; udacisense/data/bounds.py lets none through that takes more."""


def images(arena: Path, short: bool) -> Iterator[Row]:
    """Mutated ones, then bombs and photographs."""
    for attack, kind, arguments in (
        ("mutated images", "mutated", (str(MUTATED[short]),)),
        ("bombs: scans, sides, frames, packed texts, chunks; each refused or decoded within bounds", "bombs", ()),
        ("photographs of a telephone: 12 to 50 megapixels", "photographs", ()),
    ):
        home, folder = homes.empty(arena, kind), arena / f"images {kind}"
        made = measured.run(measured.module("tools.attack.open_images", "make", str(folder), kind, *arguments), home)
        if made.code != 0:
            raise RuntimeError(f"the images were not made: {made.err[-500:]}")
        told, ended = measured.ask(home, "open_images", "decode", str(folder))
        row = Row(attack, len(list(folder.iterdir())))
        row.expect(told, f"the program ended with {ended.code}: {ended.err[-800:]}")
        row.figures = {k: v for k, v in told.items() if k != "other"} | {"cpu s": ended.cpu_s}
        row.expect(not told.get("other"), f"neither decoded nor refused: {told.get('other')}")
        row.expect(told.get("slowest cpu s", 0.0) <= MOST_CPU_S, f"one took {told.get('slowest cpu s')} s")
        if kind == "photographs":
            row.expect(told.get("decoded") == row.count, "a photograph was refused")
        row.expect(max(told.get("app MB", 0.0), told.get("child MB", 0.0)) <= MOST_MB, "more memory than an image may take")
        yield row
