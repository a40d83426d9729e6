"""`locate` end to end on fake formats: which way it looks, what it records, how it fails."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import fake_artifact, fake_checkpoint, fake_dataset
from udacisense import formats, verbs
from udacisense.data.dataset import Dataset
from udacisense.errors import MeasureError, NotFoundError, RunError, UdaciSenseError
from udacisense.records import store
from udacisense.types import Artifact, Checkpoint, Format, Images, IntermediateReader, IntermediateValues, Localisation
from udacisense.verify import localise, locate
from udacisense.verify.localise import Search

pytestmark = pytest.mark.usefixtures("fake_formats")

BLOCKS = tuple(f"features.{i}" for i in range(6))


def values(images: Images) -> dict[str, np.ndarray]:
    """A made-up network: each block with two steps inside, each place with values that resemble no other's."""
    given = images.reshape(len(images), -1)[:, :512]
    places = [place for block in BLOCKS for place in (f"{block}.block.0", f"{block}.block.1", block)]
    held = {}
    for seed, place in enumerate(places):
        weights = np.random.default_rng(seed).normal(size=(given.shape[1], 48)).astype(np.float32)
        held[place] = (given @ weights).reshape(len(images), 3, 4, 4)
    return held


def reader(broken_from: str | None, fault: Exception | None = None) -> IntermediateReader:
    """A file's inner values: the network's own, wrong from a place on."""

    def read(images: Images) -> IntermediateValues:
        if fault is not None:
            raise fault
        wrong = False
        for place, value in values(images).items():
            wrong = wrong or place == broken_from
            yield f"tensor of {place}", value * (-3 if wrong else 1)

    return read


def show(monkeypatch: pytest.MonkeyPatch, read: IntermediateReader) -> None:
    """Let the fake format's files show these values."""
    monkeypatch.setattr(sys.modules[__name__], "shown", lambda file: read, raising=False)


@pytest.fixture
def checkpoint(home: Path) -> Checkpoint:
    return fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")


@pytest.fixture
def artifact(home: Path, checkpoint: Checkpoint) -> Artifact:
    return fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake")


@pytest.fixture
def data() -> Dataset:
    return fake_dataset(25)


@pytest.fixture(autouse=True)
def network(fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(localise, "reference_values", lambda checkpoint, images: values(images))
    shown = replace(fake_formats["fake"], intermediates=f"{__name__}:shown")
    monkeypatch.setitem(formats.FORMATS, "fake", shown)
    show(monkeypatch, reader(None))


def test_a_sound_file_departs_nowhere(artifact: Artifact, data: Dataset) -> None:
    record = locate(artifact, data)
    assert (record.departs, record.step, record.inside) == (None, None, ())
    assert [g.name for g in record.gaps] == list(BLOCKS)
    assert all(g.sqnr_db is None or g.sqnr_db > 100 for g in record.gaps)
    assert record.images == 10, "one of each class"
    assert record.method == "values"
    assert all(block in record.reason for block in (BLOCKS[0], BLOCKS[-1])), "the reason names the ends that it compared"
    assert store.records(Localisation).records == (record,)


@pytest.mark.parametrize(
    ("broken", "departs", "step"),
    [
        ("features.3.block.1", "features.3", "features.3.block.1"),
        ("features.0.block.0", "features.0", "features.0.block.0"),
        ("features.5", "features.5", None),
    ],
)
def test_the_broken_block_and_step_are_named(
    artifact: Artifact, data: Dataset, broken: str, departs: str, step: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, reader(broken))
    record = locate(artifact, data)
    assert (record.departs, record.step) == (departs, step)
    assert departs in record.reason
    before = BLOCKS[: BLOCKS.index(departs)]
    assert [g.value for g in record.gaps] == [f"tensor of {b}" for b in before] + [None] * (len(BLOCKS) - len(before))
    assert {g.name for g in record.inside} == {f"{departs}.block.0", f"{departs}.block.1"}


@pytest.mark.parametrize("broken", [0, 2, 4])
def test_where_values_cannot_be_seen_beginnings_are_converted(
    artifact: Artifact, data: Dataset, broken: int, fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch
) -> None:
    converted: list[str] = []

    def beginning(self: Search, converter: object, block: str, folder: Path) -> np.ndarray:
        converted.append(block)
        bad = BLOCKS.index(block) >= broken
        return self.reference[block].reshape(len(self.images), -1) * (-1 if bad else 1)

    monkeypatch.setitem(formats.FORMATS, "fake", fake_formats["fake"])
    monkeypatch.setattr(Search, "_beginning", beginning)
    monkeypatch.setattr(Search, "_file", lambda self: -self.reference[BLOCKS[-1]])
    record = locate(artifact, data)
    assert record.departs == BLOCKS[broken]
    assert record.method == "prefixes"
    assert len(converted) <= 3
    assert "--every" in record.warnings[0]
    every = locate(artifact, data, every=True)
    assert [g.name for g in every.gaps] == list(BLOCKS)
    assert every.departs == record.departs


def test_a_file_that_is_not_what_its_checkpoint_converts_to_is_told(
    artifact: Artifact, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "_beginning", lambda self, converter, block, folder: self.reference[block])
    monkeypatch.setattr(Search, "_file", lambda self: -self.reference[BLOCKS[-1]])
    record = locate(artifact, data, method="prefixes")
    assert record.departs == BLOCKS[-1]
    assert f"Convert {artifact.checkpoint_id} again" in record.reason


def test_the_reference_may_be_another_checkpoint(home: Path, artifact: Artifact, data: Dataset) -> None:
    other = fake_checkpoint(home / "models" / "other" / "checkpoints" / "model.pth", "other", seed=3)
    record = locate(artifact, data, other)
    assert (record.checkpoint_id, record.checkpoint_sha256) == (other.id, other.sha256)
    assert f"--against {other.id}" in record.made.command


def test_faults_say_what_to_do_and_leave_earlier_records(
    artifact: Artifact, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = locate(artifact, data)
    show(monkeypatch, reader(None, OSError("no such operator")))
    with pytest.raises(RunError, match=r"no such operator.*--method prefixes"):
        locate(artifact, data, method="values")
    monkeypatch.setattr(Search, "_file", lambda self: localise._answer(np.full((1, 2), np.nan), self.artifact.id))
    with pytest.raises(MeasureError, match="not numbers"):
        locate(artifact, data, method="prefixes")
    artifact.path.write_text("other bytes", encoding="utf-8")
    with pytest.raises(UdaciSenseError, match="changed since its record"):
        locate(artifact, data)
    assert store.records(Localisation).records == (first,)


def test_values_that_cannot_be_read_are_done_without(
    artifact: Artifact, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, reader(None, OSError("no such operator")))
    monkeypatch.setattr(Search, "_file", lambda self: self.reference[BLOCKS[-1]])
    record = locate(artifact, data)
    assert (record.method, record.departs) == ("prefixes", None)
    assert "no such operator" in record.warnings[0]


def test_beginnings_keep_the_blocks_in_float_that_the_file_keeps(artifact: Artifact) -> None:
    asked = replace(artifact, recipe={"recipe": "default", "blocks_in_float": ["model.features.1"]})
    assert localise._recipe(asked).options["float"] == ["model.features.1"]
    assert "float" not in localise._recipe(artifact).options


def test_the_verb_finds_the_artifact_and_refuses_what_is_not_there(artifact: Artifact, sample_home: Path) -> None:
    assert verbs.locate(artifact.id, source="sample").data.source == "sample"
    with pytest.raises(MeasureError, match="no method 'guess'"):
        verbs.locate(artifact.id, method="guess")
    with pytest.raises(NotFoundError):
        verbs.locate(artifact.id, against="nothing")
