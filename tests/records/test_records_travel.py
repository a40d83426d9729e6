"""The record travels: a verb takes a record, an id or a path, and what was found once is handed on instead of found again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import story
from tests.fakes import fake_artifact, fake_checkpoint, fake_format, write_fake
from udacisense import artifacts, formats, verbs
from udacisense.errors import CheckpointError, FormatError, NotFoundError, RunError
from udacisense.models import checkpoint as checkpoints
from udacisense.records.store import new_id, save
from udacisense.types import Artifact, Benchmark, Checkpoint, Format, Subject

BASELINE = ("models", "baseline_mobilenet", "checkpoints", "model.pth")
PIPELINE = ("models", "pipeline_03", "final_compressed_model.pth")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a record was read from the disk to find a checkpoint or an artifact."""
    count: Counter[str] = Counter()

    def counted(kind: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*given: Any, **named: Any) -> Any:
            count[kind] += 1
            return read(*given, **named)

        return reading

    monkeypatch.setattr(checkpoints, "_read", counted("checkpoint", checkpoints._read))
    monkeypatch.setattr(artifacts, "read_artifact", counted("artifact", artifacts.read_artifact))
    return count


@pytest.fixture
def fake_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times without processes, of subjects that were set up as a benchmark does it."""
    timing = import_module("udacisense.benchmark.run")

    def timed(self: Any, wanted: Sequence[tuple[Subject, Any]], around: Any) -> tuple[Benchmark, ...]:
        subjects = [one.subject for one in self._subject_runs(wanted, around)]
        rng = np.random.default_rng(0)
        records = [replace(story.benchmark(s, "fake", 0.005, rng), id=new_id(f"bench-{s.id}")) for s in subjects]
        for record in records:
            save(record)
        return tuple(records)

    monkeypatch.setattr(timing._Run, "measure", timed)
    monkeypatch.setattr(import_module("udacisense.verbs.run"), "FORMATS", {"Mobile": "fake", "Mobile Lite": "fake-lite"})


def test_run_finds_its_checkpoint_once(
    sample_home: Path,
    fake_formats: dict[str, Format],
    fake_times: None,
    found: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(formats.FORMATS, "fake-lite", fake_format("fake-lite"))
    baseline = fake_checkpoint(sample_home.joinpath(*BASELINE))
    compressed = fake_checkpoint(sample_home.joinpath(*PIPELINE), "pipeline_03", baseline.id, shift=0.01)
    for i in range(5):  # what else lies in models/ costs a run nothing
        fake_checkpoint(sample_home / "models" / f"other{i}" / "model.pth", f"other{i}", seed=i + 1)
    assert len(verbs.run().artifacts) == 2
    assert verbs.run(compressed).checkpoint == compressed
    assert found["checkpoint"] <= 3, "the pipeline's and the baseline's, once a run; a record that was given not at all"
    assert found["artifact"] == 0, "a file that was made or found by what is asked for is not looked for by its id"


def test_verifying_every_file_looks_nothing_up_again(
    sample_home: Path, fake_formats: dict[str, Format], found: Counter[str]
) -> None:
    checkpoint = fake_checkpoint(sample_home.joinpath(*BASELINE))
    for i in range(4):
        fake_artifact(sample_home / "models" / "mobile", checkpoint, "fake", "model.fake", seed=i)
    assert len(verbs.verify_all(checkpoint).verifications) == 4
    assert found == {"artifact": 4}, "one listing of the files, and the checkpoint was given"


def test_judging_every_file_reads_the_checkpoints_once(
    sample_home: Path, fake_formats: dict[str, Format], found: Counter[str]
) -> None:
    checkpoint = fake_checkpoint(sample_home.joinpath(*BASELINE))
    for i in range(4):
        fake_artifact(sample_home / "models" / "mobile", checkpoint, "fake", "model.fake", seed=i)
    assert len(verbs.ready().readiness) == 4
    assert found == {"artifact": 4, "checkpoint": 1}


# --- what is given ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(sample_home: Path, fake_formats: dict[str, Format]) -> tuple[Checkpoint, Artifact]:
    checkpoint = fake_checkpoint(sample_home.joinpath(*BASELINE))
    return checkpoint, fake_artifact(sample_home / "models" / "mobile", checkpoint, "fake", "model.fake")


def test_a_checkpoint_outside_of_models_is_proved_by_its_record(
    sample_home: Path, tmp_path_factory: pytest.TempPathFactory, fake_formats: dict[str, Format]
) -> None:
    """No id finds it there: its record is what travels."""
    elsewhere = fake_checkpoint(tmp_path_factory.mktemp("elsewhere") / "mine.pth", "mine")
    fake_artifact(sample_home / "models" / "mobile", elsewhere, "fake", "model.fake")
    (proof,) = verbs.verify_all(elsewhere).verifications
    assert proof.checkpoint_sha256 == elsewhere.sha256


@pytest.mark.parametrize("verb", [verbs.convert, verbs.convert_all, verbs.evaluate, verbs.card, verbs.run])
def test_a_checkpoint_whose_file_changed_or_went_is_refused(
    verb: Callable[..., Any], pair: tuple[Checkpoint, Artifact]
) -> None:
    checkpoint, _ = pair
    write_fake(checkpoint.path, seed=4)
    with pytest.raises(CheckpointError, match="changed since its record was made"):
        verb(checkpoint)
    checkpoint.path.unlink()
    with pytest.raises(NotFoundError, match=checkpoint.path.name):
        verb(checkpoint)


@pytest.mark.parametrize("verb", [verbs.verify, verbs.evaluate, verbs.ready, verbs.report, verbs.package, verbs.locate])
def test_an_artifact_whose_file_changed_or_went_is_refused(verb: Callable[..., Any], pair: tuple[Checkpoint, Artifact]) -> None:
    _, artifact = pair
    write_fake(artifact.path, seed=4)
    with pytest.raises(RunError, match="changed since its record was made"):
        verb(artifact)
    shutil.rmtree(artifact.path.parent)
    with pytest.raises(NotFoundError, match=artifact.path.name):
        verb(artifact)


def test_what_a_verb_cannot_take_is_told(pair: tuple[Checkpoint, Artifact]) -> None:
    checkpoint, artifact = pair
    for wants_checkpoint in (verbs.convert, verbs.convert_all, verbs.card, verbs.run):
        with pytest.raises(FormatError, match=f"Convert its checkpoint, {checkpoint.id}"):
            wants_checkpoint(artifact)
    for wants_artifact in (verbs.verify, verbs.ready, verbs.report, verbs.package, verbs.locate):
        with pytest.raises(FormatError, match="is a checkpoint, not an artifact"):
            wants_artifact(checkpoint)
