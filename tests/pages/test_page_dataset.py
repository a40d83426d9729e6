"""Dataset: filters, tabs, unreadable files and missing folders, driven through the app's own front door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.driving import app, metrics, quick_answers, words
from udacisense.labels import CLASSES
from udacisense.settings import settings

__all__ = ["quick_answers"]


def test_dataset_says_that_the_sample_is_a_sample(sample_home: Path) -> None:
    at = app("pages/dataset.py")
    assert any("sample pack" in warning.value and "not on the real test set" in warning.value for warning in at.warning)
    assert "8e2bf2c2a46ee6ea" in words(at), "the dataset id, which every record names too"


def test_class_filter_leaves_only_that_class(sample_home: Path) -> None:
    at = app("pages/dataset.py")
    everything = len(at.selectbox(key="image").options)
    at.button_group(key="classes").set_value(["lamp"]).run()
    options = at.selectbox(key="image").options
    assert 0 < len(options) < everything
    assert all(option.startswith("lamp") for option in options)


def test_model_input_view_draws_as_many_images(sample_home: Path) -> None:
    at = app("pages/dataset.py")
    before = len(at.get("image"))
    at.button_group(key="image_view").set_value("Model input").run()
    assert not at.exception
    assert len(at.get("image")) == before > 10


@pytest.mark.parametrize(
    ("tab", "wanted"), [("Balance", "Every class has"), ("Health", "readable"), ("Get images", "CIFAR-100")]
)
def test_each_tab_of_the_dataset(sample_home: Path, tab: str, wanted: str) -> None:
    at = app("pages/dataset.py")
    at.session_state["dataset_tab"] = tab
    at.run()
    assert not at.exception
    assert wanted in words(at)


def test_download_is_never_started_unasked(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr("udacisense.jobs.submit", lambda argv, title: started.append(argv))
    at = app("pages/dataset.py")
    at.session_state["dataset_tab"] = "Get images"
    at.run()
    assert at.button(key="start_download").disabled
    at.checkbox(key="download_sure").check().run()
    assert not started
    at.button(key="start_download").click().run()
    assert started == [["data", "--download"]]


def folder_of_images(root: Path, names: tuple[str, ...] = CLASSES) -> Path:
    for k, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for i in range(6):
            Image.new("RGB", (40, 30), (20 * k, 40 * i, 99)).save(root / name / f"{i}.png")
    return root


def use_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(root))
    settings.cache_clear()


def test_text_file_named_png_is_counted_not_fatal(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder_of_images(tmp_path / "images")
    (root / "lamp" / "notes.png").write_text("not an image")
    use_folder(root, monkeypatch)
    at = app("pages/dataset.py")
    assert metrics(at)["Skipped files"] == "1"
    at.session_state["dataset_tab"] = "Health"
    at.run()
    assert metrics(at)["Files not read"] == "1"
    assert at.warning


def test_missing_folder_is_an_error_in_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_folder(home / "nowhere", monkeypatch)
    at = app("pages/dataset.py")
    assert "nowhere" in at.error[0].value
    assert "UDACISENSE_DATA_DIR" in words(at), "the way to images is still on the page"


def test_new_images_are_seen_without_a_restart(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder_of_images(tmp_path / "images")
    use_folder(root, monkeypatch)
    at = app("pages/dataset.py")
    before = len(at.selectbox(key="image").options)
    for i in range(6, 18):
        Image.new("RGB", (40, 30), (200, 10 * i, 7)).save(root / "lamp" / f"{i}.png")
    at.run()
    assert len(at.selectbox(key="image").options) > before
