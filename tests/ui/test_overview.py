"""The next step follows from what is in the store, and only from records of the very same bytes."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from tests.fakes import fake_artifact, fake_format
from tests.story import Story
from udacisense import formats
from udacisense.types import Format
from udacisense.verdict_words import READINESS
from ui.overview import state


def without(home: Path, *kinds: str) -> state.Step:
    for kind in kinds:
        shutil.rmtree(home / "results" / kind, ignore_errors=True)
    return state.next_step(state.read_store())


def test_nothing_here_asks_for_a_checkpoint(sample_home: Path) -> None:
    step = without(sample_home)
    assert (step.page, step.command) == ("pages/models.py", "python -m udacisense train")


def test_a_checkpoint_alone_is_to_be_converted(seeded_home: Story) -> None:
    shutil.rmtree(seeded_home.home / "models" / "mobile")
    assert without(seeded_home.home).page == "pages/convert.py"


@pytest.mark.parametrize(
    ("missing", "page"),
    [
        (("verification", "benchmark", "readiness"), "pages/verify.py"),
        (("benchmark", "readiness"), "pages/benchmark.py"),
        (("readiness",), "pages/readiness.py"),
    ],
)
def test_the_first_gap_is_the_next_step(seeded_home: Story, missing: tuple[str, ...], page: str) -> None:
    step = without(seeded_home.home, *missing)
    assert step.page == page
    assert step.command is not None
    assert step.command.startswith("python -m udacisense ")


def test_what_does_not_run_here_is_not_the_next_step(seeded_home: Story, fake_formats: dict[str, Format]) -> None:
    mobile = seeded_home.home / "models" / "mobile"
    shutil.rmtree(mobile)
    fake_formats["other"] = formats.FORMATS["other"] = fake_format("other", unavailable=lambda capability: "Not here.")
    for name in ("fake", "other"):
        fake_artifact(mobile, seeded_home.checkpoint, name, f"model.{name}")
    assert "verify fake-" in str(without(seeded_home.home).command)
    shutil.rmtree(next(mobile.glob("fake-*")))
    assert "verify other-" in str(without(seeded_home.home).command)


def test_a_failing_verdict_names_its_rules(seeded_home: Story) -> None:
    step = without(seeded_home.home)
    failing = [v.title for v in seeded_home.readiness[1].verdicts if v.status == "fail"]
    assert READINESS["fail"] in step.title
    assert all(title in step.text for title in failing[:3])


def test_a_pass_leads_to_trying_it(seeded_home: Story) -> None:
    stored = state.read_store()
    passed = tuple(dataclasses.replace(r, status="pass") for r in stored.readiness)
    assert state.next_step(dataclasses.replace(stored, readiness=passed)).page == "pages/classify.py"


def test_one_file_that_is_ready_outweighs_a_newer_one_that_is_not(seeded_home: Story) -> None:
    stored = state.read_store()
    older, newer = (dataclasses.replace(r, status=s) for r, s in zip(stored.readiness, ("pass", "fail"), strict=True))
    step = state.next_step(dataclasses.replace(stored, readiness=(older, newer)))
    assert step.page == "pages/classify.py"
    assert step.text.startswith("1 of 2 files passes every rule; it is **")


def test_a_record_of_other_bytes_does_not_count(seeded_home: Story) -> None:
    stored = state.read_store()
    other = tuple(dataclasses.replace(v, artifact_sha256="0" * 64) for v in stored.verifications)
    rows = state.progress(dataclasses.replace(stored, verifications=other))
    assert [row.verification for row in rows] == [None, None]


def test_the_newest_record_wins(seeded_home: Story) -> None:
    stored = state.read_store()
    first = next(b for b in stored.benchmarks if b.subject_sha256 == seeded_home.faithful.sha256)
    again = dataclasses.replace(first, id="bench-again", blocks_s=((0.5,), (0.5,)))
    rows = state.progress(dataclasses.replace(stored, benchmarks=(*stored.benchmarks, again)))
    found = {row.artifact.id: row.benchmark for row in rows}
    assert found[seeded_home.faithful.id] == again


def test_the_next_step_names_the_smallest_ready_file(seeded_home: Story) -> None:
    stored = state.read_store()
    ready = tuple(dataclasses.replace(r, status="pass") for r in stored.readiness)
    first, second = stored.artifacts
    sized = (dataclasses.replace(first, size_bytes=5 * 1024**2), dataclasses.replace(second, size_bytes=2 * 1024**2))
    step = state.next_step(dataclasses.replace(stored, artifacts=sized, readiness=ready))
    assert "2 of 2 files pass every rule; the smallest is" in step.text
    assert "2.00 MB" in step.text
