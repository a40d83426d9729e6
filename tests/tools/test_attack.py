"""The short form of the attack: nothing gets through. And the attack's own means: they see what they are meant to see."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tools.attack import homes, measured, weights
from tools.attack.row import Row


@pytest.mark.slow
@pytest.mark.timeout(900)  # ninety seconds on two quiet cores
def test_nothing_gets_through(tmp_path: Path) -> None:
    ended = measured.run(measured.module("tools.attack", "--short"), homes.empty(tmp_path, "home"), timeout_s=850)
    told = json.loads(ended.out)
    assert {row["attack"]: row["through"] for rows in told.values() for row in rows if row["verdict"] != "pass"} == {}
    assert all(row["count"] > 0 for rows in told.values() for row in rows)
    assert {name for name, rows in told.items() if not rows} == {"browser"}
    assert ended.code == 0


def test_a_command_is_measured_and_ended(tmp_path: Path) -> None:
    home = homes.empty(tmp_path, "home")
    fills = measured.run([sys.executable, "-c", "x = b'x' * 200_000_000; print(len(x))"], home)
    assert fills.out.strip() == "200000000"
    assert 200 < fills.peak_mb < 300
    hangs = measured.run([sys.executable, "-c", "while True: pass"], home, timeout_s=1)
    assert hangs.timed_out
    assert not hangs.clean
    assert 0.1 < hangs.cpu_s < 2
    assert not measured.run([sys.executable, "-c", "raise ValueError"], home).clean


def test_what_gets_through_is_seen(tmp_path: Path) -> None:
    row = Row("a file", 1)
    target = tmp_path / "target"
    target.write_bytes(weights.SECRET)
    weights._judge_target(row, target)
    assert row.verdict == "pass"
    (tmp_path / "target-saved").touch()
    weights._judge_target(row, target)
    assert row.verdict == "fail"
    trace = {"files": {"a.pt": {"models": "unforeseen: Traceback"}}, "app_mb": 50.0, "child_mb": 9000.0}
    told = Row("a trace and much memory", 1)
    weights._judge_app(told, trace, measured.Ended(0, "", "", 1.0, 50.0, False), {"a.pt", "b.pt"})
    assert len(told.through) == 3
