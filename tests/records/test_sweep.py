"""What killed writers left is cleared away; what living ones write is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from udacisense import scratch
from udacisense.records import store
from udacisense.settings import PROJECT


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own: what other programs left in the system's is none of its business."""
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def abandoned(path: Path, suffix: str = "") -> Path:
    return path.with_name(f"{path.name}.{scratch.node()}-{dead_pid()}-0123abcd.part{suffix}")


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


def test_logs_and_folders_of_dead_writers_leave_the_temporary_folder(home: Path, temporary: Path) -> None:
    log = temporary / f"udacisense-{scratch.node()}-{dead_pid()}-abc.log"
    log.write_text("printed by a converter")
    folder = temporary / f"udacisense-{scratch.node()}-{dead_pid()}-def"
    folder.mkdir()
    (folder / "half.onnx").write_text("half")
    assert set(store.sweep()) == {log, folder}
    assert list(temporary.iterdir()) == []


def test_the_temporary_files_of_the_living_and_of_others_stay(home: Path, temporary: Path) -> None:
    mine = temporary / f"{scratch.prefix()}abc.log"
    elsewhere = temporary / f"udacisense-ffffff-{dead_pid()}-abc.log"
    lock = temporary / "udacisense-somebody-timing.lock"
    for path in (mine, elsewhere, lock):
        path.touch()
    assert store.sweep() == ()
    assert sorted(temporary.iterdir()) == sorted([mine, elsewhere, lock])


def test_what_a_killed_converter_leaves_goes_with_the_next_run(home: Path, temporary: Path) -> None:
    program = (
        "import os; from udacisense.conversion.worker_client import CHILD; from udacisense.processes.rpc import Child\n"
        "held = Child([*CHILD, '{}']); print('held', flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert killed.stdout.strip() == "held"
    left = tuple(temporary.iterdir())
    assert [path.is_dir() for path in left] == [True], "its temporary folder, and no log"
    assert store.sweep() == left
    assert list(temporary.iterdir()) == []


def test_everything_temporary_says_whose_it_is() -> None:
    made = re.compile(r"\b(mkdtemp|TemporaryDirectory|NamedTemporaryFile|mkstemp)\(([^)]*)")
    own = [
        p
        for top in ("udacisense", "ui", "pages")
        for p in (PROJECT / top).rglob("*.py")
        if not {"files", "app_code"} & {*p.parts}
    ]
    found = [(path.name, call) for path in own for _, call in made.findall(path.read_text(encoding="utf-8"))]
    assert len(found) >= 7
    assert [name for name, call in found if "prefix=scratch.prefix(" not in call] == []
