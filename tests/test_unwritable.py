"""A home that nothing can be written to is said before the work, with the folder and the way out, and never as a traceback."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st

from tests.driving import app, quick_answers, seen, words  # noqa: F401 - a fixture
from tests.story import Story
from udacisense import jobs, verbs, writable
from udacisense.cli.main import main
from udacisense.errors import JobError, MeasureError, StoreError
from udacisense.records import store
from udacisense.types import Readiness
from udacisense.verbs.places import cannot_start

Call = Callable[..., tuple[int, str, str]]
PAGES = ("", *(f"pages/{p}.py" for p in ("dataset", "models", "convert", "verify", "benchmark", "history", "readiness")))


@pytest.fixture
def read_only(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The story in a home that this user may read and not change."""
    allowed = os.access

    def access(path: Path, mode: int, **how: bool) -> bool:
        return allowed(path, mode, **how) and not (mode & os.W_OK and Path(path).is_relative_to(seeded_home.home))

    access_supported = {*os.supports_effective_ids, access}
    monkeypatch.setattr(os, "supports_effective_ids", access_supported)
    monkeypatch.setattr(os, "access", access)
    return seeded_home


@pytest.fixture
def full(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The story on a disk without room."""
    monkeypatch.setattr(writable, "MIN_FREE_BYTES", 2**62)
    return seeded_home


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command line in this process: its code, its answer and what it said beside it."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*argv: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["udacisense", *argv])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield run
    signal.signal(signal.SIGTERM, before)


VERBS = [
    ("evaluate", "A"),
    ("verify", "A"),
    ("locate", "A"),
    ("benchmark", "A"),
    ("convert", "C", "--format", "onnx"),
    ("selftest", "bench"),
    ("run",),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda v: v[0])
def test_verbs_say_so_before_the_work(verb: tuple[str, ...], read_only: Story, call: Call) -> None:
    ids = {"A": read_only.faithful.id, "C": read_only.checkpoint.id}
    code, _, said = call(*(ids.get(word, word) for word in verb))
    assert code == 3
    assert f"this user may not write to {read_only.home}" in said
    assert "Set UDACISENSE_HOME to a folder of your own" in said
    assert "Traceback" not in said


def test_a_full_disk_is_said_before_the_work_too(full: Story, call: Call) -> None:
    code, _, said = call("evaluate", full.faithful.id)
    assert code == 3
    assert "its disk is full. Free some space on the disk that holds" in said


def test_a_file_where_the_home_should_be(seeded_home: Story, call: Call) -> None:
    (seeded_home.home / ".udacisense").write_text("a file")
    code, _, said = call("evaluate", seeded_home.faithful.id)
    assert code == 3
    assert "is a file, not a folder. Set UDACISENSE_HOME to a folder of your own." in said


@pytest.mark.parametrize("surroundings", ["read_only", "full"])
@pytest.mark.parametrize("page", PAGES)
def test_pages_say_so_and_turn_their_buttons_off(page: str, surroundings: str, request: pytest.FixtureRequest) -> None:
    story: Story = request.getfixturevalue(surroundings)
    at = app(page, artifact=story.faithful.id)
    assert "UDACISENSE_HOME" in words(at)
    assert "Until then the buttons that start such work are off." in words(at)
    started = [button for button in at.button if str(button.key).startswith("start_")]
    assert all(button.disabled for button in started)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "jobs"), StoreError("No. Do that.")])
def test_a_press_that_fails_after_all_is_told_and_not_raised(
    error: Exception, seeded_home: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    at = app("pages/verify.py", artifact=seeded_home.faithful.id)
    monkeypatch.setattr(jobs, "submit", refuse)
    button = next((b for b in at.button if b.key == "start_verify"), None)
    assert button is not None
    if button.disabled:
        pytest.skip("this machine cannot run the file at all")
    button.click().run()
    assert not at.exception
    assert str(error) in seen(str(at.error[0].value))
    st.cache_data.clear()


def test_a_job_that_cannot_be_kept_is_not_started(read_only: Story) -> None:
    with pytest.raises(StoreError, match="Set UDACISENSE_HOME"):
        jobs.submit(["evaluate", read_only.faithful.id], "Evaluate")
    assert not (read_only.home / ".udacisense" / "jobs").exists()
    assert not isinstance(StoreError(""), JobError)


def test_ready_judges_all_the_same_and_says_that_nothing_was_kept(read_only: Story, call: Call) -> None:
    before = store.records(Readiness).records
    found = verbs.ready(read_only.drifting.id)
    assert found.status == "fail"
    assert "Nothing can be written to" in found.notes[0]
    assert store.records(Readiness).records == before
    code, out, _ = call("ready", read_only.drifting.id, "--json")
    assert code == 1
    assert json.loads(out)["notes"] == list(found.notes)
    assert " ".join(found.notes[0].split()[:6]) in " ".join(call("ready", read_only.drifting.id)[1].split())


def test_which_folders_a_verb_needs(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    models = seeded_home.home / "models"
    monkeypatch.setattr("udacisense.verbs.places.why_not", lambda folder: "no" if folder == models else None)
    assert cannot_start("convert") == cannot_start() == "no"
    assert cannot_start("evaluate") is None
    monkeypatch.setattr("udacisense.verbs.places.why_not", lambda folder: "no" if folder.name == "data" else None)
    assert cannot_start("data") == "no"
    assert cannot_start("verify") is None


def test_an_error_of_the_system_that_nobody_foresaw_is_one_sentence(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(home / "somewhere" / "x"))

    monkeypatch.setattr(verbs, "models_info", refuse)
    code, _, said = call("models")
    assert code == 3
    assert said == (
        f"Error: models was stopped. {home / 'somewhere' / 'x'}: Permission denied. "
        "Set UDACISENSE_HOME to a folder of your own, or let this user use it.\n"
    )


def test_a_file_that_cannot_be_written_names_the_setting(home: Path) -> None:
    said = str(store._write_error(home / "results" / "x.json", PermissionError(13, "Permission denied")))
    assert "Set UDACISENSE_HOME" in said
    said = str(store._write_error(home / "results" / "x.json", OSError(28, "No space left on device")))
    assert f"Free some space on the disk that holds {home / 'results'}" in said
    said = str(store._write_error(Path("/elsewhere/x.json"), PermissionError(13, "Permission denied")))
    assert "Name another folder, or allow writing there." in said


def test_timings_of_a_user_without_a_name_or_a_temporary_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.processes import locks

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(locks.getpass, "getuser", nameless)
    monkeypatch.setattr(locks.tempfile, "gettempdir", lambda: str(home))
    with locks.heavy_work("timing", seeded=False, alone=True):
        assert len(list(home.glob("udacisense-*-timing.lock"))) == 1
    (home / "file").write_text("a file")
    monkeypatch.setattr(locks.tempfile, "gettempdir", lambda: str(home / "file"))
    with (
        pytest.raises(MeasureError, match="set TMPDIR to a folder of your own"),
        locks.heavy_work("timing", seeded=False, alone=True),
    ):
        pass
