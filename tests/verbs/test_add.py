"""A stranger's file: nothing is measured of it until somebody says which classes it answers, and then only what is true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.driving import app, words
from tests.networks import Small, images, save_script, traced
from udacisense import verbs
from udacisense.errors import CheckpointError
from udacisense.labels import CLASSES
from udacisense.models.checkpoint import list_checkpoints, read_checkpoint
from udacisense.models.loading import load_network

NAMES = ",".join(CLASSES)


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
    record = verbs.add(strange, NAMES)
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
    assert verbs.add(strange, str(names)).classes == CLASSES


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (",".join(sorted(CLASSES)), "in another order"),
        ("cat,dog", r"answers 2 classes \(cat, dog\).*stays listed as not described yet"),
        (NAMES.replace("couch", "sofa"), "measures networks of ten classes"),
    ],
    ids=["order", "two", "another name"],
)
def test_other_names_are_not_taken_for_ours(strange: Path, names: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        verbs.add(strange, names)
    assert not read_checkpoint(strange).described


@pytest.mark.parametrize(
    ("network", "message"),
    [(Small(classes=7), "answers 7 classes"), (Alike(), "gives different images the same answer")],
    ids=["seven classes", "all alike"],
)
def test_a_file_that_does_not_answer_so_gets_no_card(strange: Path, network: torch.nn.Module, message: str) -> None:
    save_script(traced(network), strange)
    with pytest.raises(CheckpointError, match=message):
        verbs.add(strange, NAMES)
    assert not strange.with_suffix(".card.json").exists()


def test_a_card_is_never_replaced(strange: Path) -> None:
    verbs.add(strange, NAMES)
    with pytest.raises(CheckpointError, match=r"described already.*remove theirs\.card\.json"):
        verbs.add(strange, NAMES)


@pytest.mark.parametrize("page", ["pages/models.py", "pages/classify.py"])
def test_pickers_mark_it(strange: Path, page: str) -> None:
    at = app(page)
    assert not at.exception
    assert any("theirs" in line and "not described yet" in line for box in at.selectbox for line in box.options)
