"""The ladder: the first recipe that passes is kept, a recipe that fails is a row, and the best stays where none passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import convert_in_this_process, fake_checkpoint, fake_format, write_fake
from udacisense import formats
from udacisense.artifacts import find_artifact
from udacisense.conversion.convert import artifact_id, convert
from udacisense.conversion.recipe_search import Measured, best, failed_rung, judge_rung
from udacisense.errors import ExportError, RecipeError
from udacisense.types import Artifact, Checkpoint, Conversion, ConversionRecipe, Exported


@pytest.fixture
def checkpoint(sample_home: Path) -> Checkpoint:
    return fake_checkpoint(sample_home / "models" / "m.pth")


def export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    options: Any = asked.recipe.options
    if options.get("broken"):
        raise ValueError("cannot lower")
    write_fake(out, shift=options.get("shift", 0.0))
    hashes = asked.image_set(options["images"]).hashes if "images" in options else ()
    return Exported({"images": list(hashes)})


def offer(monkeypatch: pytest.MonkeyPatch, *recipes: ConversionRecipe) -> None:
    fake = fake_format("fake", export=export, recipes={"int8": recipes})
    monkeypatch.setattr(formats, "FORMATS", {"torch": fake_format("torch"), "fake": fake})
    convert_in_this_process(monkeypatch)


def climbed(made: Artifact) -> list[tuple[str, bool]]:
    return [(trial.recipe, trial.passed) for trial in made.recipe_trials]


FAR, NEAR, SAME = (
    ConversionRecipe("far", "", {"shift": 3.0}),
    ConversionRecipe("near", "", {"shift": 0.3}),
    ConversionRecipe("same", "", {"shift": 0.0}),
)
BROKEN = ConversionRecipe("broken", "", {"broken": True})


def test_it_stops_at_the_first_that_passes(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, FAR, BROKEN, SAME, NEAR)
    made = convert(checkpoint, "fake", "int8")
    assert climbed(made) == [("far", False), ("broken", False), ("same", True)]
    far, broken, same = made.recipe_trials
    assert far.agreement is not None
    assert far.agreement < 0.96
    assert "96.0 % is needed" in far.reason
    assert broken.size_bytes is None
    assert "cannot lower" in broken.reason
    assert same.agreement == 1.0
    assert made.recipe["recipe"] == "same"
    assert find_artifact(made.id) == made
    assert sorted(p.name for p in made.path.parent.iterdir()) == ["artifact.json", "golden.npz", "labels.txt", "model.fake"]
    assert convert(checkpoint, "fake", "int8") == made


def test_where_none_passes_the_one_that_agrees_most_is_kept_and_says_so(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, FAR, ConversionRecipe("less far", "", {"shift": 2.0}))
    made = convert(checkpoint, "fake", "int8")
    agreements = {trial.recipe: trial.agreement for trial in made.recipe_trials}
    assert made.recipe["recipe"] == max(agreements, key=lambda name: agreements[name] or 0.0)
    assert any("None of the 2 int8 recipes passed" in warning for warning in made.warnings)


def test_where_every_recipe_fails_nothing_is_kept(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, BROKEN, ConversionRecipe("broken too", "", {"broken": True}))
    with pytest.raises(ExportError, match=r"broken: .*cannot lower.*"):
        convert(checkpoint, "fake", "int8")


def test_one_recipe_can_be_asked_for_by_name(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, FAR, SAME)
    made = convert(checkpoint, "fake", "int8", "far")
    assert made.recipe_trials == ()
    assert made.id != artifact_id(checkpoint, formats.FORMATS["fake"], "int8")
    assert made.made.command.endswith("--precision int8 --recipe far")
    with pytest.raises(RecipeError, match="Choose one of: far, same"):
        convert(checkpoint, "fake", "int8", "nope")


def test_the_calibration_images_are_named_and_a_sample_is_no_evidence(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, ConversionRecipe("calibrated", "", {"images": 20}, calibrated=True))
    made = convert(checkpoint, "fake", "int8")
    assert len(set(made.recipe["images"])) == 20  # type: ignore[call-overload]
    assert any("sample pack" in warning for warning in made.warnings)


def measured(agreement: float, top1: float, checkpoint: float = 0.8) -> Measured:
    return Measured(500, agreement, top1, checkpoint, 0.001, 0.002)


@pytest.mark.parametrize(
    ("agreement", "top1", "passed"),
    [(0.96, 0.8, True), (0.959, 0.8, False), (0.99, 0.791, True), (0.99, 0.78, False), (1.0, 0.9, True)],
)
def test_a_rung_passes_by_agreement_and_accuracy(agreement: float, top1: float, passed: bool) -> None:
    trial = judge_rung(SAME, 10, measured(agreement, top1))
    assert trial.passed is passed
    assert trial.reason


def test_the_best_rung() -> None:
    poor, fair = judge_rung(FAR, 1, measured(0.5, 0.4)), judge_rung(NEAR, 1, measured(0.9, 0.7))
    good, none = judge_rung(SAME, 1, measured(0.97, 0.8)), failed_rung(BROKEN, "why")
    assert best([poor, fair, good]) == 2
    assert best([none, fair, poor]) == 1
    assert best([none]) is None
