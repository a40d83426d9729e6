"""Records that are damaged, of another kind, or no files at all, beside those that are shipped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tools.attack import homes, measured
from tools.attack.row import Row

KINDS = ("benchmark", "evaluation", "verification", "readiness", "compression", "selftest")
MOST_MB = 600.0
LISTS = (("runs",), ("ready",), ("models",))


def _changed(good: str, **changes: object) -> bytes:
    return json.dumps({**json.loads(good), **changes}).encode()


def _renamed(good: str) -> bytes:
    plain = json.loads(good)
    plain["record"]["id"] = "../../../etc/passwd"
    return json.dumps(plain).encode()


FAULTS: Mapping[str, Callable[[str], bytes]] = {
    "cut": lambda good: good[: len(good) // 2].encode(),
    "empty": lambda _: b"",
    "binary": lambda _: bytes(range(256)) * 20,
    "schema 99": lambda good: _changed(good, schema=99),
    "schema -1": lambda good: _changed(good, schema=-1),
    "no schema": lambda good: json.dumps({k: v for k, v in json.loads(good).items() if k != "schema"}).encode(),
    "wrong kind": lambda good: _changed(good, kind="artifact"),
    "list": lambda _: b"[1, 2]",
    "NaN": lambda _: b'{"schema": 1, "kind": "evaluation", "record": {"top1": NaN}}',
    "html": lambda _: b"<script>alert(1)</script>",
    "id outside": _renamed,
}
"""Eleven, for six kinds each."""


def records(arena: Path, short: bool) -> Iterator[Row]:
    """Damaged records, then what is no text, then one of 100 MB."""
    home = homes.shipped(arena, "records")
    for kind in KINDS:
        good = next((home / "results" / kind).glob("*.json")).read_text(encoding="utf-8")
        for name, fault in FAULTS.items():
            (home / "results" / kind / f"{name}.json").write_bytes(fault(good))
    yield _held(
        home, "records: cut, empty, binary, other schema, wrong kind, list, NaN, HTML, id ../", len(KINDS) * len(FAULTS)
    )
    home = homes.shipped(arena, "no records")
    for kind in KINDS:
        (home / "results" / kind / "odd.json").write_bytes(b'{"schema": 1, "kind": "\xff\xfe"}')
        (home / "results" / kind / "folder.json").mkdir()
    (home / "results" / "evaluation" / "deep.json").write_text("[" * 100_000 + "]" * 100_000, encoding="ascii")
    yield _held(home, "records: not UTF-8, a folder of that name, JSON 100,000 deep", 2 * len(KINDS) + 1)
    yield _large(arena)
    yield _wrong_values(arena, short)


def _held(home: Path, attack: str, count: int) -> Row:
    row = Row(attack, count)
    for arguments in LISTS:
        _asked(row, home, arguments)
    told, ended = measured.ask(home, "open_pages")
    row.expect(told and not told["exceptions"], f"pages: {told.get('exceptions') or ended.err[-800:]}")
    row.figures |= {"pages": told.get("pages"), "exceptions": len(told.get("exceptions", "?")), "pages MB": told.get("app_mb")}
    return row


def _asked(row: Row, home: Path, arguments: tuple[str, ...]) -> None:
    ended = measured.verb(home, *arguments)
    said = "it hangs" if ended.timed_out else (ended.out + ended.err)[-800:]
    row.expect(ended.clean and ended.code in ((0, 1, 2) if arguments == ("ready",) else (0,)), f"{arguments[0]}: {said}")
    row.figures["cpu s, most"] = max(row.figures.get("cpu s, most", 0.0), ended.cpu_s)
    row.figures["MB"] = max(row.figures.get("MB", 0.0), ended.peak_mb)
    row.expect(ended.peak_mb <= MOST_MB, f"{arguments[0]} took {ended.peak_mb:.0f} MB")


def _large(arena: Path) -> Row:
    home = homes.shipped(arena, "large")
    with open(home / "results" / "evaluation" / "large.json", "wb") as file:
        file.write(b'{"schema": 1, "kind": "evaluation", "record": {"id": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}}')
    row = Row("a record of 100 MB", 1)
    for arguments in LISTS:
        _asked(row, home, arguments)
    return row


def _wrong_values(arena: Path, short: bool) -> Row:
    """A record and a card, each with a list in which every value is wrong; and one with more values than any record has."""
    home, many = homes.shipped(arena, "wrong values"), 100_000 if short else 900_000
    path = next((home / "results" / "benchmark").glob("*.json"))
    plain = json.loads(path.read_text(encoding="utf-8"))
    plain["record"]["preprocess_s"] = [""] * many
    path.write_text(json.dumps(plain), encoding="utf-8")
    card = home / homes.BASELINE.with_suffix(".card.json")
    plain = json.loads(card.read_text(encoding="utf-8"))
    plain["summary"]["layers"] = [{}] * many
    card.write_text(json.dumps(plain), encoding="utf-8")
    more = home / "results" / "evaluation" / "more.json"
    more.write_text('{"schema": 1, "kind": "evaluation", "record": [' + "[]," * 10_000_000 + "[]]}", encoding="ascii")
    row = Row(f"a record and a card with {many:,} wrong values each, and a record of 10,000,000 values", 3)
    for arguments in LISTS:
        _asked(row, home, arguments)
    return row
