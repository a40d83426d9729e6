"""The browser: no page asks a foreign address for anything, and a hostile checkpoint gets one sentence (tests/e2e)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.attack import homes, measured
from tools.attack.row import Row

TESTS = ("tests/e2e/test_text_is_text.py", "tests/e2e/test_hostile_checkpoint.py", "tests/e2e/test_nothing_kept.py")


def browser(arena: Path, short: bool) -> Iterator[Row]:
    """The browser tests that are about hostile content; continuous integration runs them by themselves."""
    if short or not (shutil.which("chromium") or shutil.which("google-chrome")):
        return
    for test in TESTS:
        row = Row(f"Chromium: {test}", 0)
        command = measured.module("pytest", "-q", "-m", "e2e", "-p", "no:cacheprovider", test)
        ended = measured.run(command, homes.empty(arena, Path(test).stem), 1500)
        row.count = int((re.findall(r"(\d+) passed", ended.out) or ["0"])[-1])
        row.expect(ended.code == 0 and row.count, ended.out[-1500:])
        row.figures = {"tests passed": row.count, "cpu s": ended.cpu_s}
        yield row
