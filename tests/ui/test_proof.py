"""Sentences, rows and figures of the Verify page by what they hold."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes import fake_ref, made
from tests.story import Story
from udacisense.labels import CLASSES
from udacisense.number_format import NOT_MEASURED
from udacisense.types import LayerGap, Localisation, Measures, TensorCheck
from udacisense.verify import EXPECTED_DB, GOLDEN, logits_of
from ui.shared import charts as shared_charts
from ui.shared import rows as shared_rows
from ui.shared.chart_style import format_color
from ui.shared.rows import to_csv
from ui.verify import captions, charts
from ui.verify import rows as verify_rows

BEFORE = np.array([[4.0, 0.0], [0.0, 2.0]], np.float32)


@pytest.fixture
def found(seeded_home: Story) -> Measures:
    measures = seeded_home.verifications[1].measures
    assert measures is not None
    return measures


def compared(departs: str | None, *db: float | None) -> Localisation:
    gaps = tuple(LayerGap(f"features.{i}", f"value {i}", (4, 2, 2), level, 0.1) for i, level in enumerate(db))
    reason = f"{departs} diverges." if departs else "No layer diverges."
    return Localisation("l", "a", "0" * 64, "c", "0" * 64, fake_ref(10), 10, "values", gaps, (), departs, None, reason, made())


# --- sentences ----------------------------------------------------------------------------------------------------------


def test_classes_names_who_lost_and_who_won_most(found: Measures) -> None:
    text = captions.classes(found, CLASSES)
    change = {n: c.accuracy_after - c.accuracy_before for n, c in zip(CLASSES, found.per_class, strict=True) if c}
    assert f"{sum(v < 0 for v in change.values())} of 10 classes" in text
    lost = min(change, key=lambda n: (change[n], n))
    won = max(change, key=lambda n: (change[n], n))
    assert lost in text
    assert won in text
    same = replace(found, per_class=tuple(replace(c, accuracy_after=c.accuracy_before) for c in found.per_class if c))
    assert not any(name in captions.classes(same, CLASSES) for name in CLASSES)
    assert "Not measured".lower() in captions.classes(replace(found, per_class=(None,) * 10), CLASSES).lower()


def test_confusion_names_the_mistake_that_grew_most(found: Measures) -> None:
    before = tuple(tuple(10 if t == a else 0 for a in range(10)) for t in range(10))
    after = tuple(
        tuple(7 if t == a == 5 else 3 if (t, a) == (5, 7) else 10 if t == a else 0 for a in range(10)) for t in range(10)
    )
    moved = replace(found, confusion_before=before, confusion_after=after)
    text = captions.confusion(moved, CLASSES)
    assert text.index("bed") < text.index("couch")
    assert "+3 of 10" in text
    still = captions.confusion(replace(moved, confusion_after=before), CLASSES)
    fewer = captions.confusion(replace(moved, confusion_before=after, confusion_after=before), CLASSES)
    assert still != fewer
    assert not any(name in said for said in (still, fewer) for name in CLASSES)


def test_inputs_are_named_on_the_side_of_the_tolerance_where_they_lie(seeded_home: Story) -> None:
    record = seeded_home.verifications[0]
    within = [TensorCheck("single", 1, 0, 0, True, 1e-5, True), TensorCheck("batch of 4", 4, 0, 0, True, 1e-5, True)]
    beyond = TensorCheck(GOLDEN, 10, 1, 1, True, 1e-5, False)
    text = captions.inputs(replace(record, checks=(*within, beyond)))
    inside, outside = text.split(";")
    assert "1e-05" in inside
    assert [name in inside for name in ("single (1 image)", "batch of 4 (4 images)", GOLDEN)] == [True, True, False]
    assert f"{GOLDEN} (10 images)" in outside
    assert captions.inputs(replace(record, checks=(beyond,))).startswith("Beyond the tolerance of 1e-05")
    assert "1e-05" not in captions.inputs(replace(record, checks=()))


def test_a_file_that_is_not_held_to_the_tolerance_is_shown_without_one(seeded_home: Story) -> None:
    record = replace(seeded_home.verifications[1], max_abs_diff=12.43)
    assert "12.4" in captions.largest(record)
    limit = record.checks[0].tolerance
    assert [line.x0 for line in shared_charts.differences(record, "onnx").layout.shapes] == [limit]
    assert not shared_charts.differences(record, "onnx", tolerance=False).layout.shapes


def test_the_distribution_is_told_by_its_quantiles() -> None:
    after = BEFORE + np.array([[0.1, 0.1], [0.1, 0.5]], np.float32)
    text = captions.distribution(BEFORE, after)
    assert [f"{name} {value}" in text for name, value in (("median", 0.1), ("max", 0.5), ("checkpoint", 4))] == [True] * 3
    assert captions.distribution(BEFORE, BEFORE) == "No logit differs."


def test_kinds_count_breaks_and_ties(seeded_home: Story) -> None:
    flips = seeded_home.verifications[1].flips
    assert f"{sum(f.margin < np.log(2) for f in flips)} near-ties" in captions.kinds(flips)
    assert captions.kinds(()) == "No image changed its answer."


# --- rows ---------------------------------------------------------------------------------------------------------------


def test_every_chart_has_its_figures_as_csv(seeded_home: Story, found: Measures) -> None:
    record = seeded_home.verifications[1]
    raw = logits_of(record)
    assert raw is not None
    before, after = (side.logits for side in raw)
    for rows in (
        verify_rows.classes(found, CLASSES),
        verify_rows.confusion(found, CLASSES),
        verify_rows.distribution(before, after),
        verify_rows.layers(compared("features.1", 100.0, 5.0)),
        verify_rows.measures(record),
        verify_rows.flips(record.flips, {}, CLASSES),
    ):
        read = list(csv.DictReader(io.StringIO(to_csv(rows))))
        assert len(read) == len(rows) > 0
        assert list(read[0]) == list(rows[0])


def test_a_record_from_before_the_measures_says_not_measured(seeded_home: Story) -> None:
    rows = {r["measure"]: r["value"] for r in verify_rows.measures(replace(seeded_home.verifications[1], measures=None))}
    assert rows["KL divergence"] == rows["Lost and gained"] == rows["Calibration error after"] == NOT_MEASURED
    assert rows["Agreement"] != NOT_MEASURED


# --- figures ------------------------------------------------------------------------------------------------------------


def test_classes_are_joined_from_before_to_after(found: Measures) -> None:
    fig = charts.classes(found, CLASSES, "litert")
    lines, before, after = fig.data
    assert (before.marker.color, after.marker.color) == (format_color("torch"), format_color("litert"))
    assert before.marker.symbol != after.marker.symbol, "told apart without colour"
    change = [new - old for old, new in zip(before.x, after.x, strict=True)]
    assert change == sorted(change)
    assert [x for x in lines.x if x is not None] == [v for pair in zip(before.x, after.x, strict=True) for v in pair]
    assert len(charts.classes(replace(found, per_class=(*found.per_class[:9], None)), CLASSES, "litert").data[1].x) == 9


def test_confusion_shows_changes_only(found: Measures) -> None:
    cells = np.array([[v or 0 for v in row] for row in charts.confusion(found, CLASSES).data[0].z])
    assert (cells == np.array(found.confusion_after) - np.array(found.confusion_before)).all()
    assert charts.confusion(found, CLASSES).data[0].zmin == -charts.confusion(found, CLASSES).data[0].zmax


def test_the_distribution_rises_to_all_logits() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(size=(50, 10)).astype(np.float32)
    (curve,) = charts.distribution(before, before + rng.normal(size=before.shape).astype(np.float32), "onnx").data
    assert list(curve.x) == sorted(curve.x)
    assert curve.y[-1] == 100
    assert curve.line.color == format_color("onnx")


def test_the_curve_marks_the_block_that_diverges_by_more_than_colour() -> None:
    fig = charts.layers(compared("features.2", None, 110.0, 4.0, 3.0), "onnx", "fp32")
    (curve,) = fig.data
    assert list(curve.marker.symbol) == ["circle", "circle", "x", "circle"]
    assert curve.y[0] > 110, "identical values stand above every ratio"
    assert curve.text[0] == "identical"
    assert any("features.2" in a.text for a in fig.layout.annotations)
    assert fig.layout.shapes[0].y0 == EXPECTED_DB["fp32"]
    assert not charts.layers(compared(None, 110.0, 109.0), "onnx", "fp32").layout.annotations


def test_the_golden_images_have_one_name_whatever_an_older_record_calls_them(seeded_home: Story) -> None:
    check = TensorCheck("golden pictures", 10, 1, 1, True, 1e-5, True)
    old = replace(seeded_home.verifications[0], checks=(check,))
    assert GOLDEN in captions.inputs(old)
    assert shared_rows.checks(old)[0]["input"] == GOLDEN
    assert GOLDEN in shared_charts.differences(old, "onnx").data[0].y
