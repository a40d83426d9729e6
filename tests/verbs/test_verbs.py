"""Verbs hold the machine one at a time; `run` goes the whole way and writes the notebook's files from records."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import story
from tests.fakes import fake_checkpoint, fake_format
from udacisense import formats, verbs
from udacisense.errors import FormatError, MeasureError, NotFoundError, RecipeError
from udacisense.processes.locks import heavy_work
from udacisense.progress import WAITING, watched_by
from udacisense.records.store import new_id, save
from udacisense.settings import PROJECT
from udacisense.types import Benchmark, Format, Subject
from udacisense.verbs import measure
from udacisense.verbs.judge import worst

BASELINE = ("models", "baseline_mobilenet", "checkpoints", "model.pth")
PIPELINE = ("models", "pipeline_03", "final_compressed_model.pth")


# --- the lock ------------------------------------------------------------------------------------------------------------


def test_work_within_work_neither_waits_nor_lets_go(home: Path) -> None:
    holder = home / ".udacisense" / "work.json"
    with heavy_work("outer"):
        with heavy_work("inner"):
            assert json.loads(holder.read_text())["what"] == "outer"
        assert holder.exists(), "the inner work must not end the outer"
    assert not holder.exists()


def test_other_work_waits_and_says_for_what(home: Path) -> None:
    told: list[str] = []
    released = threading.Event()

    def hold() -> None:
        with heavy_work("a long measurement"):
            started.set()
            released.wait(60)

    def watch(_: float, stage: str) -> None:
        told.append(stage)
        released.set()

    started = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    assert started.wait(60)
    with watched_by(watch), heavy_work("mine"):
        told.append("at work")
    holder.join()
    assert told[0] == f"{WAITING}a long measurement"
    assert told[-2:] == ["mine", "at work"]


def test_a_failed_verb_lets_go_of_the_machine(home: Path) -> None:
    with pytest.raises(MeasureError), heavy_work("fails"):
        raise MeasureError("no number")
    with heavy_work("next"):
        pass


# --- the verbs -----------------------------------------------------------------------------------------------------------


def test_unknown_names_are_told_before_any_work(home: Path) -> None:
    for verb in (verbs.convert, verbs.evaluate, verbs.verify, verbs.ready):
        with pytest.raises(NotFoundError, match="'no-such-thing'"):
            verb("no-such-thing")
    with pytest.raises(MeasureError, match="quick, standard"):
        verbs.benchmark(["x"], "forever")
    with pytest.raises(RecipeError, match="no recipe 'x'"):
        verbs.train("x")
    with pytest.raises(NotFoundError, match="train a baseline"):
        verbs.run()


def test_one_failure_outweighs_the_unknown_and_that_the_rest() -> None:
    assert worst(["pass", "unknown", "fail"]) == "fail"
    assert worst(["pass", "unknown"]) == "unknown"
    assert worst(["pass"]) == "pass"


@pytest.fixture
def fake_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times without processes: what is timed is tested elsewhere."""

    def timed(subjects: Sequence[Subject], protocol: Any, **setting: Any) -> tuple[Benchmark, ...]:
        records = tuple(
            replace(story.benchmark(s, "fake", 0.005 + i / 1000, np.random.default_rng(i)), id=new_id(f"bench-{s.id}"))
            for i, s in enumerate(subjects)
        )
        for record in records:
            save(record)
        return records

    monkeypatch.setattr(import_module("udacisense.benchmark.run"), "benchmark", timed)
    monkeypatch.setattr(import_module("udacisense.verbs.run"), "FORMATS", {"Mobile": "fake"})


def test_run_goes_the_whole_way(sample_home: Path, fake_formats: dict[str, Format], fake_timing: None) -> None:
    baseline = fake_checkpoint(sample_home.joinpath(*BASELINE), shift=0.001)
    stages: list[tuple[float, str]] = []
    with watched_by(lambda fraction, stage: stages.append((fraction, stage))):
        found = verbs.run()
    assert found.checkpoint == baseline
    assert found.notice is not None
    assert "stands in" in found.notice
    (artifact,) = found.artifacts
    assert [e.subject_id for e in found.evaluations] == [baseline.id, artifact.id]
    assert [v.artifact_id for v in found.verifications] == [artifact.id]
    assert [b.subject_id for b in found.benchmarks] == [baseline.id, artifact.id]
    assert [r.artifact_id for r in found.readiness] == [artifact.id]
    assert found.recommended_id == artifact.id
    assert found.comparison["Metric"][0] == "Top-1 Accuracy (%)"
    metrics = json.loads(found.metrics_path.read_text())
    assert metrics["records"] == [
        found.evaluations[1].id,
        found.benchmarks[1].id,
        found.verifications[0].id,
        found.readiness[0].id,
    ]
    assert found.image_path.read_bytes().startswith(b"\x89PNG")
    assert (sample_home / "models" / "mobile" / "model.fake").is_file(), "the file is published"
    fractions = [fraction for fraction, _ in stages]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_run_of_a_compressed_model_measures_the_baseline_beside_it(
    sample_home: Path, fake_formats: dict[str, Format], fake_timing: None
) -> None:
    baseline = fake_checkpoint(sample_home.joinpath(*BASELINE))
    compressed = fake_checkpoint(sample_home.joinpath(*PIPELINE), "pipeline_03", baseline.id, shift=0.01)
    found = verbs.run()
    assert (found.checkpoint, found.notice) == (compressed, None)
    assert [b.subject_id for b in found.benchmarks] == [baseline.id, compressed.id, found.artifacts[0].id]
    assert verbs.run(baseline.path).checkpoint == baseline


def test_run_takes_todays_format_and_those_asked_for(
    sample_home: Path, fake_formats: dict[str, Format], fake_timing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_checkpoint(sample_home.joinpath(*BASELINE))
    monkeypatch.setitem(formats.FORMATS, "executorch", fake_format("executorch"))
    found = verbs.run(also=["fake:int8"])
    assert [(a.format, a.precision) for a in found.artifacts] == [("fake", "fp32"), ("executorch", "fp32"), ("fake", "int8")]
    with pytest.raises(FormatError, match="no format 'nope' to convert to"):
        verbs.run(also=["nope:int8"])
    absent = fake_format("executorch", unavailable=lambda capability: "Not here.")
    monkeypatch.setitem(formats.FORMATS, "executorch", absent)
    assert [a.format for a in verbs.run().artifacts] == ["fake"]


def test_convert_publishes_and_keeps_what_was_made(sample_home: Path, fake_formats: dict[str, Format]) -> None:
    checkpoint = fake_checkpoint(sample_home.joinpath(*BASELINE))
    first = verbs.convert(checkpoint.id, "fake")
    published = sample_home / "models" / "mobile" / "model.fake"
    assert published.read_bytes() == first.path.read_bytes()
    assert verbs.convert(checkpoint.path, "fake") == first


def test_training_goes_to_the_recipes_own_place(home: Path) -> None:
    assert measure._place_of("baseline") == home.joinpath(*BASELINE)
    assert measure._place_of("quick") == home / "models" / "quick" / "checkpoints" / "model.pth"


def test_looking_needs_no_torch(home: Path) -> None:
    code = (
        "import sys; from udacisense import verbs; verbs.models_info(); verbs.data_info(); verbs.report()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_run_on_a_real_network(sample_home: Path) -> None:
    from udacisense.models.network import MobileNetV3_Household
    from udacisense.models.writing import save_checkpoint

    with heavy_work("an untrained network, seeded"):
        save_checkpoint(
            MobileNetV3_Household(),
            sample_home.joinpath(*BASELINE),
            technique="baseline",
            parent_id=None,
            trained_hashes=(),
            training={},
        )
    short = sample_home / "short.toml"  # what more starts give is not the question here, and each costs seconds
    quick = (PROJECT / "benchmarks" / "protocols" / "quick.toml").read_text()
    short.write_text(quick.replace("\nstarts = 6", "\nstarts = 2").replace("shared_starts = 3", "shared_starts = 1"))
    command = [sys.executable, "-m", "udacisense", "run", "--protocol", str(short), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert [a["format"] for a in found["artifacts"]] == ["torchscript", "torchscript-lite", "executorch"]
    assert [v["verdict"] for v in found["verifications"]] == ["same", "same", "same"]
    assert len(found["benchmarks"]) == 4
    names = {path.name for path in (sample_home / "models" / "mobile").iterdir() if path.is_file()}
    assert names == {
        "optimized_model_mobile.ptl", "optimized_model_mobile_lite.ptl", "optimized_model_mobile.pte",
        "mobile_deployment_metrics.json", "deployment_pipeline_summary.png",
    }  # fmt: skip
