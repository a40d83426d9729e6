"""Two at once: the same conversion twice, verdicts side by side, and a clock that is set while a job runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.attack import homes, measured
from tools.attack.kills import of_home
from tools.attack.row import Row


def writers(arena: Path, short: bool) -> Iterator[Row]:
    """The clock always; the rest costs a minute of processor time."""
    if not short:
        yield _convert_twice(homes.with_baseline(arena, "twice"))
        yield _side_by_side(homes.with_artifact(arena, "side"))
    yield _verdicts(homes.with_artifact(arena, "verdicts"), 4 if short else 8)
    yield _clock(homes.with_artifact(arena, "clock"))


def _at_once(home: Path, commands: list[tuple[str, ...]]) -> list[measured.Ended]:
    with ThreadPoolExecutor(len(commands)) as workers:
        return list(workers.map(lambda arguments: measured.verb(home, *arguments, timeout_s=600), commands))


def _convert_twice(home: Path) -> Row:
    row = Row("the same conversion twice at once", 2)
    for ended in _at_once(home, [("convert", str(home / homes.BASELINE))] * 2):
        row.expect(ended.clean and ended.code == 0, (ended.out + ended.err)[-800:])
    row.figures["files"] = len(list((home / "models" / "mobile").glob("*/artifact.json")))
    row.expect(row.figures["files"] == 1, f"{row.figures['files']} files")
    row.expect(not list(home.rglob("*.part")), "something half done is left")
    return row


def _side_by_side(home: Path) -> Row:
    row = Row("two benchmarks and an evaluation at once", 3)
    timed = ("benchmark", homes.ARTIFACT, "--protocol", "quick")
    for ended in _at_once(home, [timed, timed, ("evaluate", homes.ARTIFACT, "--source", "sample")]):
        row.expect(ended.clean and ended.code == 0, (ended.out + ended.err)[-800:])
    row.figures["records"] = len(list((home / "results").glob("*/*.json")))
    row.expect(len(list((home / "results" / "benchmark").glob("*.json"))) == 2, "a timing is missing")
    return row


def _verdicts(home: Path, count: int) -> Row:
    row = Row("the same verdict asked for at once", count)
    for ended in _at_once(home, [("ready", homes.ARTIFACT)] * count):
        row.expect(ended.clean and ended.code in (0, 1, 2), (ended.out + ended.err)[-800:])
    row.figures["new verdicts"] = len(list((home / "results" / "readiness").glob("*.json")))
    row.expect(row.figures["new verdicts"] == 1, "not one verdict was saved")
    return row


def _clock(home: Path) -> Row:
    row = Row("the clock is set by 5 s and by an hour while a job runs (emulated)", 2)
    told, ended = measured.ask(home, "clock_step", homes.ARTIFACT, timeout_s=300)
    row.expect(told, f"the program ended with {ended.code}: {ended.err[-800:]}")
    for shift, found in told.items():
        row.expect(found == {"state": "running", "twin": True}, f"shifted by {shift} s: {found}")
    left = of_home(home)
    for process in left:
        process.kill()
    row.expect(not left, f"{len(left)} processes are left")
    return row
