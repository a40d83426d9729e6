"""Jobs survive whoever started them, tell where they are, and leave nothing half done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from udacisense import jobs
from udacisense.errors import JobError
from udacisense.jobs import control, watcher
from udacisense.jobs.processes import Process
from udacisense.progress import WAITING
from udacisense.settings import settings

CHILD = Path(__file__).with_name("job_child.py")
PATIENCE_S = 60.0  # a busy machine starts processes slowly


@pytest.fixture(autouse=True)
def stub_program(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_program", lambda: [sys.executable, str(CHILD)])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_a_job_ends_with_the_document_of_its_verb() -> None:
    started = jobs.submit(["echo", "an id"], "Echo")
    job = jobs.wait(started.id, PATIENCE_S)
    assert (job.state, job.error, job.fraction) == ("done", None, 1.0)
    assert job.result == {"id": "an id", "kind": "echo"}
    assert job.title == "Echo"
    assert job.argv == ("echo", "an id")
    assert job.started
    assert job.ended
    assert job.seconds is not None
    assert "printed by a library" in job.log_path.read_text()
    assert "half way" in job.log_path.read_text()


def test_the_error_of_the_verb_is_the_error_of_the_job() -> None:
    job = jobs.wait(jobs.submit(["refuse"], "Refuse").id, PATIENCE_S)
    assert (job.state, job.result) == ("failed", None)
    assert job.error == "The model could not be traced. Try another format."


def test_killed_work_is_told_plainly() -> None:
    job = jobs.wait(jobs.submit(["crash"], "Crash").id, PATIENCE_S)
    assert job.state == "failed"
    assert job.error is not None
    assert "signal 9" in job.error
    assert "ran out of memory" in job.error


def test_a_program_that_says_nothing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_program", lambda: [sys.executable, "-c", "import sys; sys.exit('no such verb')"])
    job = jobs.wait(jobs.submit(["x"], "X").id, PATIENCE_S)
    assert job.state == "failed"
    assert job.error is not None
    assert "no such verb" in job.error


def test_cancel_ends_the_whole_family_and_leaves_no_half_file(home: Path) -> None:
    note, target = home / "grandchild", home / "models" / "big.pth"
    job = linger(note, target)
    grandchild = int(note.read_text())
    assert job.fraction == 0.25
    assert jobs.cancel(job.id).state == "cancelled"
    until(lambda: not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE)
    assert list(target.parent.iterdir()) == []
    assert jobs.cancel(job.id).state == "cancelled"


def linger(note: Path, target: Path) -> jobs.Job:
    job = jobs.submit(["linger", str(note), str(target)], "Linger")
    until(lambda: jobs.get(job.id).stage == "writing")
    return jobs.get(job.id)


def test_a_killed_watcher_is_told_and_takes_the_work_with_it(home: Path) -> None:
    note, target = home / "grandchild", home / "models" / "big.pth"
    job = linger(note, target)
    folder = settings().jobs_dir / job.id
    child = json.loads((folder / "child.json").read_text())["pid"]
    psutil.Process(json.loads((folder / "watcher.json").read_text())["pid"]).kill()
    until(lambda: jobs.get(job.id).state == "failed")
    killed = jobs.get(job.id)
    assert killed.error is not None
    assert "killed from outside" in killed.error
    until(lambda: not psutil.pid_exists(child))
    next_job = jobs.wait(jobs.submit(["lock", "0"], "Next").id, PATIENCE_S)
    assert next_job.state == "done"
    assert list(target.parent.iterdir()) == [], "the next heavy work sweeps what the killed one left"


def test_a_job_outlives_the_process_that_submitted_it(home: Path) -> None:
    program = (
        f"import sys; from udacisense.jobs import control; control._program = lambda: [sys.executable, {str(CHILD)!r}]\n"
        "print(control.submit(['lock', '1'], 'Orphan').id)"
    )
    submitted = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    job = jobs.wait(submitted.stdout.strip(), PATIENCE_S)
    assert (job.state, job.result) == ("done", {"slept": "1"})


@pytest.mark.slow
def test_the_same_work_is_not_started_twice() -> None:
    first = jobs.submit(["lock", "2"], "One")
    assert jobs.submit(["lock", "2"], "Again").id == first.id
    other = jobs.submit(["lock", "0"], "Other")
    assert other.id != first.id
    until(lambda: jobs.get(other.id).stage.startswith("waiting for a long measurement") or not jobs.get(other.id).active)
    assert [jobs.wait(job.id, PATIENCE_S).state for job in (first, other)] == ["done", "done"]
    again = jobs.submit(["lock", "2"], "After")
    assert again.id != first.id
    jobs.cancel(again.id)


@pytest.mark.slow
def test_waiting_work_is_queued() -> None:
    first = jobs.submit(["lock", "4"], "Holds the machine")
    until(lambda: jobs.get(first.id).stage == "measuring")
    second = jobs.submit(["lock", "0"], "Waits")
    until(lambda: jobs.get(second.id).state == "queued" and jobs.get(second.id).stage.startswith(WAITING))
    assert jobs.wait(second.id, PATIENCE_S).state == "done"


@pytest.mark.parametrize(("stage", "stopped"), [(f"{WAITING}other work", False), ("measuring", True)])
def test_time_spent_waiting_does_not_count(stage: str, stopped: bool, home: Path) -> None:
    (home / "progress.jsonl").write_text(json.dumps({"fraction": 0.0, "stage": stage}) + "\n")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5)"], start_new_session=True)
    ended = watcher._follow(home, child, timeout_s=0.3)
    child.wait()
    assert (ended is not None) is stopped


def test_work_that_takes_too_long_is_stopped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDACISENSE_JOB_TIMEOUT_S", "2")
    settings.cache_clear()
    job = jobs.wait(jobs.submit(["lock", "600"], "Endless").id, PATIENCE_S)
    assert job.state == "failed"
    assert job.error is not None
    assert "Stopped after 2 s" in job.error


def test_old_jobs_are_cleared_away_and_active_ones_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "KEEP", 1)
    ended = [jobs.wait(jobs.submit(["echo", str(i)], "E").id, PATIENCE_S) for i in range(2)]
    active = jobs.submit(["lock", "1"], "Active")
    newest = jobs.submit(["echo", "last"], "Newest")
    left = [job.id for job in jobs.jobs()]
    assert set(left) >= {active.id, newest.id}
    assert ended[0].id not in left
    assert jobs.jobs()[-1].created <= jobs.jobs()[0].created
    jobs.wait(active.id, PATIENCE_S)
    jobs.wait(newest.id, PATIENCE_S)


def test_unknown_and_damaged_jobs(home: Path) -> None:
    with pytest.raises(JobError, match="There is no job 'nothing'"):
        jobs.get("nothing")
    with pytest.raises(JobError, match="There is no job"):
        jobs.get("../..")
    damaged = settings().jobs_dir / "job-damaged"
    damaged.mkdir(parents=True)
    (damaged / "job.json").write_text('{"title": "half')
    (told,) = jobs.jobs()
    assert (told.id, told.state) == ("job-damaged", "failed")
    assert "cannot be read" in str(told.error)


def test_a_job_whose_watcher_never_came_is_lost_after_a_while(home: Path) -> None:
    folder = settings().jobs_dir / "job-lost"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"title": "Lost", "argv": ["x"], "created": "2026-01-01T00:00:00Z"}))
    assert jobs.get("job-lost").state == "failed"


@pytest.mark.parametrize("shift_s", [-3600.0, 5.0])
def test_a_clock_that_is_set_anew_loses_no_job(shift_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the system derives from the clock moves; the job is the same one, is not started twice, and ends."""
    job = jobs.submit(["lock", "600"], "Long")
    until(lambda: jobs.get(job.id).state == "running")
    true_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: true_time(self) + shift_s)
    assert jobs.get(job.id).state == "running"
    assert jobs.submit(["lock", "600"], "Long").id == job.id
    child = json.loads((settings().jobs_dir / job.id / "child.json").read_text())["pid"]
    assert jobs.cancel(job.id).state == "cancelled"
    until(lambda: not psutil.pid_exists(child))


def test_a_process_is_not_taken_for_another_that_got_its_number() -> None:
    mine = Process.of(os.getpid())
    assert mine.is_alive()
    if mine.start is None:
        pytest.skip("this system's kernel tells no start that a clock cannot move")
    boot, _, ticks = mine.start.rpartition(":")
    assert not replace(mine, start=f"{boot}:{int(ticks) - 1}").is_alive()
    assert not replace(mine, start=f"another boot:{ticks}").is_alive()


def test_job_files_of_older_versions_are_still_read() -> None:
    began = psutil.Process().create_time()
    assert Process.from_json({"pid": os.getpid(), "began": began, "started": "2026-01-01T00:00:00Z"}).is_alive()
    assert not Process.from_json({"pid": os.getpid(), "began": began - 60}).is_alive()


def test_jobs_need_no_torch() -> None:
    code = "import sys, udacisense.jobs, udacisense.jobs.watcher; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
