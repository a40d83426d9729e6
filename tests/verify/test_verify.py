from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.fakes import fake_artifact, fake_checkpoint, fake_dataset, fixed_logits
from udacisense.errors import MeasureError, NotFoundError, RunError
from udacisense.evaluation.predictions import Predictions
from udacisense.metrics.logits import psnr_db
from udacisense.records import store
from udacisense.settings import PROJECT
from udacisense.types import Artifact, Checkpoint, TensorCheck, Verification
from udacisense.verify import (
    GOLDEN,
    NEAR_TIE,
    accuracy_verdict,
    check_tensors,
    find_flips,
    judge_accuracy,
    judge_equivalence,
    logits_of,
    split,
    top_classes,
    verify,
)

pytestmark = pytest.mark.usefixtures("fake_formats")


@pytest.fixture
def checkpoint(home: Path) -> Checkpoint:
    return fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")


def convert(home: Path, checkpoint: Checkpoint, **file: object) -> Artifact:
    return fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake", **file)


def test_a_faithful_file_is_the_same_model(home: Path, checkpoint: Checkpoint) -> None:
    record = verify(convert(home, checkpoint), fake_dataset(30))
    assert record.verdict == "same"
    assert record.agreement == 1.0
    assert record.flips == ()
    assert record.psnr_db is None
    assert record.mcnemar_p == 1.0
    assert [(c.name, c.inputs, c.outputs_match, c.predictions_match) for c in record.checks] == [
        ("single", 1, True, True),
        ("batch of 4", 4, True, True),
    ]
    assert store.records(Verification).records == (record,)


def test_a_drifting_file_is_different_and_names_the_changed_images(home: Path, checkpoint: Checkpoint) -> None:
    data = fake_dataset(300)
    record = verify(convert(home, checkpoint, shift=2.0), data)
    assert record.verdict == "different"
    assert len(record.flips) == round((1 - record.agreement) * 300)
    assert {f.image for f in record.flips} <= set(data.hashes)
    assert [f.margin for f in record.flips] == sorted((f.margin for f in record.flips), reverse=True)
    assert all(f.before != f.after and f.margin >= 0 for f in record.flips)
    assert record.max_abs_diff > record.mean_abs_diff > 0


def test_the_random_inputs_are_the_same_every_time(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint, shift=0.1)
    first, second = (verify(artifact, fake_dataset(12)) for _ in range(2))
    assert first.checks == second.checks
    assert first.id != second.id


def test_too_few_images_is_not_enough_evidence(home: Path, checkpoint: Checkpoint) -> None:
    record = verify(convert(home, checkpoint, shift=1e-4), fake_dataset(20))
    assert record.agreement == 1.0
    assert record.max_abs_diff > 1e-5
    assert record.verdict == "unknown"
    assert "more images" in record.reason


def test_a_wider_tolerance_is_recorded(home: Path, checkpoint: Checkpoint) -> None:
    record = verify(convert(home, checkpoint, shift=1e-4), fake_dataset(20), tolerance=0.1)
    assert record.verdict == "same"
    assert all(c.tolerance == 0.1 for c in record.checks)


def test_nan_leaves_a_message_and_no_record(home: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(MeasureError, match="not numbers"):
        verify(convert(home, checkpoint, fault="nan"), fake_dataset(12))
    assert store.records(Verification).records == ()


def test_a_lost_checkpoint_is_told(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint)
    checkpoint.path.unlink()
    with pytest.raises(NotFoundError, match="no checkpoint"):
        verify(artifact, fake_dataset(12))


def test_the_sample_pack_is_said(home: Path, checkpoint: Checkpoint) -> None:
    record = verify(convert(home, checkpoint), fake_dataset(12, source="sample"))
    assert any("sample pack" in w for w in record.warnings)


OK = TensorCheck("single", 1, 1e-4, 1e-5, True, 1e-5, False)
BROKEN = TensorCheck("single", 1, 2.0, 0.5, False, 1e-5, False)
EXACT = TensorCheck("single", 1, 1e-6, 1e-7, True, 1e-5, True)


@pytest.mark.parametrize(
    ("checks", "images", "flips", "gap", "p", "verdict"),
    [
        pytest.param([EXACT], 3, 0, 1e-6, 1.0, "same", id="equal logits need no many images"),
        pytest.param([EXACT], 1000, 0, 2e-5, 1.0, "same", id="rounding, many images"),
        pytest.param([EXACT], 100, 0, 2e-5, 1.0, "unknown", id="rounding, few images"),
        pytest.param([OK], 1000, 3, 1e-2, 1.0, "same", id="three flips"),
        pytest.param([OK], 1000, 5, 1e-2, 1.0, "unknown", id="a few flips: interval straddles"),
        pytest.param([OK], 1000, 70, 2.8, 0.2, "different", id="the int8 file of the notebook"),
        pytest.param([OK], 10_000, 10, 0.5, 0.002, "different", id="rare flips, all to the worse"),
        pytest.param([BROKEN], 10_000, 10, 0.5, 1.0, "unknown", id="random inputs disagree"),
        pytest.param([OK], 10_000, 10, 0.5, None, "same", id="no labels"),
    ],
)
def test_the_verdict(checks: list[TensorCheck], images: int, flips: int, gap: float, p: float | None, verdict: str) -> None:
    found, reason = judge_equivalence(checks, images, flips, gap, p, 1e-5)
    assert found == verdict
    assert reason.endswith(".")
    assert f"{images:,}" in reason


def test_a_coarse_file_is_held_to_its_ladders_share_on_images_and_not_to_noise() -> None:
    same, reason = judge_equivalence([BROKEN], 1000, 20, 2.4, 1.0, 1e-5, "int8")
    assert (same, "96 %" in reason) == ("same", True)
    assert judge_equivalence([BROKEN], 1000, 20, 2.4, 1.0, 1e-5, "fp16")[0] == "different"
    assert judge_equivalence([BROKEN], 1000, 70, 2.4, 1.0, 1e-5, "int8")[0] == "different"
    assert judge_equivalence([BROKEN], 1000, 40, 2.4, 1.0, 1e-5, "palette6")[0] == "unknown"


def test_tensors_are_compared_as_the_notebook_does() -> None:
    before = np.array([[1.0, 2.0], [3.0, 0.0]], np.float32)
    after = np.array([[1.0, 2.5], [3.0, 3.5]], np.float32)
    check = check_tensors("batch", before, after, 1e-5)
    assert (check.inputs, check.max_abs_diff, check.mean_abs_diff) == (2, 3.5, 1.0)
    assert not check.predictions_match
    assert not check.outputs_match


def test_psnr_by_hand() -> None:
    before = np.array([[0.0, 10.0]], np.float32)
    assert psnr_db(before, before) is None
    assert psnr_db(before, before + 1) == pytest.approx(20.0)  # 10 log10(100 / 1)


def test_a_flip_without_label_keeps_none() -> None:
    before = Predictions(("a", "b"), np.array([-1, 1]), np.array([[2.0, 1.0], [0.0, 1.0]], np.float32), 0, 0, Path())
    after = Predictions(("a", "b"), np.array([-1, 1]), np.array([[0.0, 1.0], [0.0, 1.0]], np.float32), 0, 0, Path())
    (flip,) = find_flips(before, after)
    assert (flip.image, flip.label, flip.before, flip.after, flip.margin) == ("a", None, 0, 1, 1.0)


# --- what is measured, and what is missing ------------------------------------------------------------------------------


def test_every_measure_follows_from_the_logits(home: Path, checkpoint: Checkpoint) -> None:
    data = fake_dataset(200)
    record = verify(convert(home, checkpoint, shift=0.5), data)
    found = record.measures
    assert found is not None
    assert record.mean_abs_diff <= found.p99_abs_diff <= record.max_abs_diff
    assert found.kl_nats > 0
    assert found.cosine is not None
    assert 0.5 < found.cosine < 1
    assert record.agreement < found.top5_agreement < 1
    assert [c.images for c in found.per_class if c] == [20] * 10
    assert sum(map(sum, found.confusion_before)) == sum(map(sum, found.confusion_after)) == 200
    assert found.lost is not None
    assert found.won is not None
    assert record.accuracy_before is not None
    assert record.accuracy_after is not None
    change = record.accuracy_after - record.accuracy_before
    assert change == pytest.approx((found.won - found.lost) / 200)
    assert found.accuracy_interval is not None
    assert found.accuracy_interval[0] <= change <= found.accuracy_interval[1]


def test_the_record_outlives_the_disk(home: Path, checkpoint: Checkpoint) -> None:
    record = verify(convert(home, checkpoint, shift=0.5), fake_dataset(50))
    assert store.from_json(Verification, store.to_json(record)) == record
    plain = store.to_json(record)
    del plain["measures"]
    for flip in plain["flips"]:
        del flip["margin_after"]
    old = store.from_json(Verification, plain)
    assert old.measures is None
    assert old.flips[0].margin_after is None


def test_images_without_labels_have_agreement_and_no_accuracy(home: Path, checkpoint: Checkpoint) -> None:
    data = fake_dataset(60)
    bare = replace(data, labels=np.full(60, -1, np.int64))
    record = verify(convert(home, checkpoint, shift=0.5), bare)
    assert 0 < record.agreement < 1
    assert (record.accuracy_before, record.accuracy_after, record.mcnemar_p) == (None, None, None)
    assert record.measures is not None
    assert record.measures.accuracy_interval is None
    assert record.measures.ece_before is None
    assert not any(record.measures.per_class)
    assert any("60 of 60 images have no label" in w for w in record.warnings)
    status, reason = accuracy_verdict(record)
    assert status is None
    assert "no labels" in reason


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("nan", MeasureError, "not numbers"),
        ("shape", RunError, "answered in shape"),
        ("run", RunError, "the fake runtime broke"),
        ("load", RunError, "could not be loaded"),
    ],
)
def test_a_broken_file_leaves_earlier_records_and_a_clear_message(
    home: Path, checkpoint: Checkpoint, fault: str, error: type[Exception], said: str
) -> None:
    earlier = verify(convert(home, checkpoint), fake_dataset(12))
    with pytest.raises(error, match=said):
        verify(convert(home, checkpoint, fault=fault), fake_dataset(12))
    assert store.records(Verification).records == (earlier,)


def test_a_file_that_kills_its_process_leaves_earlier_records(home: Path, checkpoint: Checkpoint) -> None:
    """As a job it is a process of its own: what it takes along is that process."""
    earlier = verify(convert(home, checkpoint), fake_dataset(12))
    deadly = convert(home, checkpoint, fault="crash")
    code = f"""
from pathlib import Path
from tests.fakes import fake_dataset, fake_format
from udacisense import formats
from udacisense.artifacts import find_artifact
from udacisense.verify import verify
formats.FORMATS.update(torch=fake_format("torch"), fake=fake_format("fake"))
verify(find_artifact({deadly.id!r}), fake_dataset(12))
"""
    environment = {**os.environ, "UDACISENSE_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=PROJECT, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert store.records(Verification).records == (earlier,)
    assert store.records(Verification).problems == ()


# --- golden images ----------------------------------------------------------------------------------------------------


def golden(artifact: Artifact, **changes: object) -> None:
    images = np.random.default_rng(3).standard_normal((10, 3, 224, 224)).astype(np.float32)
    held = {"images": images, "logits": fixed_logits(images), **changes}
    np.savez(artifact.path.with_name("golden.npz"), **held)


def test_golden_images_are_compared_where_they_lie_beside_the_file(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint)
    without = verify(artifact, fake_dataset(12))
    assert any("No golden images" in w for w in without.warnings)
    golden(artifact)
    record = verify(artifact, fake_dataset(12))
    assert [(c.name, c.inputs) for c in record.checks] == [("single", 1), ("batch of 4", 4), (GOLDEN, 10)]
    assert record.checks[-1].outputs_match
    assert "5 random images and 10 golden images" in record.reason
    assert not any("golden" in w for w in record.warnings)


def test_golden_images_of_another_model_are_noticed(home: Path, checkpoint: Checkpoint) -> None:
    artifact = convert(home, checkpoint)
    golden(artifact, logits=np.zeros((10, 10), np.float32))
    record = verify(artifact, fake_dataset(1000))
    assert not record.checks[-1].predictions_match
    assert record.verdict == "unknown"
    assert GOLDEN in record.reason


@pytest.mark.parametrize("damage", [{"logits": np.zeros((3, 10))}, {"images": np.zeros((10, 3, 8, 8))}, b"PK\x03\x04 cut off"])
def test_damaged_golden_images_are_told_and_not_fatal(
    home: Path, checkpoint: Checkpoint, damage: dict[str, np.ndarray] | bytes
) -> None:
    artifact = convert(home, checkpoint)
    if isinstance(damage, bytes):
        artifact.path.with_name("golden.npz").write_bytes(damage)
    else:
        golden(artifact, **damage)
    record = verify(artifact, fake_dataset(12))
    assert len(record.checks) == 2
    assert any("are damaged" in w and "again" in w for w in record.warnings)


# --- accuracy, flips ----------------------------------------------------------------------------------------------------


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the fake formats are not touched
@given(st.integers(50, 5000), st.floats(0, 0.1), st.floats(0, 0.1))
def test_accuracy_passes_and_fails_only_by_its_whole_interval(images: int, lost: float, won: float) -> None:
    status, change, reason = judge_accuracy(int(lost * images), int(won * images), images)
    inside = change.low > -0.01 and change.high < 0.01
    outside = change.low >= 0.01 or change.high <= -0.01
    assert status == ("pass" if inside else "fail" if outside else "unknown")
    assert ("more labelled images" in reason or "no number of images" in reason) == (status == "unknown")


def test_what_both_files_thought_is_read_from_the_kept_answers(home: Path, checkpoint: Checkpoint) -> None:
    record = verify(convert(home, checkpoint, shift=2.0), fake_dataset(60))
    raw = logits_of(record)
    assert raw is not None
    known = top_classes(*raw, record.flips)
    assert set(known) == {f.image for f in record.flips}
    for flip in record.flips:
        top = known[flip.image]
        assert (top.before[0][0], top.after[0][0]) == (flip.before, flip.after)
        assert [p for _, p in top.before] == sorted((p for _, p in top.before), reverse=True)
        assert flip.margin_after is not None
        assert flip.margin_after >= 0
    breaks, ties = split(record.flips)
    assert len(breaks) + len(ties) == len(record.flips)
    assert all(f.margin >= NEAR_TIE for f in breaks)
    for path in (home / "results" / "predictions").glob("*.npz"):
        path.unlink()
    assert logits_of(record) is None
