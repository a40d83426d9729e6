"""Child processes: what they are asked, how their end is told, what they cannot reach, and that they end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest

from udacisense.errors import CheckpointError
from udacisense.processes import frames, limits
from udacisense.processes.frames import FrameError
from udacisense.processes.limits import Bounds
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.spawn import module
from udacisense.progress import part, watched_by

LANDLOCK = pytest.mark.skipif(limits.landlock_version() is None, reason="this kernel has no Landlock")


@pytest.fixture
def child() -> Iterator[Child]:
    found = Child(module("tests.processes.child"))
    yield found
    found.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one that the child may write, a file that it may read, and one that it may not."""
    (tmp_path / "own").mkdir()
    (tmp_path / "seen").write_text("seen")
    (tmp_path / "secret").write_text("secret")
    return tmp_path


@pytest.fixture
def bound_child(folder: Path) -> Iterator[Child]:
    found = Child(module("tests.processes.child", str(folder)))
    yield found
    found.close()


def ended(pid: int, within_s: float = 20.0) -> bool:
    """Whether a process is gone, or becomes so in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


# --- calls ---------------------------------------------------------------------------------------------------------------


def test_values_and_arrays_come_back_as_they_were_sent(child: Child) -> None:
    arrays = [np.arange(6, dtype=np.float32).reshape(1, 2, 3), np.zeros((0, 3), np.int64), np.full((2, 2), 255, np.uint8)]
    told, back = child.ask("echo", arrays, timeout_s=60, text="Straße\n", number=1.5)
    assert (told["text"], told["number"]) == ("Straße\n", 1.5)
    for sent, got in zip(arrays, back, strict=True):
        assert sent.dtype == got.dtype
        np.testing.assert_array_equal(sent, got)


def test_an_error_keeps_its_class_and_the_child_goes_on(child: Child) -> None:
    with pytest.raises(ChildError, match="no good") as told:
        child.ask("fail", timeout_s=60)
    assert told.value.kind == "CheckpointError"
    assert child.ask("echo", timeout_s=60, a=1)[0]["a"] == 1


def test_what_the_child_prints_does_not_spoil_its_answer(child: Child) -> None:
    assert child.ask("print", timeout_s=60)[0]["printed"] is True


def test_a_child_that_dies_says_how_and_its_last_words(child: Child) -> None:
    with pytest.raises(ChildError, match="killed by SIGSEGV") as told:
        child.ask("die", timeout_s=60)
    assert told.value.kind == ""
    assert not child.alive


def test_progress_is_passed_on_and_something_is_done_meanwhile(child: Child) -> None:
    told: list[tuple[float, str]] = []
    looks: list[float] = []
    with watched_by(lambda fraction, stage: told.append((fraction, stage))), part(0.5, 1.0, "child: "):
        assert child.ask("work", timeout_s=60, meanwhile=lambda: looks.append(time.monotonic()))[0]["done"] is True
    assert told == [(0.625, "child: at 0.25"), (0.75, "child: at 0.5")]
    assert child.stage == "at 0.5"
    assert len(looks) >= 2
    assert child.said() == "done working"
    child.ask("echo", timeout_s=60)
    assert child.said() == "", "what it printed before belongs to the call before"


def test_a_child_that_never_reads_what_it_is_sent_is_ended() -> None:
    deaf = Child([sys.executable, "-c", "import time; time.sleep(600)"])
    with pytest.raises(ChildError, match=r"no answer within 0\.5 s"):
        deaf.ask("echo", [np.zeros(4 << 20, np.uint8)], timeout_s=0.5)
    assert ended(deaf.pid)


def test_an_error_of_ours_is_told_apart_from_one_that_has_its_name_only() -> None:
    assert isinstance(ChildError("no good", "CheckpointError", ours=True).told, CheckpointError)
    assert ChildError("no good", "CheckpointError").told is None
    assert ChildError("no good", "SystemExit", ours=True).told is None


def test_a_child_that_hangs_is_ended(child: Child) -> None:
    child.ask("echo", timeout_s=60)
    with pytest.raises(ChildError, match=r"no answer within 0\.5 s"):
        child.ask("hang", timeout_s=0.5)
    assert ended(child.pid)


@pytest.mark.parametrize(
    "raw", ['{"progress": 3, "arrays": []}', '{"progress": [], "arrays": []}', '{"progress": ["x", "y"], "arrays": []}']
)
def test_progress_that_is_none_ends_the_child(raw: str) -> None:
    loud = Child([sys.executable, "-c", f"import time; print({raw!r}, flush=True); time.sleep(600)"])
    with pytest.raises(ChildError, match="answered with something else"):
        loud.ask("echo", timeout_s=60)
    assert ended(loud.pid)


def test_arrays_are_counted_together() -> None:
    out = BytesIO()
    frames.write(out, {}, [np.zeros(60, np.uint8), np.zeros(60, np.uint8)])
    assert len(frames.read(BytesIO(out.getvalue()), 120)[1]) == 2  # type: ignore[index]
    with pytest.raises(FrameError, match="60 bytes where 59 are left"):
        frames.read(BytesIO(out.getvalue()), 119)


@pytest.mark.parametrize(
    "raw",
    [
        b"not json\n",
        b"[]\n",
        b'{"arrays": 3}\n',
        b'{"arrays": [{"kind": "|O", "shape": [1]}]}\n12345678',
        b'{"arrays": [{"kind": "<f4", "shape": [4]}]}\n1234',
        b'{"arrays": [{"kind": "<f4", "shape": [-1]}]}\n1234',
        b'{"arrays": [{"kind": "<f4", "shape": [999999999, 999999999]}]}\n',
        b'{"arrays": [' + b"[" * 100_000 + b"\n",
    ],
)
def test_an_answer_that_is_none_is_refused_before_memory_is_taken(raw: bytes) -> None:
    with pytest.raises(FrameError):
        frames.read(BytesIO(raw))


# --- bounds --------------------------------------------------------------------------------------------------------------


@LANDLOCK
@pytest.mark.parametrize(
    ("path", "write", "read"), [("own/new", True, True), ("seen", False, True), ("secret", False, False), ("new", False, False)]
)
def test_a_bound_child_reaches_what_was_named_and_nothing_else(
    bound_child: Child, folder: Path, path: str, write: bool, read: bool
) -> None:
    done, _ = bound_child.ask("touch", timeout_s=60, path=str(folder / path))
    assert (done["write"], done["read"]) == (write, read)
    assert (folder / "secret").read_text() == "secret"
    assert not (folder / "new").exists()


def test_a_bound_child_gets_no_more_memory_than_it_may_have(bound_child: Child) -> None:
    with pytest.raises(ChildError, match="more memory"):
        bound_child.ask("fill", timeout_s=60)
    assert bound_child.ask("bound", timeout_s=60)[0]["bound"] is True


def test_a_child_that_is_not_bound_gets_that_memory(child: Child) -> None:
    """What proves that the test above can fail."""
    assert len(child.ask("fill", timeout_s=60)[1][0]) == 400 << 20
    assert child.ask("bound", timeout_s=60)[0]["bound"] is False


def test_the_bounds_of_a_file_grow_with_it(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"x" * 1000)
    assert Bounds.for_file(path).memory_bytes == limits.MEMORY_BYTES + 3000
    assert Bounds.for_file(path).read == (str(path),)


def test_the_confinement_of_this_machine_is_told() -> None:
    assert ("Landlock (version" in limits.confinement()) == (limits.landlock_version() is not None)


# --- the end -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent_however_that_ends(how: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-m", "tests.processes.parent"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    os.kill(parent.pid, how)
    parent.wait()
    parent.stdout.close()
    assert ended(child)


def test_a_child_ends_when_nobody_holds_it() -> None:
    make: Callable[[], Child] = lambda: Child(module("tests.processes.child"))  # noqa: E731
    found = make()
    found.ask("echo", timeout_s=60)
    pid = found.pid
    del found
    assert ended(pid)


def test_what_a_child_leaves_in_the_temporary_folder_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Child(module("tests.processes.child")) as child:
        left = Path(child.ask("leave", timeout_s=20)[0]["path"])
        assert left.is_dir()
        assert left.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
