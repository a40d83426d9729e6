from __future__ import annotations

import builtins
import importlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.fakes import Fault, fake_artifact, fake_checkpoint, fake_format, write_fake
from udacisense import store
from udacisense.benchmark import child, memory, queueing, timed
from udacisense.benchmark.protocol import Protocol
from udacisense.benchmark.run import benchmark
from udacisense.benchmark.watch_imports import ImportWatch
from udacisense.benchmark.worker import Worker
from udacisense.errors import MeasureError
from udacisense.progress import watched_by
from udacisense.types import Artifact, Benchmark, Checkpoint, Subject

FAKE_CHILD = (sys.executable, "-m", "tests.fake_child")
SHORT = Protocol(
    name="short",
    rounds=6,
    block_s=0.02,
    min_runs=12,
    min_s=0.05,
    max_rounds=12,
    warmup_max_s=0.3,
    whole_rounds=2,
    whole_s=0.01,
    step_timeout_s=20,
)


def changed(protocol: Protocol, **changes: object) -> Protocol:
    """The protocol with other numbers, checked again."""
    return Protocol.model_validate({**protocol.model_dump(), **changes})


@pytest.fixture(autouse=True)
def own_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither wait for a real benchmark on this machine nor keep one waiting."""
    monkeypatch.setattr(queueing, "_place", lambda: tmp_path / "timing.lock")


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
    assert len(fast.blocks_s) >= SHORT.rounds
    assert len(fast.steady_s) >= SHORT.min_runs
    assert min(fast.steady_s) >= 0.002
    assert min(slow.steady_s) >= 0.004
    assert fast.first_s >= 0.002
    assert fast.load_s < 0.5
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
    order = [s.split()[-1] for s in stages if s.startswith("round")]
    a, b = checkpoint.id, artifact.id
    assert order[:8] == [a, b, b, a, a, b, b, a]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        pytest.param("nan", "not numbers", id="NaN"),
        pytest.param("shape", r"shape \(1, 7\)", id="wrong shape"),
        pytest.param("crash", "was killed by SIGKILL", id="killed"),
        pytest.param("run", "the fake runtime broke", id="runtime error"),
        pytest.param("load", "does not load", id="does not load"),
        pytest.param("hang", "gave no answer within 2 s", id="hang"),
    ],
)
def test_a_broken_subject_is_told_and_the_others_go_on(home: Path, checkpoint: Checkpoint, fault: Fault, message: str) -> None:
    broken = convert(home, checkpoint, fault)
    told: list[tuple[Subject, MeasureError]] = []
    protocol = changed(SHORT, step_timeout_s=2 if fault == "hang" else 20)
    records = benchmark([broken, checkpoint], protocol, child=FAKE_CHILD, on_failure=lambda s, error: told.append((s, error)))
    assert [r.subject_id for r in records] == [checkpoint.id]
    ((subject, error),) = told
    assert subject is broken
    with pytest.raises(MeasureError, match=message):
        raise error


def test_without_a_listener_the_failure_is_raised_after_the_others_are_saved(home: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(MeasureError, match="The other 1 were measured and saved"):
        benchmark([convert(home, checkpoint, "nan"), checkpoint], SHORT, child=FAKE_CHILD)
    assert [r.subject_id for r in store.records(Benchmark).records] == [checkpoint.id]


def test_no_child_outlives_its_run(home: Path, checkpoint: Checkpoint) -> None:
    benchmark([checkpoint], SHORT, child=FAKE_CHILD)
    mine = [p for p in psutil.Process().children(recursive=True) if "tests.fake_child" in " ".join(p.cmdline())]
    assert mine == []


def test_a_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    code = (
        "import os, sys; from udacisense.benchmark.worker import Worker\n"
        "w = Worker('x', 1, 60, (sys.executable, '-m', 'tests.fake_child'))\n"
        f"w.ask('open', format='fake', path={str(write_fake(tmp_path / 'f'))!r}, threads=1, batch=1,"
        " input_px=(8, 8), classes=10, seed=1)\n"
        "print(w._process.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    parent = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(parent.stdout)
    deadline = time.monotonic() + 10
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
    from udacisense import formats

    formats.FORMATS["fake"] = fake_format("fake", unavailable=lambda capability: "Core ML runs on macOS only")
    with pytest.raises(MeasureError, match="cannot be timed here: Core ML runs on macOS only"):
        benchmark([convert(home, checkpoint)], SHORT, child=FAKE_CHILD)


def test_nothing_to_time_is_an_error() -> None:
    with pytest.raises(MeasureError, match="nothing to time"):
        benchmark([], SHORT)


def test_what_a_runtime_prints_cannot_spoil_an_answer(tmp_path: Path) -> None:
    noisy = (
        "import os; from tests import fakes; from udacisense import formats\n"
        "class Noisy(fakes.FakeSession):\n"
        "    def predict(self, images):\n"
        "        os.write(1, b'hello from native code'); print('hello'); return super().predict(images)\n"
        "formats.FORMATS['fake'] = fakes.fake_format('fake', load=lambda path, threads: Noisy())\n"
        "from udacisense.benchmark.child import main; main()\n"
    )
    with Worker("noisy", 1, 20, (sys.executable, "-c", noisy)) as worker:
        opened = worker.ask("open", format="fake", path="x", threads=1, batch=2, input_px=(8, 8), classes=10, seed=1)
        assert opened["first_s"] > 0
        assert len(worker.ask("block", seconds=0, runs=3, settle=1)["times"]) == 3


def test_threads_are_pinned_in_the_child() -> None:
    code = "import os, json, sys\nfor line in sys.stdin: print(json.dumps(dict(os.environ)), flush=True)"
    with Worker("x", 3, 20, (sys.executable, "-c", code)) as worker:
        found = worker.ask("env")
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == "3"


def test_last_words_of_a_crash_are_passed_on() -> None:
    with (
        Worker("x", 1, 20, (sys.executable, "-c", "raise SystemExit('out of cheese')")) as worker,
        pytest.raises(MeasureError, match=r"ended with exit code 1\. Its last words: out of cheese"),
    ):
        worker.ask("open")


# --- the child's parts, in this process ---------------------------------------------------------------------------------


def test_the_child_answers_a_wrong_order_with_an_error() -> None:
    answers = io.StringIO()
    child.serve(io.StringIO(json.dumps({"do": "block", "timeout_s": 60}) + "\n"), answers)
    assert json.loads(answers.getvalue()) == {"error": "nothing is open"}


@pytest.mark.parametrize(
    ("times", "stable"),
    [
        pytest.param([1.0] * 20, True, id="level"),
        pytest.param([2.0] * 10 + [1.0] * 10, False, id="still falling"),
        pytest.param([9.0] * 5 + [1.0] * 20, True, id="fell long ago"),
    ],
)
def test_warm_up_ends_when_two_windows_agree(times: list[float], stable: bool) -> None:
    assert timed.is_stable(times, window=10, tolerance=0.03) is stable


def test_imports_are_counted_once_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_inner_module.py").write_text("import time; time.sleep(0.3)")
    (tmp_path / "slow_outer_module.py").write_text("import slow_inner_module, time; time.sleep(0.3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    before, readings = builtins.__import__, iter([100, 200])
    with ImportWatch(lambda: next(readings)) as watch:
        time.sleep(0.4)  # work of the load itself does not count
        importlib.import_module("slow_outer_module")
    assert 0.6 <= watch.seconds < 0.85  # the inner one counted twice would make 0.9
    assert watch.rss_after == 200
    assert builtins.__import__ is before


def test_peak_memory_grows_with_what_is_used() -> None:
    before = memory.peak_rss_bytes()
    block = bytearray(80 * 2**20)
    for i in range(0, len(block), 4096):
        block[i] = 1
    after = memory.peak_rss_bytes()
    assert before is not None
    assert after is not None
    assert after >= before
    assert after >= 80 * 2**20
