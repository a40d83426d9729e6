from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import fake_artifact, fake_checkpoint, fake_dataset, fixed_logits
from udacisense import provenance
from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import preprocess
from udacisense.errors import MeasureError, NotFoundError, RunError, StoreError
from udacisense.evaluation import predictions
from udacisense.evaluation.evaluate import evaluate
from udacisense.evaluation.predictions import load_predictions, predict_all
from udacisense.progress import watched_by
from udacisense.records import store
from udacisense.types import Checkpoint, Evaluation

pytestmark = pytest.mark.usefixtures("fake_formats")


@pytest.fixture
def checkpoint(home: Path) -> Checkpoint:
    return fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")


def test_the_record_follows_from_the_logits(checkpoint: Checkpoint) -> None:
    data = fake_dataset(70)
    expected = fixed_logits(preprocess(data.images))
    record = evaluate(checkpoint, data)
    answers = expected.argmax(axis=1)
    assert record.images == 70
    assert record.top1 == pytest.approx((answers == data.labels).mean())
    assert sum(map(sum, record.confusion)) == 70
    assert sum(record.confusion[i][i] for i in range(10)) == pytest.approx(record.top1 * 70)
    assert record.per_class == pytest.approx([(answers == data.labels)[data.labels == c].mean() for c in range(10)])
    kept = load_predictions(record)
    np.testing.assert_allclose(kept.logits, expected, rtol=1e-6)
    assert kept.hashes == data.hashes
    assert kept.labels.tolist() == data.labels.tolist()
    assert store.records(Evaluation).records == (record,)


def test_a_class_without_images_is_not_measured(checkpoint: Checkpoint) -> None:
    data = fake_dataset(5)
    assert evaluate(checkpoint, data).per_class[5:] == (None,) * 5


def test_the_same_file_on_the_same_images_keeps_its_record(checkpoint: Checkpoint) -> None:
    data = fake_dataset(12)
    first = evaluate(checkpoint, data)
    assert evaluate(checkpoint, data) == first
    again = evaluate(checkpoint, data, fresh=True)
    assert again.id != first.id
    assert again.top1 == first.top1


def test_a_record_says_which_names_a_person_confirmed_and_stands_for_no_other(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = fake_dataset(12)
    with monkeypatch.context() as past:
        past.setattr(provenance, "now", lambda: "2026-01-01T00:00:00Z")  # two records of one second have no order
        first = evaluate(checkpoint, data)
    confirmed = replace(data, ref=replace(data.ref, same=(("sofa", "couch"),)))
    second = evaluate(checkpoint, confirmed)
    assert second.id != first.id
    assert store.load("evaluation", second.id).data.same == (("sofa", "couch"),)


def test_a_record_that_does_not_question_itself_is_made_anew(checkpoint: Checkpoint) -> None:
    data = fake_dataset(12)
    first = evaluate(checkpoint, data)
    assert any("12 images leave the accuracy between" in said for said in first.warnings)
    silent = replace(
        first, id=store.new_id("eval-older"), warnings=(), made=replace(first.made, created="2098-01-01T00:00:00Z")
    )
    store.save(silent)
    again = evaluate(checkpoint, data)
    assert again.id not in (first.id, silent.id)
    assert again.warnings == first.warnings


def test_other_images_get_a_record_of_their_own(checkpoint: Checkpoint) -> None:
    assert evaluate(checkpoint, fake_dataset(12)).id != evaluate(checkpoint, fake_dataset(12, seed=1)).id


def test_a_changed_file_is_evaluated_again(home: Path, checkpoint: Checkpoint) -> None:
    data = fake_dataset(12)
    first = evaluate(checkpoint, data)
    changed = fake_checkpoint(checkpoint.path, shift=1.0)
    assert evaluate(changed, data).subject_sha256 != first.subject_sha256


@pytest.mark.parametrize("damage", ["missing", "truncated", "other images"])
def test_lost_predictions_are_computed_again(checkpoint: Checkpoint, damage: str) -> None:
    data = fake_dataset(12)
    record = evaluate(checkpoint, data)
    path = predictions.predictions_path(checkpoint, data.ref.dataset_id)
    if damage == "missing":
        path.unlink()
        with pytest.raises(NotFoundError, match="Evaluate again"):
            load_predictions(record)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(StoreError, match="damaged"):
            load_predictions(record)
    else:
        other = predict_all(checkpoint, fake_dataset(12, seed=3))
        predictions._write(replace(other, path=path))
    np.testing.assert_allclose(predict_all(checkpoint, data).logits, fixed_logits(preprocess(data.images)), rtol=1e-6)
    assert load_predictions(record).hashes == data.hashes


def test_images_of_the_training_are_counted_and_warned_about(checkpoint: Checkpoint) -> None:
    data = fake_dataset(12)
    assert evaluate(checkpoint, data).overlap_images == 0
    seen = replace(data, hashes=("0000000000000001", "0000000000000002", *data.hashes[2:]))
    record = evaluate(checkpoint, seen, fresh=True)
    assert record.overlap_images == 2
    assert any("2 of 12 images were in this model's training" in w for w in record.warnings)


def test_an_artifact_overlaps_as_its_checkpoint_does(home: Path, checkpoint: Checkpoint) -> None:
    artifact = fake_artifact(home / "models" / "mobile", checkpoint, "fake", "model.fake")
    data = fake_dataset(12)
    assert evaluate(artifact, data).overlap_images == 0
    checkpoint.path.with_name("model.trained_on.txt").unlink()
    record = evaluate(artifact, data, fresh=True)
    assert record.overlap_images is None
    assert any("not known" in w for w in record.warnings)


def test_the_sample_pack_is_no_evidence(checkpoint: Checkpoint) -> None:
    record = evaluate(checkpoint, fake_dataset(12, source="sample"))
    assert any("sample pack" in w for w in record.warnings)


def test_images_without_a_label_do_not_count(checkpoint: Checkpoint) -> None:
    data = fake_dataset(12)
    labels = data.labels.copy()
    labels[:4] = -1
    record = evaluate(checkpoint, replace(data, labels=labels))
    assert record.images == 8
    assert any("4 of 12 images have no label" in w for w in record.warnings)
    with pytest.raises(MeasureError, match="has a label"):
        evaluate(checkpoint, replace(data, labels=np.full(12, -1)), fresh=True)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        pytest.param("nan", MeasureError, "not numbers", id="NaN"),
        pytest.param("shape", RunError, r"shape \(12, 7\) where \(12, 10\)", id="wrong shape"),
        pytest.param("run", RunError, "the fake runtime broke", id="runtime error"),
        pytest.param("load", RunError, "could not be loaded", id="does not load"),
    ],
)
def test_a_broken_file_leaves_a_message_and_no_record(home: Path, fault: str, error: type[Exception], message: str) -> None:
    broken = fake_checkpoint(home / "models" / "x" / "model.pth", fault=fault)
    with pytest.raises(error, match=message):
        evaluate(broken, fake_dataset(12))
    assert store.records(Evaluation).records == ()
    assert not list((home / "results").rglob("*.npz*"))


def test_an_empty_split_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(MeasureError, match="no image"):
        evaluate(checkpoint, fake_dataset(0))


def test_a_failing_preprocessing_is_told(checkpoint: Checkpoint) -> None:
    data = fake_dataset(3)
    broken = Dataset(data.ref, (*data.images[:2], np.zeros((0, 0, 3), np.uint8)), data.labels, data.hashes)
    with pytest.raises(Exception, match="at least one pixel"):
        evaluate(checkpoint, broken)


def test_progress_ends_at_one(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    with watched_by(lambda fraction, stage: seen.append(fraction)):
        evaluate(checkpoint, fake_dataset(70))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 1
