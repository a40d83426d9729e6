"""Sentences, tables and answers by what they say: made from the records, and silent where there are none."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes import fake_ref
from tests.story import Story
from udacisense.classify import Classification
from udacisense.labels import CLASSES
from udacisense.report.artifact_evidence import collect
from udacisense.types import Flip
from ui.shared import captions, entries
from ui.shared import rows as shared_rows
from ui.shared.entries import Stage, SubjectMetrics


@pytest.fixture
def measured(seeded_home: Story) -> tuple[SubjectMetrics, ...]:
    subjects = (seeded_home.checkpoint, seeded_home.faithful, seeded_home.drifting)
    return entries.timed_entries(seeded_home.benchmarks, subjects, seeded_home.evaluations)


def timed(entry: SubjectMetrics, *blocks: tuple[float, ...]) -> SubjectMetrics:
    assert entry.benchmark is not None
    return replace(entry, benchmark=replace(entry.benchmark, blocks_s=blocks))


# --- which records belong together -------------------------------------------------------------------------------------


def test_two_subjects_with_the_same_bytes_keep_their_own_records(seeded_home: Story) -> None:
    first, second = seeded_home.checkpoint, replace(seeded_home.faithful, sha256=seeded_home.checkpoint.sha256)
    run = [replace(b, subject_sha256=first.sha256) for b in seeded_home.benchmarks[:2]]
    judged = [replace(e, subject_sha256=first.sha256) for e in seeded_home.evaluations[:2]]
    found = entries.timed_entries(run, (first, second), judged)
    assert [e.label for e in found] == ["PyTorch (baseline)", "TorchScript fp32 (baseline)"]
    assert [e.evaluation.subject_id for e in found if e.evaluation] == [first.id, second.id]


def test_records_of_another_file_are_not_taken(seeded_home: Story) -> None:
    assert entries.newest(seeded_home.evaluations, "f" * 64) is None


def test_the_newest_record_wins(seeded_home: Story) -> None:
    old = seeded_home.evaluations[2]
    newer = replace(old, id="newer")
    assert entries.newest([old, newer], old.subject_sha256) is newer


def test_runs_come_newest_first_and_keep_the_order_within(seeded_home: Story) -> None:
    first = seeded_home.benchmarks
    second = tuple(replace(b, run_id="later") for b in first[:2])
    found = entries.runs((*first, *second))
    assert list(found) == ["later", first[0].run_id]
    assert found["later"] == second
    assert found[first[0].run_id] == first


def test_real_images_come_before_the_sample(seeded_home: Story) -> None:
    real = seeded_home.evaluations[0]
    drawn = replace(
        real, data=fake_ref(20, "sample", "5a5a5a5a5a5a5a5a"), made=replace(real.made, created="2027-01-01T00:00:00Z")
    )
    assert entries.common_dataset([real, drawn], [real.subject_sha256]) == real.data.dataset_id
    assert entries.common_dataset([drawn], [real.subject_sha256]) == drawn.data.dataset_id
    assert entries.common_dataset([], [real.subject_sha256]) is None


def test_accuracies_on_other_images_are_not_put_side_by_side(seeded_home: Story) -> None:
    a, b, c = seeded_home.evaluations
    elsewhere = replace(c, data=fake_ref(200, "folder", "0ther0ther0ther0"))
    subjects = (seeded_home.checkpoint, seeded_home.faithful, seeded_home.drifting)
    assert entries.entries(subjects, [a, b, elsewhere])[2].evaluation is None


def test_a_subject_that_is_gone_goes_by_its_id(seeded_home: Story) -> None:
    (entry,) = entries.timed_entries(seeded_home.benchmarks[:1], (), ())
    assert entry.label == seeded_home.checkpoint.id
    assert entry.evaluation is None


def test_equal_labels_are_told_apart(seeded_home: Story) -> None:
    twin = replace(seeded_home.drifting, id="torchscript-lite-fp32-another", sha256="a" * 64)
    labels = [e.label for e in entries.entries((seeded_home.drifting, twin), ())]
    assert len(set(labels)) == 2


def test_stages_of_a_baseline_converted_directly_have_no_optimized_stage(seeded_home: Story) -> None:
    baseline, optimized, mobile = entries.stages(collect(seeded_home.drifting))
    assert optimized == Stage("Optimized", "torch", None, None, None, None)
    assert baseline.top1 == seeded_home.evaluations[0].top1
    assert mobile.latency_s == pytest.approx(np.mean(seeded_home.benchmarks[2].steady_s))


# --- sentences ---------------------------------------------------------------------------------------------------------


def test_sizes_say_how_much_less() -> None:
    a, b = SubjectMetrics("a", "small", "torch", 1_048_576), SubjectMetrics("b", "large", "torch", 4 * 1_048_576)
    assert re.findall(r"\bsmall\b|\blarge\b|[\d.]+ %", captions.sizes([a, b])) == ["small", "75.0 %", "large"]
    assert [size in captions.sizes([a, b]) for size in ("1.00 MB", "4.00 MB")] == [True, True]
    assert "1.00 MB" in captions.sizes([a])
    assert "%" not in captions.sizes([a, replace(a, label="twin")])


def test_accuracy_is_told_in_points(measured: tuple[SubjectMetrics, ...]) -> None:
    text = captions.accuracy(measured)
    assert f"{measured[2].label}, 4.0 pp" in text
    assert "80.5 % of 200 images" in captions.accuracy(measured[:2])


def test_hardest_class_ignores_classes_without_images(measured: tuple[SubjectMetrics, ...]) -> None:
    record = measured[0].evaluation
    assert record is not None
    alone = replace(record, per_class=(None, 0.4, *(0.9,) * 8))
    text = captions.per_class([replace(measured[0], evaluation=alone)])
    assert "keyboard (40.0 %)" in text
    assert not any(name in text for name in CLASSES if name != "keyboard")


def test_a_class_that_is_hardest_for_several_is_named_once_with_its_range(measured: tuple[SubjectMetrics, ...]) -> None:
    def hardest(entry: SubjectMetrics, share: float) -> SubjectMetrics:
        assert entry.evaluation is not None
        return replace(entry, evaluation=replace(entry.evaluation, per_class=(share, *(0.9,) * 9)))

    text = captions.per_class([hardest(measured[0], 0.4), hardest(measured[1], 0.6)])
    assert text.count(CLASSES[0]) == 1
    assert "40.0 % to 60.0 %" in text


def test_confusion_names_the_most_frequent_mistake(seeded_home: Story) -> None:
    empty = [[0] * 10 for _ in range(10)]
    empty[2][2], empty[2][5] = 7, 3
    record = replace(seeded_home.evaluations[0], confusion=tuple(map(tuple, empty)))
    text = captions.confusion(record)
    assert text.index("lamp") < text.index("bed")
    assert "3 of 10" in text
    empty[2][5] = 0
    assert "lamp" not in captions.confusion(replace(record, confusion=tuple(map(tuple, empty))))


def test_agreement_counts_the_same_answers(seeded_home: Story) -> None:
    same, drifted = seeded_home.verifications
    assert "100.0 % (200 of 200 images)" in captions.agreement(same)
    assert f"{200 - len(drifted.flips)} of 200 images" in captions.agreement(drifted)


def test_flips_tell_right_from_wrong() -> None:
    found = [Flip("a", 1, 0, 1, 0.1), Flip("b", 0, 0, 1, 0.2), Flip("c", 5, 0, 1, 0.3), Flip("d", None, 0, 1, 0.4)]
    assert (
        captions.flips(found)
        == "4 answers changed: 1 became right, 1 became wrong, 2 were wrong before and after or have no label."
    )
    assert captions.flips([]) == "No image changed its answer."


def test_pipeline_says_what_is_missing() -> None:
    known = Stage("Baseline", "torch", "b", 100, 0.8, None)
    gap = Stage("Mobile", "torchscript", "m", 50, None, None)
    none = Stage("Optimized", "torch", None, None, None, None)
    show = "{:.0%}".format
    assert captions.pipeline([known, gap], lambda s: s.top1, show) == "Baseline: 80%. Not measured: mobile."
    sizes = captions.pipeline([known, none, gap], lambda s: s.size_bytes, "{} B".format)
    assert sizes == "Baseline to mobile: 100 B to 50 B. There is no optimized checkpoint."
    assert captions.pipeline([gap], lambda s: s.latency_s, str) == "Not measured: mobile."


def test_verdicts_are_counted(seeded_home: Story) -> None:
    text = captions.verdicts(seeded_home.readiness[1].verdicts)
    assert [int(n) for n in re.findall(r"\d+", text)] == [5, 2, 2, 1]


def test_nothing_measured_is_said_in_words() -> None:
    for sentence in (
        captions.sizes,
        captions.memory,
        captions.accuracy,
        captions.per_class,
    ):
        assert "measured yet" in sentence([SubjectMetrics("x", "x", "torch", None)])


# --- tables and CSV ----------------------------------------------------------------------------------------------------


def read_back(rows: list[shared_rows.Row]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shared_rows.to_csv(rows))))


def test_csv_holds_every_run(measured: tuple[SubjectMetrics, ...], seeded_home: Story) -> None:
    rows = read_back(shared_rows.raw_times(measured))
    assert len(rows) == 300
    steady = [s for b in seeded_home.benchmarks for s in b.steady_s]
    assert [float(row["ms"]) for row in rows] == pytest.approx([s * 1000 for s in steady])


def test_csv_leaves_a_cell_empty_where_nothing_was_measured() -> None:
    (row,) = read_back(shared_rows.comparison([SubjectMetrics("x", "x", "torch", None)]))
    assert row["subject"] == "x"
    assert {name for name, cell in row.items() if cell} == {"subject", "id"}


def test_comparison_has_the_times_of_the_record(measured: tuple[SubjectMetrics, ...], seeded_home: Story) -> None:
    row, record = shared_rows.comparison(measured)[0], seeded_home.benchmarks[0]
    times = np.array(record.steady_s) * 1000
    assert row["average_ms"] == pytest.approx(times.mean())
    assert [row["p50_ms"], row["p95_ms"], row["p99_ms"]] == pytest.approx(np.percentile(times, [50, 95, 99]))
    assert row["images_per_s"] == pytest.approx(1000 / times.mean())
    assert (row["load_ms"], row["benchmark_record"]) == (50.0, record.id)


def test_tables_of_a_verification(seeded_home: Story) -> None:
    drifted = seeded_home.verifications[1]
    assert [row["input"] for row in shared_rows.checks(drifted)] == ["random, single", "random, batch of 4", "test images"]


def test_per_class_and_confusion_rows(measured: tuple[SubjectMetrics, ...]) -> None:
    assert len(shared_rows.per_class(measured)) == 30
    matrix = shared_rows.confusion(measured[0])
    assert sum(int(row[name] or 0) for row in matrix for name in CLASSES) == 200
    assert shared_rows.confusion(replace(measured[0], evaluation=None)) == []


def test_verdict_rows_keep_unknown_empty(seeded_home: Story) -> None:
    row = read_back(shared_rows.verdicts(seeded_home.readiness[0]))[-1]
    assert (row["status"], row["measured"]) == ("unknown", "")


def test_csv_of_nothing_is_empty() -> None:
    assert shared_rows.to_csv([]).strip() == ""


# --- one image -------------------------------------------------------------------------------------------------------


def test_reading_of_an_answer() -> None:
    found = Classification(CLASSES, (0.7, 0.2, 0.1, *(0.0,) * 7), 0.001, 0.002, 0.003)
    text = captions.answer(found)
    assert text.index("clock (70.0 %)") < text.index("keyboard (20.0 %)")
    assert shared_rows.answer("a.png", found)["decode_ms"] == 1.0
    assert len(shared_rows.probabilities("a.png", found)) == 10
