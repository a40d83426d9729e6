"""The equivalence part of a report: figures as their records have them, what is missing said to be missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.story import Story
from udacisense.labels import CLASSES
from udacisense.number_format import NOT_MEASURED
from udacisense.report import collect
from udacisense.report.blocks import Gallery, Table
from udacisense.report.equivalence import SHOWN, equivalence_blocks, likeliest, measure_rows, psnr
from udacisense.types import Flip, Verification


@pytest.fixture
def record(seeded_home: Story) -> Verification:
    return seeded_home.verifications[1]


def values(v: Verification) -> dict[str, str]:
    return {name: value for name, value, _ in measure_rows(v)}


def test_a_record_from_before_the_measures_shows_no_figure_for_them(record: Verification) -> None:
    old = values(replace(record, measures=None, mcnemar_p=None))
    missing = {name for name, value in old.items() if value == NOT_MEASURED}
    assert missing == set(values(record)) - {
        "Agreement", "Max logit difference", "Mean logit difference", "PSNR",
    }  # fmt: skip
    assert NOT_MEASURED not in values(record).values()


def test_lost_and_gained_and_a_small_chance_are_told_as_such(record: Verification) -> None:
    assert record.measures is not None
    measures = replace(record.measures, lost=3, won=1)
    found = values(replace(record, measures=measures, mcnemar_p=0.0004))
    assert (found["Lost and gained"], found["McNemar p"]) == ("3 and 1", "< 0.001")
    assert values(replace(record, mcnemar_p=0.0014))["McNemar p"] == "0.001"


@pytest.mark.parametrize(("psnr_db", "gap", "said"), [(None, 0.0, "identical"), (None, 0.5, "not defined"), (41.25, 0.5, "41")])
def test_a_ratio_without_a_number_is_a_word(record: Verification, psnr_db: float | None, gap: float, said: str) -> None:
    assert said in psnr(replace(record, psnr_db=psnr_db, max_abs_diff=gap))


def test_of_many_changed_answers_those_with_the_largest_margins_are_shown(seeded_home: Story, record: Verification) -> None:
    flips = tuple(Flip(f"{i:016x}", None if i % 2 else 3, 3, 4, float(i), -1.0) for i in range(SHOWN + 6))
    evidence = replace(
        collect(seeded_home.drifting),
        verification=replace(record, flips=flips),
        top_classes={},
        images={f"{SHOWN + 5:016x}": b"png", f"{0:016x}": b"png"},
        location=None,
    )
    blocks = equivalence_blocks(evidence)
    (table,) = (block for block in blocks if isinstance(block, Table) and block.columns[0] == "image")
    assert [row[0] for row in table.rows] == [f"{i:016x}" for i in range(SHOWN + 5, 5, -1)]
    assert {row[1] for row in table.rows} == {"no label", "telephone"}
    assert {row[-2:] for row in table.rows} == {("not kept", "not kept")}
    (gallery,) = (block for block in blocks if isinstance(block, Gallery))
    assert len(gallery.images) == 1, "an image that the table leaves out is not shown"


def test_the_likeliest_classes_stand_with_their_shares() -> None:
    space = "\N{NO-BREAK SPACE}"
    assert likeliest([(5, 0.621), (7, 0.3)], CLASSES) == f"bed{space}62{space}%, couch{space}30{space}%"
