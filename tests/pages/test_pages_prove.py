"""Verify, Benchmark, Readiness and Classify, in an empty store and in a seeded one, through the app's own front door."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.data import hostile
from tests.fakes import fake_format, run_in_this_process
from tests.story import Story, tell
from udacisense import formats, verdict_words
from udacisense.data.sources import load_dataset
from udacisense.errors import RecipeError
from udacisense.jobs import Job
from udacisense.labels import CLASSES
from udacisense.records import store
from udacisense.settings import PROJECT, settings
from udacisense.types import Flip, Unfinished
from udacisense.verdict_words import EQUIVALENCE, RULE
from udacisense.verify import reason_of

APP = str(PROJECT / "app.py")
VERIFY, BENCHMARK, READINESS, CLASSIFY = (f"pages/{name}.py" for name in ("verify", "benchmark", "readiness", "classify"))
PAGES = (VERIFY, BENCHMARK, READINESS, CLASSIFY)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fake formats, so no torch; empty caches before and after; no child process of the Overview."""
    st.cache_data.clear()
    st.cache_resource.clear()
    fakes = {name: fake_format(name) for name in ("torch", "torchscript", "torchscript-lite")}
    monkeypatch.setattr(formats, "FORMATS", fakes)
    run_in_this_process(monkeypatch)
    monkeypatch.setattr("ui.overview.machine.devices_to_come", lambda: SimpleNamespace(done=lambda: True))
    monkeypatch.setattr("ui.overview.machine.devices", lambda: (("cpu",), None))
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def sample_story(sample_home: Path) -> Story:
    """The story with every figure resting on the sample pack."""
    return tell(sample_home, source="sample")


def open_page(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=60).run()
    at.switch_page(page)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    kinds = (at.title, at.markdown, at.caption, at.warning, at.info, at.error, at.header, at.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}


def chart_specs(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def look_at(at: AppTest, view: str) -> AppTest:
    at.segmented_control(key="bench_view").set_value(view).run()
    assert not at.exception
    return at


# --- every page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_page_of_an_empty_store_says_what_to_do(sample_home: Path, page: str) -> None:
    at = open_page(page)
    assert not at.error
    assert "python -m udacisense" in words(at)
    assert not at.get("plotly_chart")
    links = {link.proto.page for link in at.main.get("page_link")}
    assert links & {"convert", "models"}


@pytest.mark.parametrize("page", PAGES)
def test_page_of_a_seeded_store_has_no_error(seeded_home: Story, page: str) -> None:
    assert not open_page(page).error


@pytest.mark.parametrize("page", [VERIFY, BENCHMARK, READINESS])
def test_every_chart_has_a_reading_and_a_csv(seeded_home: Story, page: str) -> None:
    at = open_page(page)
    if page == VERIFY:
        at.segmented_control(key="verify_view").set_value("Differences").run()
    charts = at.get("plotly_chart")
    assert charts
    for chart in charts:
        assert chart.proto.alt.strip().endswith(".")
    assert len(at.get("download_button")) >= len(charts)


def test_a_link_opens_the_artifact_that_it_names(seeded_home: Story) -> None:
    for page in (VERIFY, READINESS):
        at = open_page(page, artifact=seeded_home.faithful.id)
        assert at.selectbox[0].value == seeded_home.faithful.id


def test_a_page_stays_short_and_imports_little() -> None:
    for page in PAGES:
        text = (PROJECT / page).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 80
        for node in ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= {"streamlit", "ui", "udacisense"}


@pytest.mark.parametrize("page", [VERIFY, BENCHMARK, READINESS])
def test_a_record_that_cannot_be_read_is_named(seeded_home: Story, page: str) -> None:
    kind = "verification" if page == VERIFY else "benchmark"
    (seeded_home.home / "results" / kind / "broken.json").write_text("{", encoding="utf-8")
    at = open_page(page)
    assert "broken.json" in words(at)
    assert not at.error


def test_the_app_opens_them_without_torch(tmp_path: Path) -> None:
    """Benchmark, Readiness and Verify only read records; the process that serves them stays small."""
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(PROJECT)!r})
from tests.story import tell
tell(Path({str(tmp_path)!r}))
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({APP!r}, default_timeout=120).run()
for page in {PAGES[:3]!r}:
    at.switch_page(page).run()
    assert not at.exception, at.exception
assert not [m for m in sys.modules if m == "torch" or m.startswith("torchvision")], "torch"
"""
    environment = {**os.environ, "UDACISENSE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]


# --- verify ------------------------------------------------------------------------------------------------------------


def test_verify_passes_a_faithful_file(seeded_home: Story) -> None:
    at = open_page(VERIFY, artifact=seeded_home.faithful.id)
    text = words(at)
    assert "200 of 200 images" in text
    assert reason_of(seeded_home.verifications[0], seeded_home.faithful.precision) in text
    assert metrics(at)["Agreement"] == "100.0 %"
    assert metrics(at)["Changed answers"] == "0"
    assert metrics(at)["PSNR"] == "identical"
    assert EQUIVALENCE["same"] in badges(at)


def badges(at: AppTest) -> set[str]:
    """The texts of the badges, which Streamlit draws as Markdown."""
    return {
        word for word in (*RULE.values(), *verdict_words.READINESS.values(), *EQUIVALENCE.values()) if f": {word}]" in words(at)
    }


def test_verify_fails_a_drifting_file_and_lists_what_changed(seeded_home: Story) -> None:
    at = open_page(VERIFY, artifact=seeded_home.drifting.id)
    record = seeded_home.verifications[1]
    assert EQUIVALENCE["different"] in badges(at)
    assert f"{len(record.flips)} answers changed" in words(at)
    assert "table names them" in words(at), "the story's images are not on disk"
    shown = at.dataframe[0].value
    assert list(shown["margin"]) == sorted((f.margin for f in record.flips), reverse=True)
    at.segmented_control(key="verify_view").set_value("Differences").run()
    assert list(at.dataframe[0].value["largest_difference"])[-1] == record.max_abs_diff


def test_verify_shows_the_images_that_changed(sample_story: Story) -> None:
    data = load_dataset("test", "sample")
    old = sample_story.verifications[1]
    flips = tuple(Flip(data.hashes[i], int(data.labels[i]), 0, 1, 0.5) for i in range(2))
    newer = replace(old.made, created="2027-01-01T00:00:00Z")
    store.save(replace(old, id="verify-newer", data=data.ref, images=len(data), flips=flips, made=newer))
    at = open_page(VERIFY, artifact=sample_story.drifting.id)
    assert len(at.image) == 2
    assert f"{CLASSES[0]} → {CLASSES[1]}" in words(at)
    assert "sample pack" in words(at)


def test_verify_opens_an_older_record(seeded_home: Story) -> None:
    old = seeded_home.verifications[0]
    store.save(replace(old, id="later", made=replace(old.made, created="2027-01-01T00:00:00Z"), max_abs_diff=9.87))
    at = open_page(VERIFY, artifact=seeded_home.faithful.id)
    assert "9.87" not in words(at), "its reason is not the verdict's"
    assert at.selectbox(key="pick_verification").value == "later"
    at.selectbox(key="pick_verification").set_value(old.id).run()
    assert reason_of(old, seeded_home.faithful.precision) in words(at)


def test_verify_says_so_where_nobody_verified(seeded_home: Story) -> None:
    for path in (seeded_home.home / "results" / "verification").glob("*.json"):
        path.unlink()
    at = open_page(VERIFY, artifact=seeded_home.faithful.id)
    assert f"python -m udacisense verify {seeded_home.faithful.id}" in words(at)
    assert not at.get("plotly_chart")


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the buttons submit, instead of running them."""
    found: list[list[str]] = []

    def submit(argv: list[str], title: str) -> Job | None:
        found.append(list(argv))
        return None

    monkeypatch.setattr("udacisense.jobs.submit", submit)
    return found


def test_verify_starts_a_job(seeded_home: Story, submitted: list[list[str]]) -> None:
    at = open_page(VERIFY, artifact=seeded_home.faithful.id)
    at.button(key="start_verify").click().run()
    assert submitted == [["verify", seeded_home.faithful.id]]


# --- benchmark ---------------------------------------------------------------------------------------------------------


def test_benchmark_compares_the_subjects_of_a_run(seeded_home: Story) -> None:
    shown = open_page(BENCHMARK).dataframe[0].value
    assert list(shown["subject"]) == ["PyTorch (baseline)", "TorchScript fp32 (baseline)", "TorchScript Lite fp32 (baseline)"]
    steady = np.array(seeded_home.benchmarks[1].steady_s) * 1000
    assert shown["p95_ms"][1] == pytest.approx(np.percentile(steady, 95))
    assert shown["top1_percent"][0] == pytest.approx(seeded_home.evaluations[0].top1 * 100)


def test_benchmark_views_hold_their_charts(seeded_home: Story) -> None:
    at = open_page(BENCHMARK)
    counts = {"Latency": 2, "Start-up": 1, "Size and memory": 2, "Accuracy": 3}
    assert {view: len(look_at(at, view).get("plotly_chart")) for view in counts} == counts


def test_benchmark_shows_one_run_at_a_time(seeded_home: Story) -> None:
    old = seeded_home.benchmarks[0]
    store.save(replace(old, id="alone", run_id="run-later", made=replace(old.made, created="2027-01-01T00:00:00Z")))
    at = open_page(BENCHMARK)
    assert len(at.dataframe[0].value) == 3, "the newest run that timed a phone file stands first"
    at.selectbox(key="bench_run").set_value("run-later").run()
    assert list(at.dataframe[0].value["subject"]) == ["PyTorch (baseline)"]


def test_benchmark_tells_the_warnings_of_a_run_once_with_their_model(seeded_home: Story) -> None:
    for number, old in enumerate(seeded_home.benchmarks):
        said = ("Close other programs.", *(("Far off.",) if number == 1 else ()))
        made = replace(old.made, created="2027-01-01T00:00:00Z")
        store.save(replace(old, id=f"later-{number}", run_id="run-later", warnings=said, made=made))
    grade, box = open_page(BENCHMARK).warning
    assert "Quality D" in grade.value, "four blocks of an older record decide nothing"
    assert box.value.count("Close other programs.") == 1
    assert "**TorchScript fp32 (baseline):** Far off." in box.value


def test_benchmark_without_runs_shows_sizes_and_says_how_to_time(seeded_home: Story) -> None:
    for path in (seeded_home.home / "results" / "benchmark").glob("*.json"):
        path.unlink()
    at = open_page(BENCHMARK)
    assert len(at.dataframe[0].value) == 3
    assert at.dataframe[0].value["p50_ms"].isna().all()
    assert "python -m udacisense benchmark" in words(at)


def test_benchmark_tells_of_a_run_that_was_cut_short_and_uses_none_of_it(seeded_home: Story) -> None:
    made = replace(seeded_home.benchmarks[0].made, created="2027-01-01T00:00:00Z")
    one = seeded_home.faithful
    left = Unfinished(
        "unfinished-x", "run-x", one.id, one.sha256, 1, 1, 0, 10, ((0.001,), (0.001,)), (2,), "It was killed.", made
    )
    store.save(left)
    at = open_page(BENCHMARK)
    assert "1 measurement of 1 run did not end" in words(at)
    (row,) = at.dataframe[0].value.to_dict("records")
    assert (row["starts"], row["runs"], row["why"]) == ("1 of 10", 2, "It was killed.")
    assert at.dataframe[1].value["p50_ms"][1] > 1, "the table of the whole run has no time of it"


def test_benchmark_starts_a_run_of_what_was_chosen(seeded_home: Story, submitted: list[list[str]]) -> None:
    at = open_page(BENCHMARK)
    at.pills(key="bench_subjects").set_value([seeded_home.drifting.id]).run()
    at.segmented_control(key="bench_protocol").set_value("quick").run()
    at.button(key="start_benchmark").click().run()
    assert submitted == [["benchmark", seeded_home.drifting.id, "--protocol", "quick"]]


def test_benchmark_offers_to_evaluate_what_has_no_accuracy(seeded_home: Story, submitted: list[list[str]]) -> None:
    record = seeded_home.evaluations[1]
    (seeded_home.home / "results" / "evaluation" / f"{record.id}.json").unlink()
    at = look_at(open_page(BENCHMARK), "Accuracy")
    at.button(key=f"start_evaluate_{seeded_home.faithful.id}").click().run()
    assert submitted == [["evaluate", seeded_home.faithful.id]]


def test_benchmark_says_that_accuracy_rests_on_the_sample(sample_story: Story) -> None:
    at = open_page(BENCHMARK)
    assert "rendered sample" in words(at), "beside the table of everything too"
    look_at(at, "Accuracy")
    assert "sample pack" in words(at)


# --- readiness ---------------------------------------------------------------------------------------------------------


def test_readiness_judges_and_says_why(seeded_home: Story) -> None:
    at = open_page(READINESS, artifact=seeded_home.drifting.id)
    text = words(at)
    assert verdict_words.READINESS["fail"] in badges(at)
    assert "At least 30 % smaller than the baseline" in text
    assert "7 rules" in text
    assert RULE["fail"] in badges(at)


def test_readiness_of_what_nobody_measured_is_unknown_never_green(seeded_home: Story) -> None:
    for path in (seeded_home.home / "results").rglob("*.json"):
        path.unlink()
    at = open_page(READINESS, artifact=seeded_home.drifting.id)
    for spec in chart_specs(at):
        values = spec["data"][0]["y"]
        notes = [note["text"] for note in spec["layout"].get("annotations", [])]
        assert "none" in notes, "there is no optimized checkpoint"
        if "MB" not in spec["layout"]["yaxis"]["title"]["text"]:
            assert not any(isinstance(v, float) for v in values)
            assert notes.count("not<br>measured") == 2
    links = {link.proto.page for link in at.main.get("page_link")}
    assert {"verify", "benchmark"} <= links


def test_readiness_saves_a_record_once(seeded_home: Story) -> None:
    folder = seeded_home.home / "results" / "readiness"
    before = len(list(folder.glob("*.json")))
    at = open_page(READINESS, artifact=seeded_home.drifting.id)
    assert len(list(folder.glob("*.json"))) == before, "looking saves nothing"
    button = next(b for b in at.button if b.label == "Save verdict")
    button.click().run()
    assert not at.exception
    assert len(list(folder.glob("*.json"))) == before + 1
    at.run()
    assert next(b for b in at.button if b.label == "Save verdict").disabled
    assert "Saved as" in words(at)


def test_readiness_offers_the_report(seeded_home: Story) -> None:
    labels = {button.proto.label for button in open_page(READINESS).get("download_button")}
    assert all(any(kind in label for label in labels) for kind in ("HTML", "Markdown"))


def test_readiness_names_a_mistake_in_the_rules(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RecipeError("readiness.toml: limit: not a number. Give it one.")

    monkeypatch.setattr("udacisense.readiness.judge.judge", broken)
    at = open_page(READINESS)
    assert at.error[0].value == "readiness.toml: limit: not a number. Give it one."


def test_readiness_on_the_sample_sends_to_real_images(sample_story: Story) -> None:
    at = open_page(READINESS)
    assert "sample pack" in words(at)
    assert "dataset" in {link.proto.page for link in at.main.get("page_link")}


# --- classify ----------------------------------------------------------------------------------------------------------


def image(kind: str = "PNG", size: tuple[int, int] = (60, 40), **save: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind, **save)
    return out.getvalue()


def answers(at: AppTest) -> list[dict[str, Any]]:
    """The charts of the answers: names and percents."""
    return [{"names": s["data"][0]["y"], "shares": decode(s["data"][0]["x"])} for s in chart_specs(at)]


def decode(values: Any) -> list[float]:
    """Plotly's JSON of numbers, which may be packed."""
    if isinstance(values, dict):
        import base64

        return list(np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"])))
    return list(values)


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.segmented_control(key="from").set_value("upload").run()
    box = at.file_uploader(key="uploads")
    for name, raw in files:
        box.upload(name, raw, "image/png")
    at.run()
    assert not at.exception
    return at


def test_classify_answers_a_sample_at_one_click(sample_story: Story) -> None:
    at = open_page(CLASSIFY)
    assert not at.get("plotly_chart")
    at.button(key="sample_lamp").click().run()
    assert at.button(key="sample_lamp").proto.type == "secondary", "the chosen one is marked"
    assert at.button(key="sample_bed").proto.type == "tertiary"
    (found,) = answers(at)
    assert len(found["names"]) == 5
    assert found["shares"] == sorted(found["shares"], reverse=True)
    assert sum(found["shares"]) <= 100.0001
    assert "True class: **lamp**" in words(at)
    assert "inference **" in words(at)


def test_classify_has_a_button_for_each_class(sample_story: Story) -> None:
    at = open_page(CLASSIFY)
    assert {b.key for b in at.button} >= {f"sample_{name}" for name in CLASSES}
    assert not {b.label for b in at.button} & set(CLASSES), "the label does not give the answer away"
    before = [image.proto.imgs[0].url for image in at.image]
    at.button(key="sample_other").click().run()
    assert [image.proto.imgs[0].url for image in at.image] != before


def test_classify_answers_many_uploads_and_names_the_bad_ones(sample_story: Story) -> None:
    huge = hostile.png(8000, 8000)
    bad = [("notes.png", b"this is text"), ("empty.jpg", b""), ("half.png", image()[:200]), ("huge.png", huge)]
    at = upload(open_page(CLASSIFY), ("a.png", image()), *bad, ("b.jpg", image("JPEG")))
    assert len(at.error) == 4
    for (name, _), box in zip(bad, at.error, strict=True):
        assert box.value.startswith(name)
    assert "64.0 million pixels" in at.error[3].value
    assert list(at.dataframe[0].value["image"]) == ["a.png", "b.jpg"]
    assert len(answers(at)) == 2


def test_classify_turns_an_image_upright(sample_story: Story) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    at = upload(open_page(CLASSIFY), ("phone.jpg", image("JPEG", (60, 40), exif=exif)))
    assert "40 × 60 pixels" in words(at)


def test_classify_takes_a_name_that_lies(sample_story: Story) -> None:
    at = upload(open_page(CLASSIFY), ("really_a_jpeg.png", image("JPEG")))
    assert not at.error
    assert len(answers(at)) == 1


def test_classify_stops_at_twenty_files(sample_story: Story) -> None:
    at = upload(open_page(CLASSIFY), *[(f"{i}.png", image()) for i in range(22)])
    assert "first 20 of 22" in at.warning[0].value
    assert len(answers(at)) == 20


def test_classify_answers_a_camera_shot(sample_story: Story) -> None:
    at = open_page(CLASSIFY)
    at.segmented_control(key="from").set_value("camera").run()
    at.camera_input(key="camera").upload("shot.jpg", image("JPEG")).run()
    assert not at.exception
    assert len(answers(at)) == 1
    assert "photo" in words(at)


def test_the_camera_sleeps_until_it_is_asked_for(sample_story: Story) -> None:
    assert not open_page(CLASSIFY).get("camera_input")


def test_classify_asks_the_model_that_was_chosen(sample_story: Story) -> None:
    at = open_page(CLASSIFY, subject=sample_story.faithful.id)
    at.button(key="sample_lamp").click().run()
    faithful = answers(at)[0]["shares"]
    at.selectbox[0].set_value(sample_story.drifting.id).run()
    assert answers(at)[0]["shares"] != faithful


def test_classify_survives_a_model_that_changed_on_disk(sample_story: Story) -> None:
    sample_story.faithful.path.write_text("{}  ", encoding="utf-8")
    at = open_page(CLASSIFY, subject=sample_story.faithful.id)
    assert f"`{sample_story.faithful.id}` is not here" in at.warning[0].value
    assert "is not the file that its record describes" in words(at)
    at.button(key="sample_lamp").click().run()
    assert not at.exception
    assert answers(at), "another model answers, and the page says which"


def test_classify_keeps_its_times_over_a_rerun(sample_story: Story) -> None:
    at = open_page(CLASSIFY)
    at.button(key="sample_bed").click().run()
    said = next(c.value for c in at.caption if "inference" in c.value)
    at.run()
    assert said in [c.value for c in at.caption]


def test_classify_offers_real_test_images_where_there_are_some(
    sample_story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in ("train", "test"):
        for number, name in enumerate(CLASSES):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            (folder / "one.png").write_bytes(image(size=(32 + number, 32)))
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(tmp_path / "photos"))
    settings.cache_clear()
    at = open_page(CLASSIFY)
    assert at.segmented_control(key="sample_source").value == "folder"
    at.button(key="sample_clock").click().run()
    assert "32 × 32 pixels" in words(at)
