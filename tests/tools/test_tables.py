"""The tables in the documents are those of the records."""

from pathlib import Path

import pytest

from tests.compression import stories
from tests.story import Story
from tools.tables import BLOCK, DOCUMENTS, rewritten


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_say_what_the_records_say(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert rewritten(text) == text, "out of date: run python tools/tables.py"


def test_compressions_document_has_both_tables() -> None:
    text = DOCUMENTS[1].read_text(encoding="utf-8")
    assert [found["pipeline"] for found in BLOCK.finditer(text)] == ["pipeline_03", "single_techniques"]


def test_a_table_is_written_between_its_markers_only(home: Path) -> None:
    text = "before\n<!-- table: pipeline_03 -->\nold\n<!-- end of table -->\nafter\n"
    assert "has not run yet" in rewritten(text)
    stories.tell(home)
    new = rewritten(text)
    assert new.startswith("before\n<!-- table: pipeline_03 -->\n")
    assert new.endswith("<!-- end of table -->\nafter\n")
    assert "| Remove channels | 0.03 MB (-50 %) |" in new
    assert "compression-pipeline\\_03" not in new, "ids are code, not prose"
    assert "`compression-pipeline_03`" in new
    assert "Accuracy on 200 images (folder, household-v1 test)." in new
    assert "\nold\n" not in new
    assert rewritten(new) == new


def test_the_files_stand_beside_their_checkpoints_with_their_figures(seeded_home: Story) -> None:
    new = rewritten("<!-- table: files -->\n<!-- end of table -->\n")
    assert f"PyTorch ({seeded_home.checkpoint.technique})" in new
    row = next(line for line in new.splitlines() if f" {seeded_home.faithful.precision} (" in line)
    judged, timed = seeded_home.evaluations[1], seeded_home.benchmarks[1]
    assert f"{100 * judged.top1:.1f} % (" in row
    assert f"{1e3 * sum(timed.steady_s) / len(timed.steady_s):.2f} ms" in row
    assert f"{judged.images:,} of {judged.images:,}" in row
    assert f"run `{timed.run_id}`" in new


def test_without_phone_files_their_table_is_empty(home: Path) -> None:
    assert "no run yet" in rewritten("<!-- table: files -->\n<!-- end of table -->\n")
