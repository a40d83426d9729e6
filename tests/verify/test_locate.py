"""`locate` end to end on fake formats: which way it looks, what it records, how it fails."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import fake_artifact, fake_checkpoint, fake_dataset
from udacisense import formats, verbs
from udacisense.conversion.steps import ConversionSteps
from udacisense.conversion.worker_client import ConverterError
from udacisense.data.dataset import Dataset
from udacisense.errors import ExportError, MeasureError, NotFoundError, RunError, UdaciSenseError
from udacisense.models import truncation
from udacisense.records import store
from udacisense.types import (
    Artifact,
    Checkpoint,
    Conversion,
    Exported,
    Format,
    Images,
    IntermediateReader,
    IntermediateValues,
    Localisation,
    ModelFile,
    Session,
)
from udacisense.verify import localise, locate

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


@dataclass
class Converter:
    """What the fake format converts and runs: files that answer as the network up to a block does, wrong from one on."""

    broken_from: int | None = None  # the index of the block from which beginnings, and the file, are wrong
    whole: float = 1.0  # by what the answers of the whole file are multiplied
    fault: Exception | None = None  # in place of converting
    asked: list[Conversion] = field(default_factory=list)
    converted: list[str] = field(default_factory=list)

    def export(self, checkpoint: Checkpoint, asked: Conversion, path: Path) -> Exported:
        if self.fault is not None:
            raise self.fault
        block = checkpoint.architecture.partition("@")[2]
        self.asked.append(asked)
        self.converted.append(block)
        path.write_text(block, encoding="utf-8")
        return Exported({})

    def load(self, file: ModelFile, threads: int) -> Session:
        text = file.path.read_text(encoding="utf-8")
        return Answering(self, text if text in BLOCKS else None)

    def answer(self, block: str | None, images: Images) -> np.ndarray:
        name = block or BLOCKS[-1]
        wrong = self.broken_from is not None and BLOCKS.index(name) >= self.broken_from
        found = values(images)[name].reshape(len(images), -1) * (-1 if wrong else 1)
        return found if block else found * self.whole


@dataclass(frozen=True)
class Answering:
    """A loaded file: the whole network where it names no block."""

    converter: Converter
    block: str | None

    def predict(self, images: Images) -> np.ndarray:
        return self.converter.answer(self.block, images)


@pytest.fixture(autouse=True)
def converter(fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch) -> Converter:
    """The network's values without torch, and a format that converts its beginnings in this process."""
    made = Converter()
    monkeypatch.setattr(localise, "reference_values", lambda checkpoint, images: values(images))
    monkeypatch.setattr(localise, "ConverterClient", lambda: nullcontext(ConversionSteps()))
    monkeypatch.setattr(truncation, "save_beginning", beginning)
    given = replace(fake_formats["fake"], intermediates=f"{__name__}:shown", export=made.export, load=made.load)
    monkeypatch.setitem(formats.FORMATS, "fake", given)
    show(monkeypatch, reader(None))
    return made


def beginning(checkpoint: Checkpoint, block: str, folder: Path) -> Checkpoint:
    """As the real one names it: the network up to a block."""
    made = fake_checkpoint(folder / "beginning.pth", parent_id=checkpoint.id)
    return replace(made, architecture=f"{checkpoint.architecture}@{block}")


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
    artifact: Artifact, data: Dataset, broken: int, converter: Converter
) -> None:
    converter.broken_from = broken
    record = locate(artifact, data, method="prefixes")
    assert record.departs == BLOCKS[broken]
    assert record.method == "prefixes"
    assert 0 < len(converter.converted) <= 3, "the whole file is there already, and halving looks at the log of the rest"
    assert "--every" in record.warnings[0]
    converter.converted.clear()
    every = locate(artifact, data, method="prefixes", every=True)
    assert [g.name for g in every.gaps] == list(BLOCKS)
    assert converter.converted == list(BLOCKS[:-1])
    assert every.departs == record.departs
    assert every.gaps[broken].sqnr_db == pytest.approx(20 * np.log10(1 / 2)), "the error is twice the value"


def test_a_format_without_intermediate_values_is_looked_into_by_beginnings_at_once(
    artifact: Artifact, data: Dataset, converter: Converter, fake_formats: dict[str, Format]
) -> None:
    formats.FORMATS["fake"] = replace(formats.FORMATS["fake"], intermediates=None)
    record = locate(artifact, data)
    assert (record.method, record.departs, converter.converted) == ("prefixes", None, []), (
        "the whole file agrees: no more to do"
    )
    assert len(record.warnings) == 1


def test_a_file_that_is_not_what_its_checkpoint_converts_to_is_told(
    artifact: Artifact, data: Dataset, converter: Converter
) -> None:
    converter.whole = -1.0
    record = locate(artifact, data, method="prefixes")
    assert record.departs == BLOCKS[-1]
    assert converter.converted == [BLOCKS[2], BLOCKS[3], BLOCKS[4]]
    assert f"Convert {artifact.checkpoint_id} again" in record.reason


@pytest.mark.parametrize(
    ("error", "told", "message"),
    [
        (
            ConverterError("ValueError: no such operator"),
            RunError,
            r"up to features\.2 could not be converted to fake fp32.*no such",
        ),
        (ExportError("Install the converter."), ExportError, r"^Install the converter\.$"),
    ],
)
def test_a_beginning_that_cannot_be_converted_is_told(
    artifact: Artifact, data: Dataset, converter: Converter, error: Exception, told: type[Exception], message: str
) -> None:
    converter.broken_from, converter.fault = 0, error
    with pytest.raises(told, match=message):
        locate(artifact, data, method="prefixes")
    assert store.records(Localisation).records == ()


def test_the_reference_may_be_another_checkpoint(home: Path, artifact: Artifact, data: Dataset) -> None:
    other = fake_checkpoint(home / "models" / "other" / "checkpoints" / "model.pth", "other", seed=3)
    record = locate(artifact, data, other)
    assert (record.checkpoint_id, record.checkpoint_sha256) == (other.id, other.sha256)
    assert f"--against {other.id}" in record.made.command


def test_faults_say_what_to_do_and_leave_earlier_records(
    artifact: Artifact, data: Dataset, converter: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = locate(artifact, data)
    show(monkeypatch, reader(None, OSError("no such operator")))
    with pytest.raises(RunError, match=r"no such operator.*--method prefixes"):
        locate(artifact, data, method="values")
    converter.whole = float("nan")
    with pytest.raises(MeasureError, match="not numbers"):
        locate(artifact, data, method="prefixes")
    artifact.path.write_text("other bytes", encoding="utf-8")
    with pytest.raises(UdaciSenseError, match="changed since its record"):
        locate(artifact, data)
    assert store.records(Localisation).records == (first,)


def test_values_that_cannot_be_read_are_done_without(
    artifact: Artifact, data: Dataset, converter: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, reader(None, OSError("no such operator")))
    record = locate(artifact, data)
    assert (record.method, record.departs) == ("prefixes", None)
    assert "no such operator" in record.warnings[0]


def test_beginnings_keep_the_blocks_in_float_that_the_file_keeps(
    artifact: Artifact, data: Dataset, converter: Converter
) -> None:
    converter.broken_from = 0
    locate(artifact, data, method="prefixes")
    kept = {"recipe": "default", "blocks_in_float": ["model.features.1"]}
    locate(replace(artifact, recipe=kept), data, method="prefixes")
    half = len(converter.asked) // 2
    assert half
    assert all("float" not in asked.recipe.options for asked in converter.asked[:half])
    assert all(asked.recipe.options["float"] == ["model.features.1"] for asked in converter.asked[half:])


def test_the_verb_finds_the_artifact_and_refuses_what_is_not_there(artifact: Artifact, sample_home: Path) -> None:
    assert verbs.locate(artifact.id, source="sample").data.source == "sample"
    with pytest.raises(MeasureError, match="no method 'guess'"):
        verbs.locate(artifact.id, method="guess")
    with pytest.raises(NotFoundError):
        verbs.locate(artifact.id, against="nothing")
