from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.fakes import FakeSession, Fault, fake_artifact, fake_checkpoint, fake_format, write_fake
from udacisense import formats
from udacisense.benchmark import page_cache, system_monitor, worker_steps
from udacisense.benchmark.protocol import TimingProtocol
from udacisense.benchmark.run import benchmark
from udacisense.benchmark.worker_client import Worker
from udacisense.errors import MeasureError
from udacisense.processes import locks
from udacisense.progress import watched_by
from udacisense.records import store
from udacisense.records.subjects import to_plain
from udacisense.types import (
    Artifact,
    Benchmark,
    Checkpoint,
    Subject,
    Unfinished,
    WrittenFile,
)

PATIENCE_S = 120.0  # a busy machine is slow; no test passes by this time
FAKE_CHILD = (sys.executable, "-m", "tests.fake_child")
SHORT = TimingProtocol(
    name="short",
    starts=2,
    rounds=3,
    block_s=0.02,
    min_runs=12,
    min_s=0.05,
    max_rounds=6,
    warmup_max_s=0.3,
    whole_rounds=1,
    whole_s=0.01,
    step_timeout_s=20,
)


def changed(protocol: TimingProtocol, **changes: object) -> TimingProtocol:
    """The protocol with other numbers, checked again."""
    return TimingProtocol.model_validate({**protocol.model_dump(), **changes})


@pytest.fixture(autouse=True)
def own_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither wait for a real benchmark on this machine nor keep one waiting."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def checkpoint(home: Path, fake_formats: object) -> Checkpoint:
    return fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth", delay_s=0.002)


def convert(home: Path, checkpoint: Checkpoint, fault: Fault | None = None, delay_s: float = 0.004) -> Artifact:
    return fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake", delay_s=delay_s, fault=fault)


def test_two_subjects_are_timed_side_by_side(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint)
    records = benchmark([checkpoint, artifact], SHORT, child=FAKE_CHILD)
    assert [r.subject_id for r in records] == [checkpoint.id, artifact.id]
    assert len({r.run_id for r in records}) == 1
    assert len({len(r.blocks_s) for r in records}) == 1
    fast, slow = records
    assert len(fast.by_start) == len(fast.starts) == SHORT.starts
    assert all(len(start) >= SHORT.rounds for start in fast.by_start)
    assert len(fast.steady_s) >= SHORT.min_runs
    assert min(fast.steady_s) >= 0.002
    assert min(slow.steady_s) >= 0.004
    assert fast.first_s >= 0.002
    assert len(fast.preprocess_s) == SHORT.preprocess_runs
    assert fast.peak_rss_bytes
    assert fast.rss_before_bytes
    assert fast.peak_rss_bytes >= fast.rss_before_bytes
    assert {r.id for r in store.records(Benchmark).records} == {r.id for r in records}
    assert fast.made.command == f"python -m udacisense benchmark {checkpoint.id} {artifact.id} --protocol short"


def test_blocks_take_turns_in_both_orders(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint)
    stages: list[str] = []
    with watched_by(lambda fraction, stage: stages.append(stage)):
        benchmark([checkpoint, artifact], SHORT, child=FAKE_CHILD)
    a, b = checkpoint.id, artifact.id
    first, second = ([s.split()[-1] for s in stages if s.startswith(f"start {n} of 2, round")] for n in (1, 2))
    assert first[:6] == [a, b, b, a, a, b]
    assert second[:6] == [b, a, a, b, b, a], "every second start begins with the other"
    assert [s.split()[-1] for s in stages if "loading" in s] == [a, b, b, a]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        pytest.param("nan", "not numbers", id="NaN"),
        pytest.param("nothing", "it gives no answer", id="no answer"),
        pytest.param("shape", r"shape \(1, 7\)", id="wrong shape"),
        pytest.param("crash", "was killed by SIGKILL", id="killed"),
        pytest.param("run", "the fake runtime broke", id="runtime error"),
        pytest.param("load", "does not load", id="does not load"),
    ],
)
def test_a_broken_subject_is_told_and_the_others_go_on(home: Path, checkpoint: Checkpoint, fault: Fault, message: str) -> None:
    broken = convert(home, checkpoint, fault)
    told: list[tuple[Subject, MeasureError]] = []
    records = benchmark([broken, checkpoint], SHORT, child=FAKE_CHILD, on_failure=lambda s, error: told.append((s, error)))
    assert [r.subject_id for r in records] == [checkpoint.id]
    ((subject, error),) = told
    assert subject is broken
    with pytest.raises(MeasureError, match=message):
        raise error


def test_a_child_that_hangs_is_ended_and_told(tmp_path: Path) -> None:
    file = to_plain(WrittenFile(write_fake(tmp_path / "f", fault="hang"), "fake"))
    before = set(psutil.Process().children())
    with Worker("x", 1, 0.5, FAKE_CHILD) as worker:
        (hanging,) = set(psutil.Process().children()) - before
        with pytest.raises(MeasureError, match=r"The process that timed x gave no answer within 0\.5 s"):
            worker.ask("open", subject=file, threads=1, batch=1, input_px=(8, 8), classes=10, seed=1)
        assert not _runs(hanging.pid)


def test_without_a_listener_the_failure_is_raised_after_the_others_are_saved(home: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(MeasureError, match="The other 1 were measured and saved"):
        benchmark([convert(home, checkpoint, "nan"), checkpoint], SHORT, child=FAKE_CHILD)
    assert [r.subject_id for r in store.records(Benchmark).records] == [checkpoint.id]


def test_no_child_outlives_its_run(home: Path, checkpoint: Checkpoint) -> None:
    benchmark([checkpoint], SHORT, child=FAKE_CHILD)
    mine = [p for p in psutil.Process().children(recursive=True) if "tests.fake_child" in " ".join(p.cmdline())]
    assert mine == []


def test_a_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    file = to_plain(WrittenFile(write_fake(tmp_path / "f"), "fake"))
    code = (
        "import os, sys; from udacisense.benchmark.worker_client import Worker\n"
        "w = Worker('x', 1, 60, (sys.executable, '-m', 'tests.fake_child'))\n"
        f"w.ask('open', subject={file!r}, threads=1, batch=1,"
        " input_px=(8, 8), classes=10, seed=1)\n"
        "print(w._child.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    parent = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(parent.stdout)
    deadline = time.monotonic() + PATIENCE_S
    while (alive := _runs(pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive, f"child {pid} is still there"


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_changed_file_is_not_timed(home: Path, checkpoint: Checkpoint) -> None:
    write_fake(checkpoint.path, shift=9.0)
    with pytest.raises(MeasureError, match="changed since its record was made"):
        benchmark([checkpoint], SHORT, child=FAKE_CHILD)


def test_a_format_that_cannot_run_here_says_why(home: Path, checkpoint: Checkpoint, fake_formats: dict[str, object]) -> None:
    formats.FORMATS["fake"] = fake_format("fake", unavailable=lambda capability: "Core ML runs on macOS only")
    with pytest.raises(MeasureError, match="cannot be timed here: Core ML runs on macOS only"):
        benchmark([convert(home, checkpoint)], SHORT, child=FAKE_CHILD)


def test_nothing_to_time_is_an_error() -> None:
    with pytest.raises(MeasureError, match="nothing to time"):
        benchmark([], SHORT)


def test_what_a_timed_process_writes_for_a_moment_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "import tempfile; tempfile.mkstemp(); import tests.fake_child as child; child.main()"
    with Worker("writer", 1, 60, (sys.executable, "-c", code)) as worker:
        worker.ask("hello")
        (folder,) = tmp_path.iterdir()
        assert len(list(folder.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_a_runtime_prints_cannot_spoil_an_answer(tmp_path: Path) -> None:
    noisy = (
        "import os; from tests import fakes; from udacisense import formats\n"
        "class Noisy(fakes.FakeSession):\n"
        "    def predict(self, images):\n"
        "        os.write(1, b'hello from native code'); print('hello'); return super().predict(images)\n"
        "formats.FORMATS['fake'] = fakes.fake_format('fake', load=lambda file, threads: Noisy())\n"
        "from udacisense.benchmark.worker_process import main; main()\n"
    )
    file = to_plain(WrittenFile(tmp_path / "x", "fake"))
    with Worker("noisy", 1, 20, (sys.executable, "-c", noisy)) as worker:
        opened = worker.ask("open", subject=file, threads=1, batch=2, input_px=(8, 8), classes=10, seed=1)
        assert opened["first_s"] > 0
        assert len(worker.ask("block", seconds=0, runs=3, settle=1)["times"]) == 3


def test_threads_are_pinned_in_the_child() -> None:
    code = "import os; from udacisense.processes.serve import serve; serve({'env': lambda *_: (dict(os.environ), [])})"
    with Worker("x", 3, 20, (sys.executable, "-c", code)) as worker:
        found = worker.ask("env")
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == "3"


@pytest.mark.parametrize("ended_before", [False, True])
def test_last_words_of_a_crash_are_passed_on(ended_before: bool) -> None:
    with Worker("x", 1, 20, (sys.executable, "-c", "raise SystemExit('out of cheese')")) as worker:
        if ended_before:  # it was over before anything was asked, as on a busy machine
            worker._child._process.wait(20)
        with pytest.raises(MeasureError, match=r"ended with exit code 1\. Its last words: out of cheese"):
            worker.ask("open")


# --- the child's parts, in this process ---------------------------------------------------------------------------------


def test_the_child_answers_a_wrong_order_with_an_error() -> None:
    with Worker("x", 1, 60) as worker, pytest.raises(MeasureError, match="x could not be timed: nothing is open"):
        worker.ask("block")


@pytest.mark.parametrize(
    ("times", "stable"),
    [
        pytest.param([1.0] * 20, True, id="level"),
        pytest.param([2.0] * 10 + [1.0] * 10, False, id="still falling"),
        pytest.param([9.0] * 5 + [1.0] * 20, True, id="fell long ago"),
    ],
)
def test_warm_up_ends_when_two_windows_agree(times: list[float], stable: bool) -> None:
    assert worker_steps.is_stable(times, window=10, tolerance=0.03) is stable


# --- settings, starts, conditions ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_setting_is_timed_in_the_same_run(home: Path, checkpoint: Checkpoint) -> None:
    plan = changed(SHORT, starts=1, rounds=6)
    records = benchmark([checkpoint], plan, threads=(1, 2), batches=(1, 3), busy=1, child=FAKE_CHILD)
    assert {r.setting for r in records} == {(t, b, n, False) for t in (1, 2) for b in (1, 3) for n in (0, 1)}
    assert len({r.run_id for r in records}) == 1
    assert [r.plain for r in records].count(True) == 2, "what stands beside busy processes or is in batches is apart"
    assert records[0].made.command.endswith("--protocol short --threads 1,2 --batch 1,3 --busy 1")


def test_a_record_holds_what_it_was_made_under(home: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    found_cached = [False, True, None]
    told = iter(found_cached)
    monkeypatch.setattr(page_cache, "drop", lambda path: next(told))
    (record,) = benchmark([checkpoint], changed(SHORT, starts=3), cpus=(0,), child=FAKE_CHILD)
    assert len(record.starts) == 3
    assert all(start.process_s > 0.01 and start.first_s >= 0.002 for start in record.starts)
    assert [start.file_cached for start in record.starts] == found_cached
    assert len(record.conditions) == len(record.blocks_s)
    for block, conditions in zip(record.blocks_s, record.conditions, strict=True):
        assert conditions.wall_s >= sum(block)
        assert conditions.cpu_s is not None
        assert conditions.cpu_s <= conditions.wall_s + 0.02
    assert [c.at_s for c in record.conditions] == sorted(c.at_s for c in record.conditions)
    assert len(record.end_to_end_s) == 3 * SHORT.whole_rounds
    assert min(s for block in record.end_to_end_s for s in block) > 0.002, "inference is in it"
    assert record.cpus == (0,)
    assert record.protocol is not None
    assert record.protocol["block_s"] == SHORT.block_s
    assert record.warmup_stable is not None
    assert record.timer_resolution_s is not None
    assert 0 < record.timer_resolution_s < 1e-3
    assert all(c.energy_j is None for c in record.conditions) == bool(record.energy_note)
    assert store.records(Benchmark).records == (record,)


def test_alone_means_one_after_the_other(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint)
    stages: list[str] = []
    soak = changed(SHORT, order="alone", load_s=0.02, whole_rounds=0)
    with watched_by(lambda fraction, stage: stages.append(stage)):
        records = benchmark([checkpoint, artifact], soak, child=FAKE_CHILD)
    order = [s.split()[-1] for s in stages if "round" in s]
    assert order == sorted(order, key=[checkpoint.id, artifact.id].index)
    assert len({r.run_id for r in records}) == 2, "they were not timed side by side, so nothing may compare them"
    assert all(r.sustained and not r.plain for r in records)


def test_cores_that_are_not_there_are_refused(home: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(MeasureError, match=r"Cores \[4096\] are not there"):
        benchmark([checkpoint], SHORT, cpus=(4096,), child=FAKE_CHILD)


# --- faults -------------------------------------------------------------------------------------------------------------


def test_a_child_killed_in_the_middle_costs_its_own_record_only(home: Path, checkpoint: Checkpoint) -> None:
    earlier = benchmark([checkpoint], SHORT, child=FAKE_CHILD)
    artifact, told = convert(home, checkpoint), list[tuple[Subject, MeasureError]]()

    def kill(fraction: float, stage: str) -> None:
        if stage.startswith("start 1 of 2, round 3") and stage.endswith(artifact.id):
            youngest = max(psutil.Process().children(), key=lambda p: p.create_time())
            youngest.kill()

    with watched_by(kill):
        records = benchmark([checkpoint, artifact], SHORT, child=FAKE_CHILD, on_failure=lambda s, e: told.append((s, e)))
    assert [r.subject_id for r in records] == [checkpoint.id]
    assert len(records[0].by_start) == SHORT.starts
    assert "was killed by SIGKILL" in str(told[0][1])
    (left,) = store.records(Unfinished).records
    assert (left.subject_id, left.blocks_per_start) == (artifact.id, (2,))
    assert "was killed by SIGKILL" in left.reason
    assert {r.id for r in store.records(Benchmark).records} == {r.id for r in (*earlier, *records)}


def test_a_full_disk_costs_the_record_and_not_the_earlier_ones(
    home: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = benchmark([checkpoint], SHORT, child=FAKE_CHILD)

    def full(path: Path, text: str) -> Path:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", lambda self, text, **_: full(self, text))
        with pytest.raises(MeasureError, match="could not be written: No space left on device"):
            benchmark([checkpoint], SHORT, child=FAKE_CHILD)
    assert store.records(Benchmark).records == earlier
    assert not list((home / "results").rglob("*.part"))


def test_a_clock_that_steps_back_is_an_error_and_not_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    one = worker_steps.Timed(session, np.zeros((1, 3, 8, 8), np.float32), classes=10)
    readings = iter([100.0, 90.0])
    monkeypatch.setattr(worker_steps.time, "perf_counter", lambda: next(readings))
    with pytest.raises(ValueError, match="stepped back by 10 s"):
        one.run()


def test_a_date_that_is_set_back_is_remarked_and_changes_no_time(
    home: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_monitor.MachineWatch, "clock_step_s", lambda self: -7200.0)
    (record,) = benchmark([checkpoint], SHORT, child=FAKE_CHILD)
    assert any("set back by 7200 s" in warning for warning in record.warnings)
    assert min(record.steady_s) > 0


def test_two_benchmarks_at_once_queue_and_never_overlap(home: Path, checkpoint: Checkpoint) -> None:
    waited: list[str] = []

    def second() -> tuple[Benchmark, ...]:
        with watched_by(lambda fraction, stage: waited.append(stage)):
            return benchmark([checkpoint], SHORT, child=FAKE_CHILD)

    with ThreadPoolExecutor() as pool:
        with locks.heavy_work("timing 1 files", seeded=False, alone=True):
            later = pool.submit(second)
            deadline = time.monotonic() + PATIENCE_S
            while not waited and time.monotonic() < deadline:
                time.sleep(0.02)
            before = tuple(waited)
            assert not later.done()
        assert len(later.result()) == 1
    assert before
    assert set(before) == {"waiting for timing 1 files"}
