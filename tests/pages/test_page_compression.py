"""The Models page on compression: lineage, pipelines with their figures, model cards; nothing invented in an empty store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compression import stories
from tests.driving import app, quick_answers, words
from tests.fakes import write_fake
from tests.story import Story
from udacisense.records import store
from udacisense.report.compression import compressed
from ui.models import charts

__all__ = ["quick_answers"]

PAGE = "pages/models.py"


def test_without_a_pipeline_the_page_says_how_to_run_one(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("udacisense.jobs.submit", lambda argv, title: started.append(argv))
    at = app(PAGE)
    text = words(at)
    assert "No pipeline has run yet" in text
    assert "No compression step" in text
    at.button(key="start_compress_single_techniques").click().run()
    assert started == [["compress", "--pipeline", "single_techniques"]]


def test_a_pipeline_is_shown_with_its_figures(home: Path) -> None:
    stories.tell(home)
    at = app(PAGE)
    table = next(d.value for d in at.dataframe if "verdict" in d.value.columns)
    assert list(table["step"]) == ["Baseline", *stories.NAMES]
    assert list(table["change"])[1].startswith("-5.0 pp (")
    assert "**2 of 2 steps** done" in words(at)
    assert "- **Remove channels** 50 % smaller, 50 % less time, accuracy 5.0 pp lower." in words(at)
    assert not at.error


def test_a_failed_step_is_told(home: Path) -> None:
    stories.tell(home, failed=True)
    at = app(PAGE)
    assert at.error[0].value == "Step 2, Half of the weights (prune-weights), failed: RuntimeError: singular"


def test_one_pipeline_is_shown_at_a_time(home: Path) -> None:
    stories.tell(home, "singles", "single_techniques")
    at = app(PAGE)
    assert "each alone" in words(at)


def test_lineage_leads_back_to_the_start(home: Path) -> None:
    start, run = stories.tell(home)
    last = store.load("compression_step", run.steps[1])
    at = app(PAGE, checkpoint=start.id)
    assert "No compression step" in words(at)
    # a step's weights, as if they were here: the file's hash is what its record says
    path = write_fake(home / "models" / "pipeline_03" / "steps" / "02.pth", seed=9)
    from dataclasses import replace

    step = replace(last, id=f"{last.id}-here", sha256=store.sha256_of(path), path="models/pipeline_03/steps/02.pth")
    store.save(step)
    from udacisense.models.checkpoint import read_checkpoint

    at = app(PAGE, checkpoint=read_checkpoint(path).id)
    linked = {link.proto.label: link.proto.query_string for link in at.main.get("page_link")}
    assert start.id in linked["Baseline"]
    assert "**Half of the weights**" in words(at)


def test_the_model_card_is_there_to_read_and_to_keep(seeded_home: Story) -> None:
    at = app(PAGE)
    assert "# Model card: baseline" in words(at)
    assert any(button.label == "Download model card" for button in at.get("download_button"))


def test_charts_leave_a_gap_for_what_is_not_measured(home: Path) -> None:
    stories.tell(home)
    for kind in ("evaluation", "benchmark"):
        for path in (home / "results" / kind).glob("*.json"):
            path.unlink()
    rows = compressed("pipeline_03").rows
    for draw in (charts.accuracies, charts.times):
        figure = draw(rows)
        assert len(figure.data[0].x) == 0
        assert sum("not measured" in note.text for note in figure.layout.annotations) == 3
    assert list(charts.sizes(rows).data[0].y) == ["Baseline", *stories.NAMES]


def test_charts_hold_times_against_the_start(home: Path) -> None:
    stories.tell(home)
    figure = charts.times(compressed("pipeline_03").rows)
    assert figure.data[0].x[0] == 1.0
    assert figure.data[0].x[1] == pytest.approx(0.5, abs=0.05)
