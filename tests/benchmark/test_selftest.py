"""The self-test with clocks that are made up: it must pass where the machine is honest and fail where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.benchmark.test_run import FAKE_CHILD
from tests.fakes import fake_artifact, fake_checkpoint
from udacisense import store
from udacisense.benchmark import queueing, selftest
from udacisense.benchmark.protocol import get_protocol
from udacisense.types import SelfTest


class Machine:
    """A machine whose speed wanders, with a busy neighbour now and then, and processes that differ a little."""

    def __init__(self, seed: int, noise: float = 0.02, bias: float = 0.0) -> None:
        self.rng, self.noise, self.bias = np.random.default_rng(seed), noise, bias
        self.level, self.busy = 0.0, False

    @contextmanager
    def working(self, count: int) -> Iterator[None]:
        self.busy = bool(count)
        yield
        self.busy = False

    def seconds(self, work: float) -> float:
        self.level = 0.9 * self.level + 0.03 * self.rng.normal()
        noise = self.noise * (4 if self.busy else 1)
        return float(0.006 * work * np.exp(self.level + noise * self.rng.normal()))


class Made:
    """A turn whose blocks come from the machine above."""

    def __init__(self, machine: Machine, work: float) -> None:
        self.machine, self.work = machine, work * float(np.exp(machine.bias * machine.rng.normal()))
        self.blocks: list[tuple[float, ...]] = []
        self.around = SimpleNamespace(neighbours=machine)

    def block(self) -> None:
        self.blocks.append((self.machine.seconds(self.work),))


def trio(machine: Machine, more: float) -> Any:
    def opened(stack: ExitStack) -> Any:
        return Made(machine, 10), Made(machine, 10), Made(machine, more)

    return opened


def test_an_honest_machine_passes() -> None:
    same, more, busy = selftest.run_trials(trio(Machine(1), 11), rounds=24)
    assert (same.comparisons, more.comparisons, busy.comparisons) == (100, 40, 40)
    assert same.passed, same
    assert more.passed, more
    assert busy.passed, busy
    assert np.median(more.ratios) == pytest.approx(1.1, abs=0.02)


def test_work_that_is_not_there_is_not_found() -> None:
    _, more, _ = selftest.run_trials(trio(Machine(2), 10), rounds=24)
    assert not more.passed
    assert more.same == more.comparisons


def test_processes_that_differ_by_themselves_are_caught() -> None:
    same, _, _ = selftest.run_trials(trio(Machine(3, noise=0.005, bias=0.1), 11), rounds=24)
    assert not same.passed


def test_the_real_thing_runs_and_leaves_a_record(
    home: Path, fake_formats: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "_place", lambda: tmp_path / "timing.lock")
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    artifact = fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake", delay_s=0.0002)
    short = get_protocol("selftest").model_copy(update={"rounds": 6, "warmup_max_s": 0.1})
    found = selftest.selftest(artifact, child=FAKE_CHILD, protocol=short, trios=1)
    assert [t.comparisons for t in found.trials] == [10, 4, 4]
    assert store.records(SelfTest).records == (found,)
