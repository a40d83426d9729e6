"""What killed writers left is cleared away; what living ones write is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from udacisense import store


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def abandoned(path: Path, suffix: str = "") -> Path:
    return path.with_name(f"{path.name}.{store._node()}-{dead_pid()}-0123abcd.part{suffix}")


def test_half_files_and_folders_of_dead_writers_go(home: Path) -> None:
    half_file = abandoned(home / "results" / "evaluation" / "e.json")
    half_folder = abandoned(home / "models" / "mobile" / "a")
    for folder in (half_file.parent, half_folder):
        folder.mkdir(parents=True)
    half_file.write_text("{")
    (half_folder / "model.ptl").write_text("half")
    assert set(store.sweep()) == {half_file, half_folder}
    assert not half_file.exists()
    assert not half_folder.exists()


def test_living_writers_and_other_machines_are_left_alone(home: Path) -> None:
    target = home / "models" / "model.pth"
    with store.replace_file(target) as part:
        part.write_text("whole")
        elsewhere = target.with_name(f"{target.name}.ffffff-{dead_pid()}-0123abcd.part")
        elsewhere.write_text("another machine's")
        assert store.sweep() == ()
        assert part.exists()
    assert target.read_text() == "whole"
    assert elsewhere.exists()


def test_a_folder_that_was_only_moved_aside_comes_back(home: Path) -> None:
    place = home / "models" / "mobile" / "artifact"
    aside = abandoned(place, ".old.part")
    aside.mkdir(parents=True)
    (aside / "model.ptl").write_text("whole")
    assert store.sweep() == (aside,)
    assert (place / "model.ptl").read_text() == "whole"
