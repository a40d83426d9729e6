"""The Verify page beyond its verdict: flips to look through, classes, distribution, and the search along the network."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from tests.driving import app, metrics, quick_answers, words
from tests.fakes import made
from tests.story import Story, tell
from udacisense.data.sources import load_dataset
from udacisense.labels import CLASSES
from udacisense.number_format import percent
from udacisense.records import store
from udacisense.types import Flip, LayerGap, Localisation, Verification
from udacisense.verify import NEAR_TIE, accuracy_verdict, is_near_tie, split
from ui.shared import cache
from ui.verify.view import LAYERS, OLDER

__all__ = ["quick_answers"]

VERIFY = "pages/verify.py"


def look_at(story: Story, view: str) -> AppTest:
    at = app(VERIFY, artifact=story.drifting.id)
    at.segmented_control(key="verify_view").set_value(view).run()
    assert not at.exception
    return at


def later(record: Verification, **changes: object) -> Verification:
    newer = replace(record, id=f"{record.id}-later", made=replace(record.made, created="2027-01-01T00:00:00Z"), **changes)
    store.save(newer)
    return newer


@pytest.fixture
def sample_story(sample_home: object) -> Story:
    return tell(sample_home, source="sample")  # type: ignore[arg-type]


# --- the verdict's box --------------------------------------------------------------------------------------------------


def test_the_accuracy_is_judged_by_its_interval_and_the_images_that_are_missing_are_counted(seeded_home: Story) -> None:
    at = app(VERIFY, artifact=seeded_home.drifting.id)
    text = words(at)
    record = seeded_home.verifications[1]
    status, reason = accuracy_verdict(record)
    assert (status, reason in text) == ("unknown", True)
    assert "more labelled images" in reason
    assert metrics(at)["Changed answers"] == str(len(record.flips))
    assert metrics(at)["Accuracy"] == percent(record.accuracy_after)


def test_images_without_labels_have_agreement_and_no_accuracy(seeded_home: Story) -> None:
    record = seeded_home.verifications[1]
    assert record.measures is not None
    bare = replace(
        record.measures, per_class=(None,) * 10, ece_before=None, ece_after=None, lost=None, won=None, accuracy_interval=None
    )
    flips = tuple(replace(f, label=None) for f in record.flips)
    later(record, measures=bare, accuracy_before=None, accuracy_after=None, mcnemar_p=None, flips=flips)
    at = app(VERIFY, artifact=seeded_home.drifting.id)
    assert "no labels" in words(at)
    assert metrics(at)["Accuracy"] == "not measured"
    at.segmented_control(key="verify_view").set_value("Classes").run()
    assert "no labels" in words(at)


def test_a_record_from_before_the_measures_still_opens_everywhere(seeded_home: Story) -> None:
    record = seeded_home.verifications[1]
    later(record, measures=None, flips=tuple(replace(f, margin_after=None) for f in record.flips))
    for view in ("Changed answers", "Classes", "Differences", LAYERS):
        at = look_at(seeded_home, view)
        assert not at.error
    assert OLDER in words(look_at(seeded_home, "Classes"))


# --- flips --------------------------------------------------------------------------------------------------------------


def test_flips_are_parted_filtered_and_shown_with_what_both_files_thought(seeded_home: Story) -> None:
    record = seeded_home.verifications[1]
    breaks, ties = split(record.flips)
    assert breaks, "the story has real breaks"
    assert ties, "and near-ties"
    at = look_at(seeded_home, "Changed answers")
    assert f"{len(breaks)} real break" in words(at)
    table = at.dataframe[0].value
    assert list(table["margin"]) == sorted(table["margin"], reverse=True)
    assert all("\N{NO-BREAK SPACE}%, " in text for text in table["checkpoint_top3"])
    at.segmented_control(key="flip_kind").set_value("Near-ties").run()
    shown = at.dataframe[0].value
    assert len(shown) == len(ties)
    assert all(margin < NEAR_TIE for margin in shown["margin"])
    at.selectbox(key="flip_pair_Near-ties").set_value(_pair(ties[0])).run()
    assert {(row["checkpoint"], row["artifact"]) for _, row in at.dataframe[0].value.iterrows()} == {_names(ties[0])}


def _names(flip: Flip) -> tuple[str, str]:
    return CLASSES[flip.before], CLASSES[flip.after]


def _pair(flip: Flip) -> str:
    return " → ".join(_names(flip))


def test_a_near_tie_is_less_than_twice_as_likely() -> None:
    assert is_near_tie(Flip("a", None, 0, 1, 0.69))
    assert not is_near_tie(Flip("a", None, 0, 1, 0.70))


def test_a_thousand_flips_are_looked_through_page_by_page(sample_story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_dataset("test", "sample")
    flips = tuple(
        Flip(data.hashes[i % len(data)], int(data.labels[i % len(data)]), i % 10, (i + 1) % 10, 1000 - i, 0.5)
        for i in range(1000)
    )
    later(sample_story.verifications[1], data=data.ref, images=1000, agreement=0.0, flips=flips)
    drawn, thumbnail = list[str](), cache.thumbnail
    monkeypatch.setattr(cache, "thumbnail", lambda image, *how: drawn.append(image) or thumbnail(image, *how))
    at = app(VERIFY, artifact=sample_story.drifting.id)
    assert len(at.image) == len(drawn) == 12, "no image of the other pages is made"
    drawn.clear()
    at.number_input(key="flip_page_84").set_value(84).run()
    assert not at.exception
    assert len(at.image) == len(drawn) == 4


# --- charts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("view", "charts"), [("Classes", 2), ("Differences", 2)])
def test_each_view_reads_its_charts_in_a_sentence(seeded_home: Story, view: str, charts: int) -> None:
    at = look_at(seeded_home, view)
    drawn = at.get("plotly_chart")
    assert len(drawn) == charts
    for chart in drawn:
        assert chart.proto.alt.strip().endswith(".")


def test_without_the_raw_answers_the_distribution_says_so(seeded_home: Story) -> None:
    for path in (seeded_home.home / "results" / "predictions").glob("*.npz"):
        path.unlink()
    at = look_at(seeded_home, "Differences")
    assert "logits of this verification are not on this machine" in words(at)
    assert len(at.get("plotly_chart")) == 1
    assert "Likeliest classes not shown" in words(look_at(seeded_home, "Changed answers"))


# --- along the network --------------------------------------------------------------------------------------------------


def location(story: Story, departs: str | None) -> Localisation:
    gaps = tuple(
        LayerGap(f"features.{i}", f"value {i}", (4, 2, 2), 120.0 if departs is None or i < 2 else 3.0, 0.1) for i in range(4)
    )
    record = Localisation(
        id="locate-1",
        artifact_id=story.drifting.id,
        artifact_sha256=story.drifting.sha256,
        checkpoint_id=story.checkpoint.id,
        checkpoint_sha256=story.checkpoint.sha256,
        data=story.verifications[1].data,
        images=10,
        method="values",
        gaps=gaps,
        inside=(),
        departs=departs,
        step=None,
        reason="features.2 is the first block whose output diverges." if departs else "No layer diverges.",
        made=made("python -m udacisense locate x"),
    )
    store.save(record)
    return record


def test_an_empty_search_says_how_to_start_it(seeded_home: Story) -> None:
    at = look_at(seeded_home, LAYERS)
    assert f"python -m udacisense locate {seeded_home.drifting.id}" in words(at)
    assert not at.get("plotly_chart")


def test_the_block_that_departs_is_named_and_drawn(seeded_home: Story) -> None:
    record = location(seeded_home, "features.2")
    at = look_at(seeded_home, LAYERS)
    assert record.reason in words(at)
    assert len(at.get("plotly_chart")) == 1
    assert list(at.dataframe[0].value["diverges"]) == [False, False, True, False]


def test_a_file_that_nobody_verified_can_still_be_searched(seeded_home: Story) -> None:
    for path in (seeded_home.home / "results" / "verification").glob("*.json"):
        path.unlink()
    location(seeded_home, None)
    at = app(VERIFY, artifact=seeded_home.drifting.id)
    assert "No layer diverges." in words(at)
    assert "Not verified yet" in words(at)
