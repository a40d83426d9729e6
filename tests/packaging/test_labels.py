"""Class names that an evaluation questions are not packed unasked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.driving import app, quick_answers
from tests.story import Story
from udacisense import verbs
from udacisense.errors import MeasureError
from udacisense.labels import CLASSES
from udacisense.packaging.labels import label_doubt
from udacisense.records import store
from udacisense.records.queries import evaluations_of
from udacisense.types import Artifact, Evaluation

__all__ = ["quick_answers"]  # a fixture


def question(artifact: Artifact) -> Evaluation:
    """An evaluation of the file in which the outputs have the order of the alphabet."""
    newest = evaluations_of(artifact.sha256).newest()
    assert newest is not None
    counts = np.zeros((10, 10), int)
    counts[:, [sorted(CLASSES).index(name) for name in CLASSES]] = np.diag([100] * 10)
    made = replace(newest.made, created="2098-01-01T00:00:00Z")
    record = replace(newest, id=store.new_id("eval-doubt"), made=made, confusion=tuple(map(tuple, counts.tolist())))
    store.save(record)
    return record


def test_a_package_is_refused_with_the_evidence_and_made_when_told_to(artifact: Artifact, tmp_path: Path) -> None:
    evidence = question(artifact)
    with pytest.raises(MeasureError, match=r"alphabetical order.*--labels-anyway") as caught:
        verbs.package(artifact.id, tmp_path / "out")
    assert evidence.id in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert (verbs.package(artifact.id, tmp_path / "out", labels_anyway=True).path / "labels.txt").is_file()


def test_names_that_nothing_questions_are_packed(artifact: Artifact, seeded_home: Story) -> None:
    assert label_doubt(artifact, seeded_home.checkpoint) is None


def test_the_convert_page_says_why_there_is_no_package(seeded_home: Story) -> None:
    found = seeded_home.faithful
    at = app("pages/convert.py", artifact=found.id)
    assert not [w for w in at.warning if "Not packed" in w.value]
    question(found)
    at.run()
    assert [w for w in at.warning if "Not packed" in w.value and "alphabetical order" in w.value]
    assert not at.exception
