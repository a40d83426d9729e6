"""Background jobs as pages show them: start, progress, cancel, how they ended. The jobs are fakes; the page is real."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.driving import app, go, quick_answers, words
from tests.story import Story
from udacisense.errors import JobError
from udacisense.jobs import Job

__all__ = ["quick_answers"]


class FakeJobs:
    """What `udacisense.jobs` knows, in a list."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.held: list[Job] = []
        self.cancelled: list[str] = []
        log.write_text("line one\nline two\n", encoding="utf-8")

    def add(self, **changes: Any) -> Job:
        """A running conversion unless `changes` say otherwise."""
        job = Job(
            id=f"job-{len(self.held)}",
            title="Convert to Fake",
            argv=("convert", "some-checkpoint"),
            state="running",
            fraction=0.4,
            stage="tracing",
            created="2026-01-02T03:04:05Z",
            started="2026-01-02T03:04:06Z",
            ended=None,
            error=None,
            result=None,
            log_path=self.log,
        )
        self.held.insert(0, dataclasses.replace(job, **changes))
        return self.held[0]

    def end(self, state: str, **changes: Any) -> None:
        """End the newest job."""
        self.held[0] = dataclasses.replace(self.held[0], state=state, ended="2026-01-02T03:05:06Z", **changes)

    def get(self, job_id: str) -> Job:
        return next(job for job in self.held if job.id == job_id)

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        self.end("cancelled")


@pytest.fixture
def fake_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeJobs:
    """Stand in for udacisense.jobs."""
    fakes = FakeJobs(tmp_path / "log.txt")
    monkeypatch.setattr("udacisense.jobs.jobs", lambda: tuple(fakes.held))
    monkeypatch.setattr("udacisense.jobs.get", fakes.get)
    monkeypatch.setattr("udacisense.jobs.cancel", fakes.cancel)
    return fakes


def convert_page(seeded_home: Story) -> AppTest:
    return app("pages/convert.py")


def test_a_running_job_shows_progress_and_log_and_stays_in_the_sidebar(seeded_home: Story, fake_jobs: FakeJobs) -> None:
    fake_jobs.add()
    at = convert_page(seeded_home)
    assert at.status[0].state == "running"
    assert "Convert to Fake · running" in at.status[0].label
    assert "line two" in words(at)
    go(at, "pages/dataset.py")
    assert any("Convert to Fake" in m.value for m in at.sidebar.markdown), "still watched on another page"


def test_cancel_ends_the_job(seeded_home: Story, fake_jobs: FakeJobs) -> None:
    job = fake_jobs.add()
    at = convert_page(seeded_home)
    at.button(key="cancel_convert").click().run()
    assert fake_jobs.cancelled == [job.id]
    assert "cancelled" in at.status[0].label


def test_a_failure_is_told_in_its_own_words(seeded_home: Story, fake_jobs: FakeJobs) -> None:
    fake_jobs.add()
    fake_jobs.end("failed", error="The work was killed: out of memory. Free some and start it again.")
    at = convert_page(seeded_home)
    assert at.error[0].value.startswith("The work was killed")
    assert at.status[0].state == "error"


def test_a_finished_conversion_is_picked_once(seeded_home: Story, fake_jobs: FakeJobs) -> None:
    older, newer = seeded_home.faithful.id, seeded_home.drifting.id
    at = app("pages/convert.py", artifact=newer)
    fake_jobs.add()
    at.run()
    fake_jobs.end("done", result={"id": older})
    at.run()
    assert at.query_params["artifact"] == older
    assert any("done" in toast.value for toast in at.toast)
    at.button(key="cell_torchscript-lite_fp32").click().run()
    assert at.query_params["artifact"] == newer, "the visitor's own pick stands afterwards"


def test_a_job_finished_long_ago_changes_no_pick(seeded_home: Story, fake_jobs: FakeJobs) -> None:
    fake_jobs.add()
    fake_jobs.end("done", result={"id": seeded_home.faithful.id})
    at = app("pages/convert.py", artifact=seeded_home.drifting.id)
    assert at.query_params["artifact"] == seeded_home.drifting.id


def test_the_same_job_cannot_be_started_twice(seeded_home: Story, fake_jobs: FakeJobs) -> None:
    argv = ("convert", seeded_home.checkpoint.id, "--format", "torchscript", "--precision", "fp32")
    fake_jobs.add(argv=argv)
    at = convert_page(seeded_home)
    assert at.button(key="start_convert").disabled


def test_a_job_that_cannot_start_is_an_error_in_words(
    seeded_home: Story, fake_jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(argv: object, title: object) -> None:
        raise JobError("No background process could be started. Close other programs and try again.")

    monkeypatch.setattr("udacisense.jobs.submit", refuse)
    at = convert_page(seeded_home)
    at.button(key="start_convert").click().run()
    assert at.error[0].value.startswith("No background process")
