"""Classification: as the checkpoint asks, by a record, an id or a path; on the command line a bad image costs itself alone."""

from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_cli import Call, call
from tests.data.conftest import noise
from tests.fakes import FakeSession, fake_artifact, fake_checkpoint, fixed_logits, write_card
from udacisense import verbs
from udacisense.artifacts import mobile_dir, open_apart
from udacisense.classify import Classification, Classifier, classify, open_classifier, read_image
from udacisense.data.preprocess import preprocess
from udacisense.errors import CheckpointError, ImageError, MeasureError, NotFoundError, RunError, UnavailableError
from udacisense.labels import CLASSES
from udacisense.models.card import card_path
from udacisense.records import store
from udacisense.types import Artifact, Checkpoint, Format, Preprocessing

__all__ = ["call"]

LETTERS = tuple("abcdefghij")


@pytest.fixture
def checkpoint(home: Path, fake_formats: dict[str, Format]) -> Checkpoint:
    return fake_checkpoint(home / "models" / "m.pth")


@pytest.fixture
def odd(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint whose card asks for something else than the household network."""
    found = replace(checkpoint, classes=LETTERS, input_px=(32, 48), mean=(0.5, 0.4, 0.3), std=(0.3, 0.2, 0.1))
    write_card(found)
    return found


@pytest.fixture
def artifact(odd: Checkpoint) -> Artifact:
    return fake_artifact(mobile_dir(), odd, "fake", "model.fake")


def saved(folder: Path, name: str = "photo.png", seed: int = 1) -> Path:
    path = folder / name
    Image.fromarray(noise(seed, 40, 60)).save(path)
    return path


def shares(logits: np.ndarray) -> list[float]:
    powers = [math.exp(value) for value in logits[0].astype(float)]
    return [power / math.fsum(powers) for power in powers]


# --- one image ---------------------------------------------------------------------------------------------------------


def test_an_image_is_prepared_as_the_artifacts_checkpoint_asks(odd: Checkpoint, artifact: Artifact) -> None:
    pixels = noise(1, 40, 60)
    asked = preprocess([pixels], Preprocessing((32, 48), (0.5, 0.4, 0.3), (0.3, 0.2, 0.1)))
    by_default = preprocess([pixels])
    for subject in (odd, artifact):
        found = classify(pixels, subject)
        assert found.classes == LETTERS
        assert found.probabilities == pytest.approx(shares(fixed_logits(asked)))
        assert found.probabilities != pytest.approx(shares(fixed_logits(by_default)))


def test_a_subject_is_a_record_an_id_or_a_path_and_an_image_a_path_bytes_or_pixels(artifact: Artifact, tmp_path: Path) -> None:
    path = saved(tmp_path)
    expected = classify(noise(1, 40, 60), artifact)
    for image, subject in ((path, artifact.id), (str(path), artifact.path), (path.read_bytes(), str(artifact.path))):
        found = classify(image, subject)
        assert found.probabilities == expected.probabilities
        assert found.decode_s is not None
    assert expected.decode_s is None


def test_the_likeliest_classes_come_first_and_ties_in_their_order() -> None:
    found = Classification(LETTERS, (0.1, 0.3, 0.1, 0.3, 0.2, *(0.0,) * 5), None, 0.0, 0.0)
    assert found.top(4) == (("b", 0.3), ("d", 0.3), ("e", 0.2), ("a", 0.1))
    assert len(found.top()) == 5
    assert len(found.top(99)) == len(LETTERS)


def test_the_times_are_those_of_the_run(checkpoint: Checkpoint) -> None:
    found = Classifier("slow", checkpoint, FakeSession(delay_s=0.02)).classify(noise(2, 40, 30), 0.5)
    assert found.inference_s >= 0.02
    assert found.preprocess_s > 0
    assert found.decode_s == 0.5


@pytest.mark.parametrize(("fault", "error"), [("nan", MeasureError), ("run", RunError), ("shape", RunError)])
def test_a_broken_model_is_an_error_of_ours(fault: str, error: type[Exception], checkpoint: Checkpoint) -> None:
    with pytest.raises(error, match="broken"):
        Classifier("broken", checkpoint, FakeSession(fault=fault)).classify(noise(2))  # type: ignore[arg-type]


def test_a_loaded_model_is_run_once_before_it_is_asked(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []
    monkeypatch.setattr(FakeSession, "predict", lambda _, images: asked.append(images.shape) or fixed_logits(images))
    open_classifier(checkpoint, open_apart)
    assert asked == [(1, 3, 224, 224)]


def test_an_artifact_without_its_checkpoint_is_not_guessed_at(artifact: Artifact, odd: Checkpoint) -> None:
    odd.path.unlink()
    with pytest.raises(NotFoundError, match=f"checkpoint.*is gone.*{odd.id}"):
        classify(noise(1), artifact)


def test_what_cannot_run_here_says_so(
    artifact: Artifact, fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fake_formats, "fake", replace(fake_formats["fake"], unavailable=lambda _: "Install it."))
    monkeypatch.setattr("udacisense.formats.FORMATS", fake_formats)
    with pytest.raises(UnavailableError, match="Install it"):
        classify(noise(1), artifact)


# --- image files -------------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_image_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "notes.png"
    text.write_text("this is text")
    os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    for path, says in ((text, "is text"), (tmp_path, "no image file"), (tmp_path / "pipe.png", "no image file")):
        with pytest.raises(ImageError, match=says) as caught:
            read_image(path)
        assert str(path) in str(caught.value)
    monkeypatch.setattr(import_module("udacisense.classify"), "MAX_FILE_BYTES", 100)
    with pytest.raises(ImageError, match="is larger than"):
        read_image(saved(tmp_path))


# --- the verb ----------------------------------------------------------------------------------------------------------


def test_the_verb_answers_in_one_document(artifact: Artifact, tmp_path: Path, call: Call) -> None:
    paths = [str(saved(tmp_path, f"{seed}.png", seed)) for seed in (1, 2)]
    ended = call("classify", *paths, "--with", artifact.id, "--json")
    document = json.loads(ended.out)
    assert ended.code == 0
    assert (document["subject_id"], document["failures"]) == (artifact.id, [])
    assert [one["image"] for one in document["images"]] == paths
    for seed, one in zip((1, 2), document["images"], strict=True):
        expected = classify(noise(seed, 40, 60), artifact)
        assert one["probabilities"] == dict(expected.top(10))
        assert (one["label"], one["probability"]) == expected.top(1)[0]


def test_a_bad_image_is_named_and_the_others_are_answered(artifact: Artifact, tmp_path: Path, call: Call) -> None:
    good, bad, gone = saved(tmp_path), tmp_path / "bad.png", tmp_path / "gone.png"
    bad.write_bytes(good.read_bytes()[:200])
    argv = ("classify", str(bad), str(good), str(gone), "--with", str(artifact.path))
    shown = call(*argv)
    assert shown.code == 3
    assert str(good) in shown.out
    assert f"! {bad} is cut off" in shown.out
    assert shown.out.count(f"{gone}") == 1
    document = json.loads(call(*argv, "--json").out)
    assert [one["image"] for one in document["images"]] == [str(good)]
    assert [one["image"] for one in document["failures"]] == [str(bad), str(gone)]


def test_a_model_that_breaks_on_an_image_is_told_beside_the_image(
    checkpoint: Checkpoint, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Classifier, "warm", lambda self: self)
    monkeypatch.setattr(FakeSession, "predict", lambda _, images: fixed_logits(images) * np.float32(np.nan))
    ended = call("classify", str(saved(tmp_path)), "--with", checkpoint.id)
    assert ended.code == 3
    assert f"! {tmp_path / 'photo.png'}: {checkpoint.id} answered 1 of 1 images" in ended.out


def test_an_unknown_subject_is_an_error(home: Path, tmp_path: Path, call: Call) -> None:
    ended = call("classify", str(saved(tmp_path)), "--with", "nothing", "--json")
    assert (ended.code, json.loads(ended.out)["kind"]) == (3, "NotFoundError")
    assert call("classify", str(saved(tmp_path))).code == 3, "the subject is asked for"


def test_the_subject_of_a_record_outside_the_house_is_found_by_its_path(checkpoint: Checkpoint, tmp_path: Path) -> None:
    away = Path(shutil.copy(checkpoint.path, tmp_path / "away.pth"))
    with pytest.raises(CheckpointError, match=r"away\.pth is not described yet"):
        verbs.classify([saved(tmp_path)], away)
    store.write_text(card_path(away), store.dump(replace(checkpoint, path=away), "checkpoint"))
    assert verbs.classify([saved(tmp_path)], away).images[0].label in CLASSES
