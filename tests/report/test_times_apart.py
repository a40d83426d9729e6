"""Times of different runs or machines never stand in one column: a table shows those of one run, or ratios within a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driving import app, quick_answers
from tests.story import Story
from udacisense.benchmark import replication
from udacisense.records import store
from udacisense.report import collect
from udacisense.report.blocks import Table
from udacisense.report.files_table import COLUMNS, files_grid
from udacisense.report.sections import report_blocks
from udacisense.types import Benchmark
from ui.overview.speed import against_baseline

__all__ = ["quick_answers"]

LATER = "2027-01-01T00:00:00Z"
STARTS = 8


def started(record: Benchmark, factor: float, run: str, cpu: str) -> Benchmark:
    """The same subject, later, in another run on another machine, with enough starts for an interval."""
    blocks = tuple(tuple(factor * s * (1 + 0.001 * i) for s in record.blocks_s[i % 4]) for i in range(STARTS))
    made = replace(record.made, created=LATER, machine=replace(record.made.machine, cpu=cpu))
    own = {"blocks_s": blocks, "blocks_per_start": (1,) * STARTS, "made": made, "run_id": run}
    return replace(record, id=store.new_id("bench"), **own)


@pytest.fixture
def two_machines(seeded_home: Story) -> Story:
    """The faithful file was timed again beside the baseline on a machine of twenty times the speed."""
    baseline, faithful, _ = seeded_home.benchmarks
    for record in (baseline, faithful):
        store.save(started(record, 0.05, "run-fast", "Fast CPU"))
    return seeded_home


def test_the_value_of_a_ratio_is_that_of_the_ratio_with_its_interval(seeded_home: Story) -> None:
    baseline, faithful, _ = seeded_home.benchmarks
    first, second = (started(b, 1.0, "run", "x") for b in (faithful, baseline))
    medians = [[[sorted(block)[12] for block in start] for start in b.by_start] for b in (first, second)]
    found = replication.ratio(first, second)
    assert found is not None
    assert replication.ratio_value(*medians) == pytest.approx(found.estimate.value)
    assert replication.ratio_value(medians[0], medians[1][1:]) is None
    assert replication.ratio_value([], []) is None


def test_overview_has_no_column_of_times_and_each_ratio_is_of_one_run(two_machines: Story) -> None:
    table = app().dataframe[0].value.set_index("Id")
    assert not [column for column in table.columns if "ms" in column or column == "Median"]
    faithful, drifting = two_machines.faithful.id, two_machines.drifting.id
    assert table.loc[faithful, "Timed on"].startswith("Fast CPU · ")
    assert table.loc[drifting, "Timed on"].startswith("Fake CPU · ")
    assert table.loc[faithful, "Time"] == pytest.approx(52 / 70, abs=0.02)
    assert table.loc[drifting, "Time"] == pytest.approx(53 / 70, abs=0.02), "twenty times slower in milliseconds"


def test_a_file_that_was_timed_without_the_baseline_has_no_ratio(seeded_home: Story) -> None:
    baseline, faithful, _ = seeded_home.benchmarks
    store.save(started(faithful, 0.001, "run-alone", "Fast CPU"))
    found = against_baseline([seeded_home.faithful.sha256, seeded_home.drifting.sha256])
    assert found[seeded_home.faithful.sha256].run_id == baseline.run_id
    assert set(found) == {seeded_home.faithful.sha256, seeded_home.drifting.sha256}
    assert against_baseline(["0" * 64]) == {}


def test_reports_on_many_files_show_ratios(two_machines: Story) -> None:
    found = report_blocks((collect(two_machines.faithful), collect(two_machines.drifting)))
    overview = next(block for block in found if isinstance(block, Table))
    assert overview.columns[-1] == "time against the baseline"
    assert not [cell for row in overview.rows for cell in row if cell.endswith(" ms")]
    assert overview.rows[0][-1].startswith("0.74 (")


def test_the_documents_table_shows_the_times_of_one_run(two_machines: Story) -> None:
    grid = files_grid((collect(two_machines.drifting), collect(two_machines.faithful)))
    average = COLUMNS.index("average, 1 thread")
    timed = [row[average] for row in grid.rows[-2:]]
    assert sorted(cell.endswith(" ms") for cell in timed) == [False, True]
    assert "another run" in timed
