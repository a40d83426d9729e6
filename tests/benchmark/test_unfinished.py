"""A run that is killed or fails: what it had timed is kept apart, and what was there before is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.benchmark.test_run import FAKE_CHILD, SHORT, changed
from tests.fakes import fake_artifact, fake_checkpoint
from udacisense.benchmark import interleave
from udacisense.benchmark.run import benchmark
from udacisense.errors import StoreError
from udacisense.readiness.judge import judge
from udacisense.records import store
from udacisense.settings import PROJECT
from udacisense.types import Artifact, Benchmark, Checkpoint, Unfinished

RUN = """
import sys
from pathlib import Path
from tests.benchmark.test_run import FAKE_CHILD, SHORT, changed
from tests.fakes import fake_format
from udacisense import formats
formats.FORMATS.update({name: fake_format(name) for name in ("torch", "fake")})
from udacisense.artifacts import find_subject
from udacisense.processes import locks
from udacisense.benchmark.run import benchmark
locks._timing_lock = lambda: Path(sys.argv[1], "killed.lock")
benchmark([find_subject(s) for s in sys.argv[2:]], changed(SHORT, starts=50), child=FAKE_CHILD)
"""


@pytest.fixture
def pair(home: Path, fake_formats: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Checkpoint, Artifact]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth", delay_s=0.002)
    return checkpoint, fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake", delay_s=0.002)


def killed(home: Path, tmp_path: Path, *subjects: str) -> None:
    """Start a long run in a process of its own and kill that once every subject has finished a start."""
    env = {**os.environ, "UDACISENSE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), *subjects], env=env, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while len(list((home / "results" / "unfinished").glob("*.json"))) < len(subjects):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    if process.stderr:
        process.stderr.close()


def test_a_killed_run_keeps_what_was_finished_apart(home: Path, tmp_path: Path, pair: tuple[Checkpoint, Artifact]) -> None:
    earlier = benchmark(pair, SHORT, child=FAKE_CHILD)
    before = judge(pair[1]).verdicts
    killed(home, tmp_path, *(s.id for s in pair))
    assert {r.id: r for r in store.records(Benchmark).records} == {r.id: r for r in earlier}
    left = store.records(Unfinished).records
    assert {u.subject_id for u in left} == {s.id for s in pair}
    for record in left:
        assert 1 <= len(record.blocks_per_start) < record.starts_asked == 50
        assert sum(record.blocks_per_start) == len(record.blocks_s) > 0
        assert "it was cut short: run its command again" in record.reason
    assert [(v.status, v.evidence) for v in judge(pair[1]).verdicts] == [(v.status, v.evidence) for v in before]


def test_a_run_that_ends_leaves_nothing_unfinished(home: Path, pair: tuple[Checkpoint, Artifact]) -> None:
    benchmark(pair, SHORT, child=FAKE_CHILD)
    assert store.records(Unfinished).records == ()


def test_a_long_start_is_written_down_meanwhile(
    home: Path, pair: tuple[Checkpoint, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interleave, "KEEP_S", 0.0)
    kept: list[int] = []
    monkeypatch.setattr(interleave.partial_results, "keep", lambda turn, *_: kept.append(len(turn.blocks)))
    benchmark(pair[:1], changed(SHORT, starts=1, rounds=6), child=FAKE_CHILD)
    assert kept[:6] == [1, 2, 3, 4, 5, 6]


def test_a_disk_that_is_full_meanwhile_costs_only_what_was_to_be_kept(
    home: Path, pair: tuple[Checkpoint, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.write_text

    def full(path: Path, text: str) -> Path:
        if path.parent.name == "unfinished":
            raise StoreError("No space left on device")
        return write(path, text)

    monkeypatch.setattr(store, "write_text", full)
    assert len(benchmark(pair, SHORT, child=FAKE_CHILD)) == 2
