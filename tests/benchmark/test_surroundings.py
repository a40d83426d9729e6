"""What is around a timed run: imports and the load apart, peak memory, the page cache, busy neighbours, energy."""

from __future__ import annotations

import builtins
import gc
import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.fakes import FakeSession, fake_format, write_fake
from udacisense import formats
from udacisense.benchmark import import_timer, memory, page_cache, worker_steps
from udacisense.benchmark.cpu_load import BackgroundLoad
from udacisense.benchmark.import_timer import ImportWatch
from udacisense.benchmark.system_monitor import Energy
from udacisense.records.subjects import to_plain
from udacisense.types import Format, Images, Logits, ModelFile, WrittenFile

PATIENCE_S = 120.0  # a busy machine is slow; no test passes by this time


@dataclass
class Clock:
    """A clock that moves only when it is told to."""

    now: float = 0.0

    def perf_counter(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that imports and loads are timed by, and two modules that take 0.3 s of it each, one inside the other."""
    clock = Clock()
    monkeypatch.setattr(import_timer, "time", clock)
    monkeypatch.setattr(worker_steps, "time", clock)
    monkeypatch.setitem(sys.modules, "clock_of_the_test", clock)  # type: ignore[arg-type]
    for name, first in (("slow_inner_module", ""), ("slow_outer_module", "import slow_inner_module\n")):
        (tmp_path / f"{name}.py").write_text(f"{first}import clock_of_the_test\nclock_of_the_test.pass_(0.3)\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return clock


def test_imports_are_counted_once_and_given_back(clock: Clock) -> None:
    before, readings = builtins.__import__, iter([100, 200])
    with ImportWatch(lambda: next(readings)) as watch:
        clock.pass_(0.4)  # work of the load itself does not count
        importlib.import_module("slow_outer_module")
    assert watch.seconds == pytest.approx(0.6), "the inner one counted twice would make 0.9"
    assert watch.rss_after == 200
    assert builtins.__import__ is before


def test_what_a_runtime_imports_is_no_part_of_loading_the_file(
    clock: Clock, tmp_path: Path, fake_formats: dict[str, Format]
) -> None:
    class Session(FakeSession):
        def predict(self, images: Images) -> Logits:
            clock.pass_(0.05)
            return super().predict(images)

    def load(file: ModelFile, threads: int) -> Session:
        importlib.import_module("slow_outer_module")
        clock.pass_(0.2)
        return Session()

    formats.FORMATS["fake"] = fake_format("fake", load=load)
    file = to_plain(WrittenFile(write_fake(tmp_path / "f"), "fake"))
    asked = {"subject": file, "threads": 1, "batch": 1, "input_px": (8, 8), "classes": 10, "seed": 1}
    try:
        _, answer = worker_steps.open_subject(asked)
    finally:
        gc.unfreeze()
    assert {name: round(answer[name], 9) for name in ("import_s", "load_s", "first_s")} == {
        "import_s": 0.6, "load_s": 0.2, "first_s": 0.05,
    }  # fmt: skip


MEMORY = """
from udacisense.benchmark.memory import peak_rss_bytes
before = peak_rss_bytes()
block = bytearray(b"1") * (80 << 20)
used = peak_rss_bytes()
del block
print(before, used, peak_rss_bytes())
"""


def test_peak_memory_grows_by_what_is_used_and_stays_when_it_is_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout
    before, used, after = map(int, told.split())
    assert 79 << 20 <= used - before <= 100 << 20
    assert after - before >= 79 << 20


def test_peak_memory_is_the_high_water_mark_that_linux_keeps(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t   900 kB\nVmHWM:\t   300 kB\nVmRSS:\t   200 kB\n")
    assert memory.peak_rss_bytes(status) == 300 * 1024


def test_neighbours_work_only_while_asked_and_end_with_the_block() -> None:
    before = set(psutil.Process().children())
    with BackgroundLoad(2) as load:
        asked, other = sorted(set(psutil.Process().children()) - before, key=lambda process: process.pid)
        with load.working(2):
            until(lambda: min(used_s(asked), used_s(other)) > 0.3)  # both are up, and both work
        rested, worked = used_s(other), used_s(asked)
        with load.working(1):
            until(lambda: used_s(asked) > worked + 0.5)
        assert used_s(other) < rested + 0.2, "it rested while the other one, on the same machine, did not"
    assert not any(process.is_running() for process in (asked, other))


def used_s(process: psutil.Process) -> float:
    return float(process.cpu_times().user)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@dataclass
class Kernel:
    """What a kernel knows of the pages of one file, by the bytes at which they begin."""

    cached: set[int]
    fault: OSError | None = None

    def preadv(self, descriptor: int, buffers: object, offset: int, flags: int) -> int:
        if self.fault is not None:
            raise self.fault
        if offset not in self.cached:
            raise BlockingIOError
        return 1

    def posix_fadvise(self, *asked: object) -> None:
        self.cached.clear()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(set(range(0, 2**20, 2**20 // page_cache.SAMPLES)))
    for name, value in (("preadv", made.preadv), ("posix_fadvise", made.posix_fadvise), ("RWF_NOWAIT", 8)):
        monkeypatch.setattr(page_cache.os, name, value, raising=False)  # type: ignore[attr-defined]
    monkeypatch.setattr(page_cache.os, "POSIX_FADV_DONTNEED", 4, raising=False)  # type: ignore[attr-defined]
    return made


def test_a_file_is_cached_while_any_of_its_pages_is_and_not_after_it_was_dropped(tmp_path: Path, kernel: Kernel) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 2**20)
    assert page_cache.is_cached(path) is True
    kernel.cached = {2**19}
    assert page_cache.is_cached(path) is True
    assert page_cache.drop(path) is False
    assert page_cache.is_cached(path) is False
    kernel.fault = OSError(95, "Operation not supported")
    assert page_cache.is_cached(path) is None
    assert page_cache.drop(path) is None


def test_this_system_tells_the_same_of_a_file_that_was_just_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 2**20)
    path.read_bytes()
    if page_cache.is_cached(path) is None:
        pytest.skip("this system, or this file system, does not tell")
    assert page_cache.is_cached(path) is True


def test_energy_is_read_where_there_are_counters_and_else_says_why(tmp_path: Path) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "energy_uj").write_text("5000000")
    (zone / "max_energy_range_uj").write_text("9000000")
    energy = Energy(tmp_path)
    assert energy.joules() == 5.0
    assert energy.since(2.0) == 3.0
    assert energy.since(8.0) == 6.0, "the counter began again"
    assert energy.note == ""
    none = Energy(tmp_path / "nowhere")
    assert none.since(none.joules()) is None
    assert "no energy counter" in none.note
