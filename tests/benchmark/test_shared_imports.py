"""Later starts of a subject share what its first have imported: their runs count, their start-up does not."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.benchmark.test_run import FAKE_CHILD, SHORT, changed
from tests.fakes import fake_artifact, fake_checkpoint
from udacisense.benchmark import shared_imports
from udacisense.benchmark.run import benchmark
from udacisense.benchmark.worker_client import Worker, environment
from udacisense.errors import MeasureError
from udacisense.processes import fork_client
from udacisense.processes.fork_client import ForkServer, ForkServerError
from udacisense.types import Checkpoint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no safe fork")
SHARED = changed(SHORT, starts=4, shared_starts=3)


@pytest.fixture(autouse=True)
def own_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither wait for a real benchmark on this machine nor keep one waiting."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def checkpoint(home: Path, fake_formats: object) -> Checkpoint:
    return fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth", delay_s=0.002)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[ForkServer]:
    """The fork servers that a run starts."""
    started: list[ForkServer] = []

    class Kept(ForkServer):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            started.append(self)

    monkeypatch.setattr(shared_imports, "ForkServer", Kept)
    return started


def test_runs_of_all_starts_count_and_start_up_of_the_first(
    home: Path, checkpoint: Checkpoint, servers: list[ForkServer]
) -> None:
    artifact = fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake", delay_s=0.004)
    fast, slow = benchmark([checkpoint, artifact], SHARED, child=FAKE_CHILD)
    for record in (fast, slow):
        assert len(record.by_start) == 4
        assert len(record.starts) == 1
        assert record.peak_rss_bytes is not None
    assert min(fast.steady_s) >= 0.002
    assert min(slow.steady_s) >= 0.004
    assert len(servers) == 1, "both subjects need the same imports, so one process has them"
    assert servers[0]._process.poll() is not None, "it ends with the run"


def test_where_nothing_can_be_forked_every_start_is_from_nothing(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_client.sys, "platform", "darwin")
    (record,) = benchmark([checkpoint], SHARED, child=FAKE_CHILD)
    assert len(record.by_start) == len(record.starts) == 4


def test_a_crash_in_a_shared_start_is_told_as_in_any(home: Path, checkpoint: Checkpoint) -> None:
    with ForkServer([], environment(1)) as server, Worker("x", 1, 20, FAKE_CHILD, server.popen) as worker:
        worker.ask("hello")
        worker._child._process.kill()
        with pytest.raises(MeasureError, match="x was killed by SIGKILL"):
            worker.ask("open")


def test_a_server_that_died_is_an_error_of_the_run(checkpoint: Checkpoint, servers: list[ForkServer]) -> None:
    shared = shared_imports.SharedImports()
    with shared:
        start = shared.start(1, ())
        assert start is not None
        assert shared.start(1, ()) == start, "it is started once"
        servers[0].close()
        with pytest.raises(MeasureError, match="the process that starts others is gone"):
            Worker("x", 1, 20, FAKE_CHILD, start)


def test_a_server_has_one_thread_and_the_threads_asked_for() -> None:
    """With torch imported, as in a real run: one that had started threads could not be forked."""
    with ForkServer((*shared_imports.OURS, "torch"), environment(1)) as server:
        assert server._process.poll() is None


def test_one_start_at_least_shares_nothing() -> None:
    with pytest.raises(ValidationError, match="at least one of the 4 starts"):
        changed(SHORT, starts=4, shared_starts=4)
    with pytest.raises(ForkServerError):
        ForkServer(["no.such.module"], {})
