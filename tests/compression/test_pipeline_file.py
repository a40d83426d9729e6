"""A pipeline's file: every mistake is one clear message before any work starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import torch

from tests.networks import save_script, saved, traced
from udacisense.compression.pipeline_file import load_pipeline, pipeline_names, plan
from udacisense.compression.step import Step
from udacisense.errors import CheckpointError, NotFoundError, RecipeError, UnsafeFileError
from udacisense.models.architectures import network_of
from udacisense.models.checkpoint import described_as, read_checkpoint
from udacisense.models.summary import describe
from udacisense.models.writing import write_card
from udacisense.settings import PROJECT
from udacisense.types import ModelSpec

PRUNE = '[[step]]\nname = "prune"\ntechnique = "prune-weights"\nsparsity = 0.5\n'
FOLD = '[[step]]\nname = "fold"\ntechnique = "fold-batch-norm"\n'
DYNAMIC = '[[step]]\nname = "dynamic"\ntechnique = "quantise-dynamic"\n'
BASELINE = Path("models", "baseline_mobilenet", "checkpoints", "model.pth")


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["pipeline_03", "single_techniques"])
def test_the_projects_own_pipelines_are_valid(name: str) -> None:
    found = load_pipeline(name)
    assert found.name == name
    assert name in pipeline_names()


def test_singles_is_short_for_the_single_techniques() -> None:
    assert load_pipeline("singles") == load_pipeline("single_techniques")
    assert load_pipeline("singles").mode == "singles"


def test_pipeline_03_goes_to_the_courses_place() -> None:
    assert load_pipeline("pipeline_03").final == "pipeline_03/final_compressed_model.pth"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modes = 'chain'\n" + PRUNE, r"mine.toml is not a pipeline: modes: there is no such key"),
        (PRUNE + "sparsness = 0.5\n", r"step 'prune' / prune-weights / sparsness: there is no such key"),
        ('[[step]]\nname = "x"\ntechnique = "magic"\n', r"step 'x': .*'prune-channels'.*"),
        ("mode = 'chain'\n", r"step: Field required"),
        (PRUNE + PRUNE, r"two steps are called 'prune'"),
        (DYNAMIC + FOLD, r"step 'dynamic' gives a TorchScript file, which no step can work on: put it last"),
        ("mode = 'singles'\nfinal = 'a/b.pth'\n" + FOLD, r"single techniques have no final file"),
        ("final = '../b.pth'\n" + FOLD, r"final: name a \.pth or \.pt file below models/"),
        ("name = 'a/b'\n" + FOLD, r"name: "),
        ("name = \n" + FOLD, r"mine\.toml is not a TOML file"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_step_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_pipeline(written(tmp_path, text))


def test_a_pipeline_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(RecipeError, match=r"no pipeline 'x'.*Pipelines here: .*pipeline_03"):
        load_pipeline("x")


def test_torchscript_may_come_last_and_in_singles(tmp_path: Path) -> None:
    assert len(load_pipeline(written(tmp_path, FOLD + DYNAMIC)).step) == 2
    assert len(load_pipeline(written(tmp_path, "mode = 'singles'\n" + DYNAMIC + FOLD)).step) == 2


# --- files that it names -------------------------------------------------------------------------------------------------


def test_a_missing_start_says_how_to_get_one(home: Path) -> None:
    pipeline = load_pipeline(written(home, FOLD))
    with pytest.raises(NotFoundError, match=r"start is missing: .*model\.pth.*udacisense train"):
        plan(pipeline)


def test_a_teacher_with_other_classes_is_refused(home: Path) -> None:
    saved(home / BASELINE)
    weights = torch.load(home / BASELINE, weights_only=True)
    weights["model.classifier.3.weight"] = torch.zeros(100, 1024)
    weights["model.classifier.3.bias"] = torch.zeros(100)
    torch.save(weights, home / "teacher.pth")
    pipeline = load_pipeline(written(home, f"teacher = '{home / 'teacher.pth'}'\n" + FOLD))
    with pytest.raises(CheckpointError, match=r"teacher cannot be used: teacher\.pth is not described yet"):
        plan(pipeline)


def test_a_start_that_cannot_be_compressed_is_refused(home: Path) -> None:
    save_script(traced(), home / "whole.pt")
    with pytest.raises(CheckpointError, match=r"start cannot be used: whole\.pt is TorchScript"):
        plan(load_pipeline(written(home, f"start = '{home / 'whole.pt'}'\n" + FOLD)))
    torch.save(torch.nn.Linear(2, 2), home / "pickled.pth")
    with pytest.raises(UnsafeFileError, match="start cannot be used"):
        plan(load_pipeline(written(home, f"start = '{home / 'pickled.pth'}'\n" + FOLD)))


def test_a_start_of_another_architecture_is_refused_before_any_work(home: Path) -> None:
    path = home / "theirs.pth"
    spec = ModelSpec("torchvision:shufflenet_v2_x0_5", ("bed", "chair"))
    torch.save(network_of("theirs", spec, {})[0].state_dict(), path)
    write_card(described_as(read_checkpoint(path), spec), describe(network_of("theirs", spec, {})[0], path.stat().st_size))
    with pytest.raises(CheckpointError, match=r"start cannot be used: Compression takes .* This one is torchvision:shuffle"):
        plan(load_pipeline(written(home, f"start = '{path}'\n" + FOLD)))


def test_a_final_file_of_somebody_else_is_not_replaced(home: Path) -> None:
    saved(home / BASELINE)
    theirs = saved(home / "models" / "mine" / "final.pth", "of a course")
    pipeline = load_pipeline(written(home, "final = 'mine/final.pth'\n" + FOLD))
    with pytest.raises(RecipeError, match=r"was not made by the pipeline mine, so it is not replaced"):
        plan(pipeline)
    assert theirs.path.is_file()


def test_every_key_of_the_pipelines_is_explained() -> None:
    from udacisense.compression.pipeline_file import Pipeline

    text = (PROJECT / "docs" / "compression.md").read_text(encoding="utf-8")
    assert [key for key in Pipeline.model_fields if f"`{key}`" not in text] == []


def test_the_documents_example_is_a_pipeline(tmp_path: Path) -> None:
    text = (PROJECT / "docs" / "compression.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert [step.technique for step in load_pipeline(written(tmp_path, example)).step] == ["prune-channels", "fold-batch-norm"]


def test_every_technique_is_explained_and_compared() -> None:
    union, _ = get_args(Step)
    techniques = {get_args(kind.model_fields["technique"].annotation)[0] for kind in get_args(union)}
    text = (PROJECT / "docs" / "compression.md").read_text(encoding="utf-8")
    assert [name for name in sorted(techniques) if f"| `{name}` |" not in text] == []
    assert {step.technique for step in load_pipeline("singles").step} == techniques
