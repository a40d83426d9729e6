"""Overview, Models and Convert, and every build page in an empty store and in a seeded one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.driving import APP, app, go, metrics, quick_answers, words
from tests.fakes import fake_checkpoint, fake_format, made
from tests.story import Story
from udacisense import formats
from udacisense.conversion.convert import convert
from udacisense.errors import CheckpointError
from udacisense.records import store
from udacisense.settings import PROJECT
from udacisense.types import ConversionRecipe, FailedConversion, Format
from udacisense.verdict_words import EQUIVALENCE, READINESS
from ui.convert.board import LOOK
from ui.convert.view import CHOSEN

__all__ = ["quick_answers"]

PAGES = ("pages/dataset.py", "pages/models.py", "pages/convert.py")
# --- every page, both stores -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_page_is_useful_with_an_empty_store(sample_home: Path, page: str) -> None:
    at = app(page)
    assert at.title[0].value in ("Dataset", "Models", "Convert")
    assert not at.error
    assert "python -m udacisense" in words(at) or at.metric


@pytest.mark.parametrize("page", PAGES)
def test_page_is_useful_with_a_seeded_store(seeded_home: Story, page: str) -> None:
    at = app(page)
    assert not at.error
    assert at.metric


def test_sidebar_links_to_every_page(sample_home: Path) -> None:
    at = app("pages/models.py")
    linked = {link.proto.page for link in at.sidebar.get("page_link")}
    assert {"dataset", "models", "convert", "verify", "benchmark", "readiness", "classify"} <= linked


# --- overview ----------------------------------------------------------------------------------------------------------


def test_overview_of_an_empty_store_says_what_to_do_first(sample_home: Path) -> None:
    at = app()
    assert "Bring a checkpoint" in words(at)
    assert metrics(at)["Checkpoints"] == "0"
    assert not [b for b in at.button if b.key == "start_run"], "nothing to run without a checkpoint"


def test_overview_lists_devices_versions_and_seed(sample_home: Path) -> None:
    text = words(app())
    assert "cpu, cuda:0 (Test GPU)" in text
    assert "torch 2." in text
    assert "**Seed** 42" in text


def test_overview_of_a_seeded_store_counts_and_judges(seeded_home: Story) -> None:
    at = app()
    assert list(metrics(at).values()) == ["1", "2", "10", "1 of 2", "0 of 2"]
    table = at.dataframe[0].value
    by_id = {row["Id"]: row for row in table.to_dict("records")}
    assert list(by_id[seeded_home.drifting.id]["Readiness"]) == [READINESS["fail"]]
    assert list(by_id[seeded_home.faithful.id]["Equivalence"]) == [EQUIVALENCE["same"]]


def test_overview_names_a_record_that_cannot_be_read(seeded_home: Story) -> None:
    broken = seeded_home.home / "results" / "benchmark" / "broken.json"
    broken.write_text("{", encoding="utf-8")
    at = app()
    assert "broken.json" in words(at)
    assert metrics(at)["Records"] == "10"


# --- models ------------------------------------------------------------------------------------------------------------


def test_models_shows_what_a_checkpoint_is_made_of(seeded_home: Story) -> None:
    at = app("pages/models.py")
    found = metrics(at)
    assert (found["Parameters"], found["Multiply-adds"], found["Sparsity"]) == ("1.53 M", "55.50 M", "12.5 %")
    assert found["Top-1"] == f"{100 * seeded_home.evaluations[0].top1:.1f} %"
    assert any("stands in" in info.value for info in at.info), "the fallback says that it is one"
    at.toggle(key="layers_with_parameters").set_value(False).run()
    assert list(at.dataframe[1].value["Layer"]) == ["a", "b", "c"]


def test_a_file_that_cannot_be_loaded_is_an_error_in_words(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*question: str) -> None:
        raise CheckpointError("model.pth is a pickled module, so it was not opened. Save the weights alone.")

    monkeypatch.setattr("ui.shared.cache.remote_summary", refuse)
    at = app("pages/models.py")
    assert at.error[0].value.startswith("model.pth is a pickled module")
    assert "cannot be loaded" in words(at)


def test_deep_link_picks_and_an_unknown_id_is_told(seeded_home: Story) -> None:
    other = fake_checkpoint(seeded_home.home / "models" / "other" / "model.pth", technique="other", seed=5)
    at = app("pages/models.py", checkpoint=other.id)
    assert at.selectbox(key="pick_checkpoint_models").value == other.id
    assert not at.warning
    at = app("pages/models.py", checkpoint="no-such-id")
    assert "no-such-id" in at.warning[0].value
    assert at.selectbox(key="pick_checkpoint_models").value == seeded_home.checkpoint.id


def test_a_pick_survives_a_page_switch(seeded_home: Story) -> None:
    other = fake_checkpoint(seeded_home.home / "models" / "other" / "model.pth", technique="other", seed=5)
    at = app("pages/models.py")
    at.selectbox(key="pick_checkpoint_models").select(other.id).run()
    go(at, "pages/dataset.py")
    go(at, "pages/convert.py")
    assert at.selectbox(key="pick_checkpoint_convert").value == other.id


def test_quick_training_is_offered_where_there_is_nothing(sample_home: Path) -> None:
    at = app("pages/models.py")
    assert not at.button(key="start_train").disabled


# --- convert -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that the page started."""
    found: list[list[str]] = []
    monkeypatch.setattr("udacisense.jobs.submit", lambda argv, title: found.append(argv))
    return found


def board(at: Any) -> dict[str, str]:
    """Cell -> how it stands."""
    return {b.key.removeprefix("cell_"): b.help for b in at.button if b.key.startswith("cell_")}


def failed(story: Story, created: str = "2026-02-01T00:00:00Z") -> FailedConversion:
    """A conversion to the fake format that went wrong."""
    record = FailedConversion(
        id="failed-fake-int8-1",
        checkpoint_id=story.checkpoint.id,
        format="fake",
        precision="int8",
        recipe="default",
        stage="lowering",
        message="the converter's process was killed by SIGSEGV while lowering",
        log="Fatal Python error: Segmentation fault",
        made=made("python -m udacisense convert x --format fake --precision int8", created),
    )
    store.save(record)
    return record


def test_convert_submits_what_was_picked(seeded_home: Story, fake_formats: dict[str, Format], started: list[list[str]]) -> None:
    at = app("pages/convert.py")
    assert board(at) == {"fake_fp32": LOOK["missing"][0], "fake_int8": LOOK["missing"][0]}
    at.button(key="cell_fake_int8").click().run()
    at.button(key="start_convert").click().run()
    at.button(key="start_convert_all").click().run()
    mine = ["convert", seeded_home.checkpoint.id]
    assert started == [[*mine, "--format", "fake", "--precision", "int8"], [*mine, "--format", "all", "--precision", "all"]]


def test_what_is_there_is_not_converted_again(
    seeded_home: Story, fake_formats: dict[str, Format], started: list[list[str]]
) -> None:
    made_now = [convert(seeded_home.checkpoint, "fake", precision) for precision in ("fp32", "int8")]
    at = app("pages/convert.py", artifact=made_now[1].id)
    assert board(at) == dict.fromkeys(("fake_fp32", "fake_int8"), LOOK["unverified"][0])
    assert not [b for b in at.button if b.key == "start_convert"]
    assert at.button(key="start_convert_all").disabled
    at.button(key="start_verify_all").click().run()
    assert started == [["verify", "all"]]
    older = dataclasses.replace(fake_formats["fake"], runtime_version=lambda: "2.0")
    formats.FORMATS["fake"] = older
    at = app("pages/convert.py", artifact=made_now[1].id)
    assert not at.button(key="start_convert").disabled


def test_one_recipe_can_be_asked_for(
    seeded_home: Story, fake_formats: dict[str, Format], started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = {"int8": (ConversionRecipe("first", "The first."), ConversionRecipe("second", "The second."))}
    monkeypatch.setitem(formats.FORMATS, "fake", fake_format("fake", recipes=recipes))
    at = app("pages/convert.py", format="fake", precision="int8")
    assert "2 recipes" in words(at)
    at.selectbox(key="recipe_fake_int8").select("second").run()
    at.button(key="start_convert_recipe").click().run()
    assert started[0][-2:] == ["--recipe", "second"]


def test_a_format_without_its_tools_keeps_its_row(
    seeded_home: Story, fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = fake_format("coreml", unavailable=lambda capability: "Core ML needs macOS.")
    monkeypatch.setitem(formats.FORMATS, "coreml", missing)
    at = app("pages/convert.py", format="coreml", precision="fp32")
    assert board(at)["coreml_fp32"] == LOOK["unavailable"][0]
    assert "Core ML needs macOS." in words(at)
    assert not [b for b in at.button if b.key == "start_convert"]


def test_a_failed_conversion_says_where_and_why(seeded_home: Story, fake_formats: dict[str, Format]) -> None:
    failed(seeded_home)
    at = app("pages/convert.py", format="fake", precision="int8")
    assert board(at)["fake_int8"] == LOOK["failed"][0]
    assert "killed by SIGSEGV while lowering" in at.error[0].value
    assert "Segmentation fault" in words(at)
    assert "Retry" in at.button(key="start_convert").label
    convert(seeded_home.checkpoint, "fake", "int8")  # now, which is later
    at = app("pages/convert.py", format="fake", precision="int8")
    assert board(at)["fake_int8"] == LOOK["unverified"][0]
    assert not at.error


def test_result_offers_the_file_and_its_story(seeded_home: Story) -> None:
    at = app("pages/convert.py", artifact=seeded_home.faithful.id)
    assert at.button(key="cell_torchscript_fp32").proto.type == "primary"
    assert board(at)["torchscript_fp32"] == EQUIVALENCE["same"]
    assert board(at)["torchscript-lite_fp32"] == EQUIVALENCE["different"]
    assert metrics(at)[CHOSEN["optimiser"]] == "freeze"
    assert seeded_home.faithful.made.command in words(at)
    assert any("XNNPACK" in info.value for info in at.info)
    assert at.get("download_button")


def test_a_link_to_an_artifact_brings_its_checkpoint(seeded_home: Story, fake_formats: dict[str, Format]) -> None:
    other = fake_checkpoint(seeded_home.home / "models" / "other" / "model.pth", technique="other", seed=5)
    artifact = convert(other, "fake", "int8")
    at = app("pages/convert.py", artifact=artifact.id)
    assert at.selectbox(key="pick_checkpoint_convert").value == other.id
    assert at.button(key="cell_fake_int8").proto.type == "primary"
    at.selectbox(key="pick_checkpoint_convert").select(seeded_home.checkpoint.id).run()
    assert board(at)["fake_int8"] == LOOK["missing"][0]
    assert "artifact" not in at.query_params
    at = app("pages/convert.py", artifact="no-such-id")
    assert "no-such-id" in at.warning[0].value


# --- the app's process -------------------------------------------------------------------------------------------------

NO_TORCH = """
import sys
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({app!r}, default_timeout=60).run()
assert not at.exception, at.exception
for page in {pages!r}:
    at.switch_page(page).run()
    assert not at.exception, (page, at.exception)
loaded = [name for name in ("torch", "torchvision", "matplotlib") if name in sys.modules]
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""


def test_the_app_needs_no_torch_to_look(seeded_home: Story) -> None:
    script = NO_TORCH.format(
        app=APP,
        pages=("pages/dataset.py", "pages/models.py", "pages/benchmark.py", "pages/readiness.py", "pages/convert.py"),
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "UDACISENSE_HOME": str(seeded_home.home)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_real_children_answer_and_explain(home: Path) -> None:
    from udacisense.models.checkpoint import read_checkpoint
    from udacisense.models.summary import remote_summary
    from ui.shared import torch_child

    with torch_child.Child(torch_child.COMMAND) as child:  # `ask` itself is replaced in this file
        assert child.ask("devices", timeout_s=120, arguments=())[0]["answer"][0] == "cpu"
    broken = home / "models" / "broken.pth"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match=r"broken\.pth"):
        remote_summary(read_checkpoint(broken))
