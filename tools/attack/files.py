"""Names that nobody should give a file, and files that are none: links, pipes, devices."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from tools.attack import homes, measured
from tools.attack.row import Row

NAMES: tuple[str | bytes, ...] = (
    "n" * 240, "two  spaces", "quote'", 'quote"', "new\nline", "semi;colon", "$(touch {P})", "`touch {P}`", "a && b", "| cat",
    "<img src=x onerror=alert(1)>", "**bold** [l](evil.invalid)", "\u202egpj.right-to-left", "--json", "-rf", "~root",
    "%s%n%x", b"not-\xff-utf8",
)  # fmt: skip
"""Eighteen; `{P}` stands for a file that must not appear."""
LISTS = (("models",), ("models", "--json"))
LIST_S = 60.0


def files(arena: Path, _short: bool) -> Iterator[Row]:
    """Odd names, then odd files."""
    yield _names(arena)
    yield _odd(arena)


def _names(arena: Path) -> Row:
    home = homes.with_baseline(arena, "names")
    for number, name in enumerate(NAMES):
        raw = os.fsencode(name.replace("{P}", "touched")) if isinstance(name, str) else name
        with open(os.fsencode(home / "models") + b"/" + raw + b".pth", "wb") as file:
            file.write(f"weights {number}".encode())
    row = Row("names: 240 characters, quotes, line break, $( ), HTML, Markdown, right to left, not UTF-8, --json", len(NAMES))
    _lists(row, home, len(NAMES) + 1)
    row.expect(not list(arena.rglob("touched")) and not (measured.PROJECT / "touched").exists(), "a name was run")
    return row


def _odd(arena: Path) -> Row:
    home = homes.with_baseline(arena, "odd")
    (arena / "outside.pth").write_bytes(b"outside")
    folder = home / "models"
    (folder / "passwd.pth").symlink_to("/etc/passwd")
    (folder / "outside.pth").symlink_to(arena / "outside.pth")
    (folder / "loop.pth").symlink_to("loop.pth")
    (folder / "zero.pth").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.pth")
    row = Row("links to /etc/passwd, to a file outside and to itself, /dev/zero, a pipe", 5)
    found = _lists(row, home, 1)
    told = " ".join(map(str, found.get("problems", [])))
    for name in ("passwd.pth", "outside.pth", "loop.pth", "zero.pth", "pipe.pth"):
        row.expect(told.count(f"{name} ") == 1, f"{name} is not named once as a problem")
    return row


def _lists(row: Row, home: Path, wanted: int) -> dict[str, list[object]]:
    """Both lists end well and hold so many checkpoints; returns the second, as JSON."""
    plain: dict[str, list[object]] = {}
    for arguments in LISTS:
        ended = measured.verb(home, *arguments, timeout_s=LIST_S)
        row.figures[f"{' '.join(arguments)} cpu s"] = ended.cpu_s
        said = (ended.out + ended.err)[-800:]
        row.expect(ended.clean and ended.code == 0, f"{' '.join(arguments)}: {'hangs' if ended.timed_out else said}")
        if "--json" in arguments and ended.code == 0:
            plain = json.loads(ended.out)
    row.figures["listed"] = len(plain.get("checkpoints", []))
    row.expect(row.figures["listed"] == wanted, f"{row.figures['listed']} checkpoints listed instead of {wanted}")
    return plain
