from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fakes import fake_artifact, fake_checkpoint, fake_dataset
from udacisense import store
from udacisense.errors import MeasureError, NotFoundError
from udacisense.logits import psnr_db
from udacisense.predictions import Predictions
from udacisense.types import Artifact, Checkpoint, TensorCheck, Verification
from udacisense.verify import check_tensors, find_flips, judge_sameness, verify

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
    assert "further images would decide it" in record.reason


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
    found, reason = judge_sameness(checks, images, flips, gap, p, 1e-5)
    assert found == verdict
    assert reason.endswith(".")
    assert str(images) in reason


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
