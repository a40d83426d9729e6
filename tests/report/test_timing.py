"""Times in a document: each against the first of its run, a run against an earlier one, and what may not be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.story import Story
from udacisense.history.against import Change, RunComparison, SubjectChange
from udacisense.report.blocks import Block, Paragraph, Table, Warnings
from udacisense.report.timing import COURSE_WORDS, benchmark_blocks, comparison_blocks


def paragraphs(blocks: Sequence[Block]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Paragraph)]


def test_each_subject_stands_against_the_first_of_its_setting_and_none_against_itself(seeded_home: Story) -> None:
    first, second, third = seeded_home.benchmarks
    apart = replace(third, batch=first.batch + 1)
    said = paragraphs(benchmark_blocks([first, second, apart]))
    assert len(said) == 1, "the third has a setting of its own"
    assert said[0].startswith(f"{second.subject_id} against {first.subject_id}: ")


def test_a_warning_of_a_benchmark_is_told_once_with_its_subject(seeded_home: Story) -> None:
    first, second, _ = seeded_home.benchmarks
    warned = replace(second, warnings=("It was hot.", "It was hot."))
    (warnings,) = (block for block in benchmark_blocks([first, warned]) if isinstance(block, Warnings))
    assert [text for text in warnings.items if "hot" in text] == [f"{second.subject_id}: It was hot."]


def test_runs_that_may_not_be_compared_say_why_and_show_no_figure() -> None:
    blocks = comparison_blocks(RunComparison("run-1", "run-2", ("another processor",), (), ()))
    assert [block.items for block in blocks if isinstance(block, Warnings)] == [("another processor",)]
    assert not any(isinstance(block, Table) for block in blocks)


def test_what_changed_between_runs_stands_by_its_course_and_software(seeded_home: Story) -> None:
    before, after, _ = seeded_home.benchmarks
    changes = (
        Change("time", "worse", 0.1, 0.2, None, "slower"),
        Change("size", "better", 2.0, 1.0, None, "smaller"),
    )
    subjects = (
        SubjectChange("onnx-int8", before, after, changes, ("torch 1 → 2",)),
        SubjectChange("gone", before, after, (), ()),
    )
    blocks = comparison_blocks(RunComparison("run-1", "run-2", (), subjects, ("litert-fp32",)))
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert [(row[0], row[2], row[3]) for row in table.rows] == [
        ("onnx-int8", COURSE_WORDS["worse"], "slower"),
        ("onnx-int8", COURSE_WORDS["better"], "smaller"),
    ]
    assert not any(isinstance(block, Warnings) for block in blocks)
    software, alone = paragraphs(blocks)
    assert "onnx-int8" in software
    assert "torch 1 → 2" in software
    assert "litert-fp32" in alone
