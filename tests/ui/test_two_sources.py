"""Real images and the rendered sample: both are shown, neither takes the other's place, no chart mixes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.driving import app, metrics, quick_answers, words
from tests.fakes import fake_ref
from tests.story import Story
from udacisense.records import queries, store
from udacisense.report.artifact_evidence import collect
from udacisense.types import Evaluation, Verification
from ui.models.accuracy_by_source import accuracies_by_source, rows
from ui.overview import state
from ui.shared import charts
from ui.shared.entries import SubjectMetrics, entries, top1_interval

__all__ = ["quick_answers"]

LATER = "2027-01-01T00:00:00Z"


def on_sample(record: Evaluation | Verification) -> Evaluation | Verification:
    """The same record, later, on the sample, with a worse result."""
    changed = replace(
        record,
        id=f"{record.id}-sample",
        data=fake_ref(record.images, "sample", "5a5a5a5a5a5a5a5a"),
        made=replace(record.made, created=LATER),
    )
    return replace(changed, top1=0.25) if isinstance(changed, Evaluation) else changed


@pytest.fixture
def both(seeded_home: Story) -> Story:
    """The story with newer records of everything on the sample."""
    for record in (*seeded_home.evaluations, *seeded_home.verifications):
        store.save(on_sample(record))
    return seeded_home


def test_each_source_has_its_own_column(both: Story) -> None:
    subjects = (both.checkpoint, both.faithful, both.drifting)
    found = accuracies_by_source(subjects, store.records(Evaluation).records)
    assert [s.real for s in found] == list(both.evaluations)
    assert {s.sample.top1 for s in found if s.sample} == {0.25}
    text = rows(found)[0]
    assert text["sample"] == "25.0 % (19.5 to 31.4) of 200"
    assert text["real"].startswith(f"{100 * both.evaluations[0].top1:.1f} % (")


def test_what_was_measured_on_one_source_only_leaves_the_other_empty(seeded_home: Story) -> None:
    (found,) = accuracies_by_source([seeded_home.faithful], seeded_home.evaluations)
    assert (found.real, found.sample) == (seeded_home.evaluations[1], None)
    drawn = [on_sample(e) for e in seeded_home.evaluations]
    (found,) = accuracies_by_source([seeded_home.faithful], drawn)  # type: ignore[arg-type]
    assert (found.real, found.sample) == (None, drawn[1])
    train = [replace(e, data=replace(e.data, split="train")) for e in seeded_home.evaluations]
    assert accuracies_by_source([seeded_home.faithful], train)[0].real is None


def test_the_interval_holds_the_share(seeded_home: Story) -> None:
    record = seeded_home.evaluations[0]
    value, low, high = top1_interval(record)
    assert value == pytest.approx(record.top1)
    assert low < value < high


def test_models_shows_both_and_names_them(both: Story) -> None:
    at = app("pages/models.py")
    found = metrics(at)
    assert found["Top-1"] == f"{100 * both.evaluations[0].top1:.1f} %"
    assert found["Top-1, sample"] == "25.0 %"
    assert len(at.dataframe[0].value) == 3, "the checkpoint and both files made from it"
    assert "not the real test set" in words(at)


def test_models_says_what_was_not_measured(seeded_home: Story) -> None:
    assert metrics(app("pages/models.py"))["Top-1, sample"] == "–"


def test_newer_records_on_the_sample_do_not_replace_real_ones(both: Story) -> None:
    row = next(r for r in state.progress(state.read_store()) if r.artifact.id == both.faithful.id)
    assert (row.evaluation, row.verification) == (both.evaluations[1], both.verifications[0])
    evidence = collect(both.faithful)
    assert (evidence.evaluation, evidence.verification) == (both.evaluations[1], both.verifications[0])
    assert (evidence.checkpoint_evaluation, evidence.baseline_evaluation) == (both.evaluations[0], both.evaluations[0])


def test_the_sample_counts_where_there_is_nothing_else(sample_home: Path, seeded_home: Story) -> None:
    sha256 = seeded_home.faithful.sha256
    drawn = on_sample(seeded_home.evaluations[1])
    store.save(drawn)
    assert queries.standing_evaluation(sha256) == seeded_home.evaluations[1]
    (sample_home / "results" / "evaluation" / f"{seeded_home.evaluations[1].id}.json").unlink()
    assert queries.standing_evaluation(sha256) == drawn
    assert queries.standing_evaluation("0" * 64) is None


def test_overview_says_which_images_an_accuracy_is_of(both: Story) -> None:
    at = app()
    assert set(at.dataframe[0].value["Top-1 on"]) == {"real images"}


@pytest.mark.parametrize("chart", [charts.accuracy, charts.per_class])
def test_a_chart_of_two_sources_is_refused_and_one_of_the_sample_says_so(both: Story, chart: object) -> None:
    subjects = (both.checkpoint, both.faithful)
    found = entries(subjects, store.records(Evaluation).records)
    assert {e.evaluation.data.source for e in found if e.evaluation} == {"folder"}
    real, sample = found[0], replace(found[1], evaluation=on_sample(both.evaluations[1]))
    assert "sample" not in axis(chart, found)
    assert axis(chart, (sample,)).endswith("on the rendered sample") or "on the rendered sample," in axis(chart, (sample,))
    with pytest.raises(ValueError, match="different images cannot stand in one chart"):
        chart((real, sample))  # type: ignore[operator]


def axis(chart: object, found: tuple[SubjectMetrics, ...]) -> str:
    return str(chart(found).layout.xaxis.title.text)  # type: ignore[operator]
