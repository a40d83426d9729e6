"""Cards that lie: each fault on a card of its own, beside a good one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.attack import homes, measured
from tools.attack.row import Row

NAN, ENDLESS, HUGE = float("nan"), float("inf"), 10**400
SCRIPT = "<script>alert(1)</script><img src=http://evil.invalid/x.png onerror=alert(1)>"
FAULTS: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("record", "technique"), SCRIPT), (("record", "id"), SCRIPT), (("record", "architecture"), SCRIPT),
    (("record", "id"), "../../../etc/passwd"), (("record", "path"), "/etc/passwd"), (("record", "path"), "../../../etc/passwd"),
    (("record", "trained_on_images"), "../../../../etc/passwd"), (("record", "technique"), "![p](http://evil.invalid/p.png)"),
    (("record", "technique"), 7), (("record", "id"), None), (("record", "sha256"), "0" * 64), (("record", "sha256"), ["a"]),
    (("record", "classes"), []), (("record", "classes"), "clock"), (("record", "classes"), [None] * 10), (("record",), None),
    (("record",), []), (("record", "mean"), [NAN, 0, 0]), (("record", "mean"), [ENDLESS, 0, 0]),
    (("record", "std"), [0, 0, 0]),
    (("record", "std"), [HUGE, 1, 1]), (("record", "input_px"), [1_000_000, 1_000_000]), (("record", "input_px"), [-1, 0]),
    (("record", "input_px"), "224"), (("record", "parameters"), -5), (("record", "parameters"), HUGE),
    (("record", "size_bytes"), -1), (("record", "size_bytes"), 1.5), (("record", "created"), "now"), (("record", "created"), 5),
    (("schema",), 99), (("schema",), None), (("kind",), "artifact"), (("training",), "x"),
    (("training", "curves"), [{}, 5, None]),
    (("training", "curves"), {"a": 1}), (("training", "validation_images"), "many"), (("training", "recipe"), {"stage": [5]}),
    (("summary", "layers"), [{"name": "a"}] * 100_000), (("summary", "macs"), NAN),
)  # fmt: skip
"""Where on the card, and what stands there; four whole cards come beside."""
WHOLE = {
    "deep list": "[" * 100_000 + "]" * 100_000,
    "deep object": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep within": '{"schema": 1, "training": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "30 MB": '{"schema": 1, "note": "' + "x" * 30_000_000 + '"}',
}
MOST_MB = 600.0
VERBS = (("models",), ("models", "--json"), ("ready",), ("runs",), ("report",))


def cards(arena: Path, short: bool) -> Iterator[Row]:
    """Forty-four forged cards at once, and one that claims another file's id."""
    home = homes.with_artifact(arena, "cards")
    good = json.loads((home / homes.BASELINE.with_suffix(".card.json")).read_text(encoding="utf-8"))
    for number, (way, value) in enumerate(FAULTS):
        _forge(home, f"fault-{number}", json.dumps(_put(_own(good, f"fault-{number}"), way, value)))
    for name, text in WHOLE.items():
        _forge(home, name, text)
    row = Row(
        "cards: scripts, paths, wrong types, 10**400, NaN, 100,000 deep, 30 MB, 100,000 layers, another file", len(FAULTS) + 4
    )
    listed = _asked(row, home)
    row.expect(listed == len(FAULTS) + 4 + 2, f"{listed} checkpoints listed instead of {len(FAULTS) + 6}")
    told, ended = measured.ask(home, "open_pages", *([] if short else ["--checkpoints"]))
    row.expect(told and not told["exceptions"], f"pages: {told.get('exceptions') or ended.err[-800:]}")
    row.figures |= {"pages": told.get("pages"), "exceptions": len(told.get("exceptions", "?")), "pages MB": told.get("app_mb")}
    row.expect(told.get("app_mb", 0.0) <= MOST_MB, f"the pages took {told.get('app_mb')} MB")
    row.expect(row.figures["MB"] <= MOST_MB, f"a verb took {row.figures['MB']:.0f} MB")
    yield row
    yield _claimed(arena)


def _asked(row: Row, home: Path) -> int:
    listed = 0
    for arguments in VERBS:
        ended = measured.verb(home, *arguments)
        row.expect(ended.clean and ended.code in (0, 1, 2), f"{' '.join(arguments)} ended with {ended.code}: {_said(ended)}")
        row.figures["MB"] = max(row.figures.get("MB", 0.0), ended.peak_mb)
        row.figures["cpu s, most"] = max(row.figures.get("cpu s, most", 0.0), ended.cpu_s)
        if "--json" in arguments and ended.code == 0:
            listed = len(json.loads(ended.out)["checkpoints"])
    return listed


def _said(ended: measured.Ended) -> str:
    return "it hangs" if ended.timed_out else (ended.out + ended.err)[-800:]


def _claimed(arena: Path) -> Row:
    """A file with another's card, in a folder that is listed first."""
    home = homes.with_artifact(arena, "claimed")
    real = json.loads((home / "models/pipeline_03/final_compressed_model.card.json").read_text(encoding="utf-8"))
    (home / "models" / "aaa").mkdir()
    _forge(home, "aaa/evil", json.dumps(real))
    row = Row("a card that claims another file's id", 1)
    ended = measured.verb(home, "models", "--json")
    plain = json.loads(ended.out) if ended.code == 0 else {"checkpoints": [], "problems": []}
    paths = {c["id"]: c["path"] for c in plain["checkpoints"]}
    row.expect(
        paths.get(real["record"]["id"], "").endswith("final_compressed_model.pth"), f"the real file lost its id: {paths}"
    )
    row.expect(any("evil" in problem for problem in plain["problems"]), f"nobody says so: {plain['problems']}")
    row.figures["listed"] = len(paths)
    return row


def _own(card: dict[str, Any], name: str) -> dict[str, Any]:
    """The card, as if it were of the file of that name."""
    sha256 = hashlib.sha256(_content(name)).hexdigest()
    changed = {
        "sha256": sha256,
        "id": f"mobilenet_v3_small-{name}-{sha256[:8]}",
        "technique": name,
        "size_bytes": len(_content(name)),
    }
    return {**card, "record": {**card["record"], **changed}}


def _forge(home: Path, name: str, card: str) -> None:
    (home / "models" / f"{name}.pth").write_bytes(_content(name))
    (home / "models" / f"{name}.card.json").write_text(card, encoding="utf-8")


def _content(name: str) -> bytes:
    return f"the weights of {name}".encode()


def _put(plain: Any, way: tuple[str, ...], value: Any) -> Any:
    inner = plain.get(way[0]) if isinstance(plain.get(way[0]), dict) else {}
    return {**plain, way[0]: _put(inner, way[1:], value) if way[1:] else value}
