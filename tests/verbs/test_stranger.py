"""A network of somebody else, from its file to the verdict: every figure is its own, and no word of another model appears."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.driving import app, metrics, words
from tests.networks import save_script, traced
from udacisense import verbs
from udacisense.errors import FormatError
from udacisense.labels import CLASSES as OURS
from udacisense.models.checkpoint import read_checkpoint
from udacisense.number_format import percent
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint

COLOURS = {
    "amber": (255, 191, 0), "black": (5, 5, 5), "cyan": (0, 255, 255), "green": (0, 160, 0), "pink": (255, 105, 180),
    "violet": (120, 0, 200), "white": (250, 250, 250),
}  # fmt: skip
CLASSES = tuple(sorted(COLOURS, reverse=True))  # no order that anybody would guess
_NAMES = "|".join(name for name in OURS if name != "table")
FOREIGN = re.compile(rf"household|\b224\b|Apache-2\.0|MobileNet|\b({_NAMES})\b", re.IGNORECASE)
"""Words that would be another model's; of its class names but "table", which tables are called too."""


class Colours(torch.nn.Module):
    """Logit of a class: how near the image's mean colour is to that of the class, for images normalised by 0.5."""

    def __init__(self) -> None:
        super().__init__()
        places = torch.tensor([COLOURS[name] for name in CLASSES]) / 255
        self.register_buffer("places", (places - 0.5) / 0.5)
        self.squeeze = torch.nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.squeeze.weight.copy_(torch.eye(3)[:, :, None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        colour = self.squeeze(x).mean(dim=(2, 3))
        return -((colour[:, None] - self.places) ** 2).sum(dim=2) * 4


@pytest.fixture
def images(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Coloured images of seven classes, five a class to train on and two to test."""
    rng, root = np.random.default_rng(1), tmp_path / "colours"
    for split, count in (("train", 5), ("test", 2)):
        for name, colour in COLOURS.items():
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                noise = rng.integers(-20, 20, (120 + i, 100, 3))
                pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{i}.png")
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(root))
    settings.cache_clear()
    return root


@pytest.fixture
def stranger(home: Path, images: Path) -> Checkpoint:
    path = home / "models" / "colours.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_script(traced(Colours(), (96, 96)), path)
    return verbs.add(path, ",".join(CLASSES), input="96", mean="0.5", std="0.5", title="colours")


@pytest.fixture
def artifact(stranger: Checkpoint) -> Artifact:
    return verbs.convert(stranger, "torchscript", "fp32")


def test_its_figures_are_its_own(stranger: Checkpoint, artifact: Artifact, images: Path) -> None:
    assert artifact.spec == stranger.spec
    for subject in (stranger, artifact):
        record = verbs.evaluate(subject)
        assert (record.images, record.top1, record.classes) == (14, 1.0, CLASSES)
        assert record.per_class == (1.0,) * 7
    proof = verbs.verify(artifact)
    assert (proof.verdict, proof.images, proof.classes) == ("same", 14, CLASSES)
    assert proof.accuracy_after == 1.0
    answers = verbs.classify([images / "test" / "cyan" / "0.png"], artifact).images
    assert answers[0].label == "cyan"


def test_it_is_judged_without_our_baseline(stranger: Checkpoint, artifact: Artifact) -> None:
    verbs.evaluate(stranger)
    verbs.verify(artifact)
    (judged,) = verbs.ready(artifact).readiness
    assert judged.baseline_id is None
    by_rule = {verdict.rule: verdict.status for verdict in judged.verdicts}
    assert {status for rule, status in by_rule.items() if "baseline" in rule} == {"unknown"}


def _top1(checkpoint: Checkpoint) -> str:
    """The accuracy that the Models page shows."""
    at = app("pages/models.py", checkpoint=checkpoint.id)
    assert not at.exception
    return str(next(metric.value for metric in at.metric if metric.label == "Top-1"))


def test_the_same_file_described_otherwise_keeps_no_old_figure(stranger: Checkpoint) -> None:
    before = verbs.evaluate(stranger)
    assert _top1(stranger) == percent(before.top1)
    stranger.path.with_suffix(".card.json").unlink()
    assert _top1(read_checkpoint(stranger.path)) == "–"
    swapped = (CLASSES[1], CLASSES[0], *CLASSES[2:])
    again = verbs.add(stranger.path, ",".join(swapped), input="96", mean="0.5", std="0.5")
    after = verbs.evaluate(again)
    assert after.id != before.id
    assert after.top1 == pytest.approx(10 / 14)
    assert after.classes == swapped
    assert any("wrong order" in warning for warning in after.warnings)


def _said(stranger: Checkpoint, artifact: Artifact, home: Path) -> Iterator[tuple[str, str]]:
    verbs.evaluate(stranger)
    verbs.verify(artifact)
    verbs.ready(artifact)
    yield "card", verbs.card(stranger).path.read_text(encoding="utf-8")
    yield "report", verbs.report(artifact)
    folder = verbs.package(artifact, home / "packed").path
    for name in ("README.md", "labels.txt", "preprocessing.json", "golden/golden.json", "REPORT.md", "metrics.json"):
        yield name, (folder / name).read_text(encoding="utf-8")
    for page in ("models", "convert", "verify", "readiness", "classify"):
        at = app(f"pages/{page}.py", checkpoint=stranger.id, artifact=artifact.id)
        assert not at.exception
        tables = [table.value.to_string() for table in at.dataframe]
        yield page, "\n".join([words(at), *metrics(at), *metrics(at).values(), *tables])


def test_no_word_of_another_model_is_said_of_it(stranger: Checkpoint, artifact: Artifact, home: Path) -> None:
    for place, text in _said(stranger, artifact, home):
        found = [text[max(m.start() - 80, 0) : m.end() + 40] for m in FOREIGN.finditer(text)]
        assert not found, (place, found[:5])


def test_it_is_read_back_as_it_was_described(stranger: Checkpoint) -> None:
    assert read_checkpoint(stranger.path).spec == stranger.spec


def test_the_dataset_page_and_its_verb_know_the_folders_own_classes(images: Path) -> None:
    told = verbs.data_info("folder")
    assert told.health.classes == tuple(sorted(COLOURS))
    assert told.health.counts["test"] == dict.fromkeys(sorted(COLOURS), 2)
    assert not told.health.wrong_classes
    for tab in ("Images", "Balance", "Health"):
        at = app("pages/dataset.py")
        at.session_state["dataset_tab"] = tab
        at.run()
        assert not at.exception
        assert "wardrobe" not in words(at)


def test_the_golden_images_in_its_package_have_none_of_its_names(artifact: Artifact, home: Path) -> None:
    folder = verbs.package(artifact, home / "packed").path
    told = json.loads((folder / "golden" / "golden.json").read_text(encoding="utf-8"))
    assert {image["label"] for image in told["pictures"]} == {None}
    assert all((folder / "golden" / image["file"]).is_file() for image in told["pictures"])


def test_a_model_that_crops_gets_no_package_whose_code_squeezes(home: Path, images: Path) -> None:
    path = home / "models" / "cropped.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_script(traced(Colours(), (96, 96)), path)
    found = verbs.add(path, ",".join(CLASSES), input="96", mean="0.5", std="0.5", crop_pct=0.875)
    with pytest.raises(FormatError, match="the middle, and the code for apps squeezes"):
        verbs.package(verbs.convert(found, "torchscript"), home / "packed")
