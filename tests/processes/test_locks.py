"""Heavy work takes turns within a home, timings within a user; who waits is told for what, in words."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from udacisense import settings as settings_module
from udacisense.processes import locks
from udacisense.processes.locks import heavy_work
from udacisense.progress import WAITING, watched_by

WORDS = "converting to LiteRT fp16"


@pytest.fixture(autouse=True)
def own_place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(locks, "POLL_S", 0.01)


@contextmanager
def held(alone: bool) -> Iterator[threading.Event]:
    """Work that another thread of this home does until it is told to end."""
    begun, over = threading.Event(), threading.Event()

    def work() -> None:
        with heavy_work(WORDS, seeded=False, alone=alone):
            begun.set()
            over.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    yield over
    over.set()
    thread.join()


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDACISENSE_HOME", str(tmp_path / "other"))
    settings_module.settings.cache_clear()


@pytest.mark.parametrize(("alone", "waits"), [(False, False), (True, True)])
def test_only_timings_wait_for_those_of_another_home(
    alone: bool, waits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with held(alone=True) as over:
        elsewhere(tmp_path, monkeypatch)

        def watch(_: float, stage: str) -> None:
            told.append(stage)
            if stage.startswith(WAITING):
                over.set()

        with watched_by(watch), heavy_work("mine", seeded=False, alone=alone):
            told.append("at work")
    assert told == ["mine", *([f"{WAITING}{WORDS}"] if waits else []), "at work"] or told.count(f"{WAITING}{WORDS}") > 1
    assert any(stage.startswith(WAITING) for stage in told) == waits


def test_a_timing_within_other_work_takes_the_second_lock_once_and_lets_go_of_it(home: Path, tmp_path: Path) -> None:
    with heavy_work("the whole way", seeded=False):
        with heavy_work("timing", seeded=False, alone=True), heavy_work("timing again", seeded=False, alone=True):
            (holder,) = tmp_path.glob("udacisense-*-timing.json")
            assert '"timing"' in holder.read_text()
        assert not holder.exists()
        assert (home / ".udacisense" / "work.json").exists()


def test_the_words_of_one_who_holds_no_longer_are_replaced(home: Path) -> None:
    place = home / ".udacisense"
    place.mkdir(exist_ok=True)
    (place / "work.json").write_text("not json")
    told: list[str] = []
    with held(alone=False) as over:
        (place / "work.json").write_text("not json")

        def watch(_: float, stage: str) -> None:
            told.append(stage)
            over.set()

        with watched_by(watch), heavy_work("mine", seeded=False):
            pass
    assert told[0] == f"{WAITING}other work on this machine"
