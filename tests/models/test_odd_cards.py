"""Cards with odd contents are named once and used as far as they fit; an id belongs to its bytes."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import odd_files
from tests.driving import app, quick_answers, words
from tests.fakes import fake_artifact, fake_checkpoint, write_card, write_fake
from tests.odd_files import told_of
from udacisense.artifacts import list_artifacts
from udacisense.models.card import card_path
from udacisense.models.checkpoint import (
    BASELINE,
    PIPELINE,
    find_checkpoint,
    list_checkpoints,
    trained_hashes,
    training_info,
)
from udacisense.models.summary import summary_on_card
from udacisense.records import store
from udacisense.report.model_card import model_card
from udacisense.types import Checkpoint

__all__ = ["quick_answers"]

SHA = "ab" * 32

# --- cards ------------------------------------------------------------------------------------------------------------

CARD_FAULTS: dict[str, tuple[tuple[str, ...], Any]] = {
    f"{'.'.join(way)} {number}": (way, value)
    for way, values in {
        ("record", "mean"): ([float("nan"), 0, 0], ["nan", 0, 0], [1e300, 0, 0], [0, 0], "x"),
        ("record", "std"): ([0, 1, 1], [-1, 1, 1], [float("inf"), 1, 1], [10**400, 1, 1]),
        ("record", "input_px"): ([1_000_000, 1_000_000], [0, 224], [-1, 224], [224], ["224", 224], [10**400, 1]),
        ("record", "parameters"): (-5, 10**400, 1.5, "many"),
        ("record", "size_bytes"): (0, -1, 10**400, 7),
        ("record", "classes"): ([], ["a"], "clock", [None] * 10, [["a"]] * 10),
        ("record", "id"): ("", 7, "evil", "mobilenet_v3_small-baseline-00000000", "../../x", "\ud800"),
        ("record", "sha256"): ("", "0" * 64, SHA, "Z" * 64, None),
        ("record", "created"): ("", "yesterday", "9999-12-31T23:59:59Z", 5),
        ("record", "path"): (None, 7),
        ("record", "trained_on_images"): (7, ["a"]),
        ("record",): (None, [], "x"),
        ("schema",): (99, -1, None, [1]),
        ("kind",): ("evaluation", None, ["checkpoint"]),
        ("training",): ([], "x", 7),
        ("training", "curves"): ([{"epoch": 1}, 5, None], 7, [None], [{"validation_top1": "x"}], [{"seconds": -1}], {"a": 1}),
        ("training", "validation_images"): ("many", -1, 1.5, [1]),
        ("training", "recipe"): ([], "x", {"seed": "x"}, {"seed": None, "stage": [5]}, {"stage": [{"distil": "x"}]}),
        ("training", "dataset_id"): ([1], {"a": 1}),
        ("training", "pipeline"): ([1],),
        ("summary",): ([], "x", {"layers": [None]}, {"layers": []}),
        ("summary", "macs"): (-1, "x", 10**400, float("nan")),
        ("summary", "sparsity"): (2, "nan"),
        ("summary", "layers"): (None, [{"name": "a"}], [{**odd_files.LAYER, "output_shape": [-1]}]),
    }.items()
    for number, value in enumerate(values)
}


@pytest.mark.parametrize("fault", CARD_FAULTS)
def test_an_odd_card_is_named_once_and_its_file_still_told_of(furnished: Path, fault: str) -> None:
    path = furnished / "models" / BASELINE
    card = card_path(path)
    way, value = CARD_FAULTS[fault]
    odd_files.write(card, odd_files.put(json.loads(card.read_text()), way, value))
    listing = list_checkpoints()
    (found,) = listing.records
    assert found.sha256 == store.sha256_of(path)
    assert len(listing.problems) == 1
    assert str(card) in listing.problems[0]
    assert f"# Model card: {found.technique}" in model_card(found)
    assert odd_files.traces_of_verbs("models") == []


@pytest.mark.parametrize(
    "way", [("training", "curves"), ("training", "recipe"), ("training", "validation_images"), ("summary", "layers")]
)
def test_the_models_page_opens_without_the_part_of_a_card_that_does_not_fit(furnished: Path, way: tuple[str, ...]) -> None:
    card = card_path(furnished / "models" / BASELINE)
    odd_files.write(card, odd_files.put(json.loads(card.read_text()), way, [{"epoch": 1}, 5, None]))
    at = app("pages/models.py")
    assert f"{'.'.join(way)}" in words(at), "what does not fit is named"
    assert "Trained on **40 images**" in words(at), "and the rest is used"


def test_what_fits_on_a_card_is_used_beside_what_does_not(home: Path) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    plain = json.loads(card_path(made.path).read_text())
    odd_files.write(card_path(made.path), odd_files.put(plain, ("training", "curves"), None) | {"summary": 5})
    info = training_info(made)
    assert info is not None
    assert (info["images"], info["curves"]) == (40, None)
    assert summary_on_card(made) is None


def test_a_card_of_far_too_many_values_is_not_unpacked(furnished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = card_path(furnished / "models" / BASELINE)
    plain = json.loads(card.read_text())
    for many, why in ((["x"] * 150_000, "more than 100,000 values"), ("x" * 5_000_000, "larger than 4 MB")):
        odd_files.write(card, odd_files.put(plain, ("training", "curves"), many))
        with monkeypatch.context() as patched:
            patched.setattr("udacisense.models.card.files.parse_json", lambda _: pytest.fail("unpacked"))
            (problem,) = list_checkpoints().problems
        assert why in problem
        assert str(card) in problem


def test_an_odd_card_without_weights_is_named(home: Path) -> None:
    card = home / "models" / "gone" / "model.card.json"
    card.parent.mkdir(parents=True)
    card.write_text(odd_files.DEEP)
    assert len(told_of(card)) == 1


def test_a_list_of_images_that_is_a_pipe_or_no_text_is_not_waited_for(home: Path) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    images = made.path.with_name("m.trained_on.txt")
    images.unlink()
    os.mkfifo(images)
    assert trained_hashes(made) is None


# --- an id belongs to its bytes ---------------------------------------------------------------------------------------


def test_a_card_with_the_id_of_another_file_is_refused_and_the_real_file_stays(home: Path) -> None:
    real = fake_checkpoint(home / "models" / PIPELINE, technique="pipeline_03")
    evil = write_fake(home / "models" / "aaa" / "evil.pth", seed=9)
    forged = replace(real, path=evil, sha256=real.sha256)
    plain = json.loads(write_card(forged).read_text())
    plain["record"]["sha256"] = store.sha256_of(evil)
    odd_files.write(card_path(evil), plain)
    listing = list_checkpoints()
    assert {c.path for c in listing.records} == {real.path, evil}
    assert find_checkpoint(real.id).path == real.path
    (problem,) = listing.problems
    assert str(card_path(evil)) in problem
    assert "the id must end in" in problem


def test_different_files_whose_ids_cannot_be_told_apart_take_longer_ones(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first eight digits can be made to agree with some hours of computing."""
    digests = {"one.pth": SHA, "two.pth": SHA[:8] + "0" * 56}
    monkeypatch.setattr(store, "sha256_of", lambda path: digests[path.name])
    for name in digests:
        path = write_fake(home / "models" / name)
        write_card(replace(_bare(path), sha256=digests[name], id=f"net-same-{SHA[:8]}"))
    listing = list_checkpoints()
    assert {c.id for c in listing.records} == {f"net-same-{digest}" for digest in digests.values()}
    assert "are different files with the id" in listing.problems[0]


def _bare(path: Path) -> Checkpoint:
    return fake_checkpoint(path)


def test_a_copy_is_told_by_its_bytes(home: Path) -> None:
    real = fake_checkpoint(home / "models" / "b.pth")
    for name in ("b.pth", "b.card.json", "b.trained_on.txt"):
        (home / "models" / "copy").mkdir(exist_ok=True)
        shutil.copy(home / "models" / name, home / "models" / "copy" / name)
    listing = list_checkpoints()
    assert [c.id for c in listing.records] == [real.id]
    assert len(listing.problems) == 1
    assert "is a copy of" in listing.problems[0]


@pytest.mark.parametrize("claim", ["sha256", "size_bytes"])
def test_an_artifact_whose_file_is_not_the_one_recorded_is_refused(home: Path, claim: str) -> None:
    """Otherwise a file would inherit what was measured of another one, or be judged by a size that it does not have."""
    checkpoint = fake_checkpoint(home / "models" / BASELINE)
    good = fake_artifact(home / "models" / "mobile", checkpoint)
    bad = fake_artifact(home / "models" / "mobile", checkpoint, shift=0.5)
    record = bad.path.with_name("artifact.json")
    plain = json.loads(record.read_text())
    plain["record"][claim] = good.sha256 if claim == "sha256" else 1
    odd_files.write(record, plain)
    listing = list_artifacts()
    assert [a.id for a in listing.records] == [good.id]
    assert "is not the file that its record describes" in listing.problems[0]
