"""The self-test with clocks that are made up: it must pass where the machine is honest and fail where it is not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.benchmark.test_run import FAKE_CHILD
from tests.fakes import fake_artifact, fake_checkpoint
from udacisense.benchmark import aa_test
from udacisense.benchmark.protocol import get_protocol
from udacisense.records import store
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

    def __init__(self, machine: Machine) -> None:
        self.machine, self.level = machine, float(np.exp(machine.bias * machine.rng.normal()))
        self.calls = 1
        self.blocks: list[tuple[float, ...]] = []
        self.around = SimpleNamespace(background_load=machine)

    def block(self) -> None:
        self.blocks.append((self.machine.seconds(self.calls * self.level),))


def pairs(machine: Machine) -> Any:
    @contextmanager
    def opened() -> Iterator[Any]:
        yield Made(machine), Made(machine)

    return opened


PLAN = get_protocol("selftest")


def test_an_honest_machine_passes() -> None:
    same, more, busy = aa_test.run_trials(pairs(Machine(1)), PLAN)
    assert (same.comparisons, more.comparisons, busy.comparisons) == (100, 40, 40)
    assert same.passed, same
    assert more.passed, more
    assert busy.passed, busy
    assert np.median(more.ratios) == pytest.approx(1.1, abs=0.02)
    assert len(same.intervals) == 100
    assert all(low <= ratio <= high for ratio, (low, high) in zip(same.ratios, same.intervals, strict=True))


def test_work_that_is_not_there_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aa_test, "MORE_CALLS", aa_test.CALLS)
    _, more, _ = aa_test.run_trials(pairs(Machine(2)), PLAN)
    assert not more.passed
    assert more.slower == 0


def test_processes_that_differ_by_themselves_are_known_to_the_interval() -> None:
    """8 % between processes hide 10 % more work, and never make the same look different."""
    same, more, busy = aa_test.run_trials(pairs(Machine(3, noise=0.005, bias=0.08)), PLAN)
    assert same.passed, same
    assert not more.passed
    assert more.unknown > 0
    assert busy.passed, busy


def test_being_opened_first_cancels() -> None:
    machine = Machine(4)

    @contextmanager
    def opened() -> Iterator[Any]:
        first, second = Made(machine), Made(machine)
        first.level *= 1.03
        yield first, second

    assert aa_test.run_trials(opened, PLAN)[0].passed


def test_a_method_that_leans_to_one_side_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    leaning = aa_test.one_start
    monkeypatch.setattr(aa_test, "one_start", lambda a, b: leaning(a, b) + 0.08)
    assert not aa_test.run_trials(pairs(Machine(5)), PLAN, comparisons=20)[0].passed


@pytest.mark.parametrize("comparisons", [5, 30, 100])
def test_each_other_kind_is_made_two_fifths_as_often(comparisons: int) -> None:
    counts = [sum(kind.is_made(n) for n in range(comparisons)) for kind in aa_test.KINDS]
    assert counts == [comparisons, comparisons * 2 // 5, comparisons * 2 // 5]


@pytest.mark.slow
def test_the_real_thing_runs_and_leaves_a_record(
    home: Path, fake_formats: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    artifact = fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake", delay_s=0.0002)
    short = PLAN.model_copy(update={"starts": 6, "rounds": 1, "warmup_max_s": 0.1})
    found = aa_test.selftest(artifact, child=FAKE_CHILD, protocol=short, comparisons=3)
    assert [t.comparisons for t in found.trials] == [3, 1, 1]
    assert found.made.command.endswith("--comparisons 3")
    assert store.records(SelfTest).records == (found,)
