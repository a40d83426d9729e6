"""A stranger's file: nothing is measured of it until somebody says which classes it answers, and then only what is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.driving import app, words
from tests.networks import Small, images, save_script, traced
from udacisense import verbs
from udacisense.errors import CheckpointError, UdaciSenseError
from udacisense.labels import CLASSES
from udacisense.models.checkpoint import list_checkpoints, read_checkpoint
from udacisense.models.loading import load_network
from udacisense.types import Preprocessing

NAMES = ",".join(CLASSES)
OURS = {"input": "224", "mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"}


class Alike(torch.nn.Module):
    """Answers every image with the same logits."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(x.shape[0], 10)


@pytest.fixture
def strange(home: Path) -> Path:
    """A ten-class network of somebody else, in the folder of models."""
    path = home / "models" / "theirs.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_script(traced(Small()), path)


def test_it_is_listed_as_not_described_and_claims_nothing(strange: Path) -> None:
    (found,) = list_checkpoints().records
    assert not found.described
    assert (found.classes, found.architecture) == ((), "torchscript")
    assert found.id.startswith("undescribed-theirs-")
    assert not found.path.with_suffix(".card.json").exists()


@pytest.mark.parametrize("verb", ["evaluate", "convert", "card", "run"])
def test_no_verb_measures_it(strange: Path, verb: str) -> None:
    with pytest.raises(CheckpointError, match=r"theirs\.pt is not described yet.*python -m udacisense add"):
        getattr(verbs, verb)(strange)


def test_nothing_else_loads_it(strange: Path) -> None:
    with pytest.raises(CheckpointError, match="is not described yet"):
        load_network(read_checkpoint(strange))


def test_the_models_page_says_so_and_how_to_describe_it(strange: Path) -> None:
    found = read_checkpoint(strange)
    at = app("pages/models.py", checkpoint=found.id)
    assert not at.exception
    said = words(at)
    assert "not described yet" in said
    assert "python -m udacisense add" in said
    assert "Apache-2.0" not in said
    assert "224" not in said


def test_once_described_it_answers_as_before(strange: Path) -> None:
    network = Small().eval()
    save_script(traced(network), strange)
    record = verbs.add(strange, NAMES, **OURS)
    assert record == read_checkpoint(strange)
    assert record.described
    assert record.classes == CLASSES
    assert record.id == f"script-theirs-{record.sha256[:8]}"
    card = json.loads(strange.with_suffix(".card.json").read_text())
    assert card["summary"]["size_bytes"] == strange.stat().st_size
    with torch.no_grad():
        torch.testing.assert_close(load_network(record)(torch.from_numpy(images())), network(torch.from_numpy(images())))


def test_names_come_from_a_file_too(strange: Path, tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("\n".join(CLASSES) + "\n")
    assert verbs.add(strange, str(names), **OURS).classes == CLASSES


def test_what_was_said_is_in_the_record_and_on_the_models_page(strange: Path) -> None:
    save_script(traced(Small(classes=3)), strange)
    verbs.add(strange, "apple, pear, plum", "96x128", "0.5", "0.1,0.2,0.3", "", "bilinear", 0.875, "fruit", "MIT")
    found = read_checkpoint(strange)
    assert found.classes == ("apple", "pear", "plum")
    assert found.preprocessing == Preprocessing((96, 128), (0.5, 0.5, 0.5), (0.1, 0.2, 0.3), "bilinear", 0.875)
    assert (found.title, found.licence, found.architecture) == ("fruit", "MIT", "torchscript")
    said = words(app("pages/models.py", checkpoint=found.id))
    assert all(text in said for text in ("apple, pear, plum", "128 × 96", "MIT"))
    assert not any(text in said for text in ("224", "wardrobe", "Apache-2.0"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classes": "cat"}, "from 2 to 1000 names, got 1"),
        ({"classes": "cat,dog,cat"}, "differ from each other"),
        ({"input": "big"}, "--input takes 1 or 2 numbers"),
        ({"input": "96.5"}, "whole number of pixels"),
        ({"input": "0"}, "--input takes"),
        ({"mean": "0.5,0.5"}, "--mean takes 1 or 3 numbers"),
        ({"std": "0"}, "--std takes"),
        ({"std": "nan"}, "--std takes"),
        ({"interpolation": "nearest"}, "bicubic, bilinear"),
        ({"crop_pct": 1.5}, "above 0 and at most 1"),
    ],
    ids=lambda value: str(value),
)
def test_what_cannot_be_said_of_a_model_is_refused_with_its_reason(
    strange: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(UdaciSenseError, match=message):
        verbs.add(strange, **({"classes": NAMES} | OURS | changed))
    assert not read_checkpoint(strange).described


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Small(classes=7), "answers 7 classes, and it is said to tell 10 apart"),
        (Alike(), "gives different images the same answer"),
    ],
    ids=["seven classes", "all alike"],
)
def test_a_file_that_does_not_answer_so_gets_no_card(strange: Path, network: torch.nn.Module, message: str) -> None:
    save_script(traced(network), strange)
    with pytest.raises(CheckpointError, match=message):
        verbs.add(strange, NAMES, **OURS)
    assert not strange.with_suffix(".card.json").exists()


def test_a_card_is_never_replaced(strange: Path) -> None:
    verbs.add(strange, NAMES, **OURS)
    with pytest.raises(CheckpointError, match=r"described already.*remove theirs\.card\.json"):
        verbs.add(strange, NAMES, **OURS)


@pytest.mark.parametrize("page", ["pages/models.py", "pages/classify.py"])
def test_pickers_mark_it(strange: Path, page: str) -> None:
    at = app(page)
    assert not at.exception
    assert any("theirs" in line and "not described yet" in line for box in at.selectbox for line in box.options)
