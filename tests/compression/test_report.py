"""What a pipeline came to: read from records alone, nothing invented, nothing of different runs put side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.compression import stories
from tests.fakes import fake_checkpoint
from tests.story import Story
from udacisense.compression import pipeline_file
from udacisense.errors import NotFoundError
from udacisense.records import store
from udacisense.report import seeds
from udacisense.report.blocks import Paragraph
from udacisense.report.compression import compressed, course_results, lineage, pipelines_that_ran
from udacisense.report.compression_table import COLUMNS, cells, grid, targets
from udacisense.report.markdown import to_markdown
from udacisense.report.model_card import _compression, model_card
from udacisense.training.recipe import load_recipe
from udacisense.types import Benchmark, Checkpoint, Compression, Evaluation
from udacisense.verdict_words import INCONCLUSIVE

EVERYTHING = "Meets all 3 targets."


def test_rows_are_the_start_and_each_step(home: Path) -> None:
    start, run = stories.tell(home)
    found = compressed("pipeline_03")
    assert found.run == run
    assert [row.name for row in found.rows] == ["Baseline", *stories.NAMES]
    first = found.rows[1]
    assert first.change is not None
    assert round(first.change.value, 3) == -0.05
    assert first.change.low < -0.05 < first.change.high
    assert first.speed is not None
    assert first.speed.speed == "faster"
    assert first.speed.ratio is not None
    assert abs(first.speed.ratio.value - 0.5) < 0.02
    assert found.rows[0].evaluation is not None
    assert found.rows[0].evaluation.subject_sha256 == start.sha256


def test_a_pipeline_that_never_ran_says_how_to_run_it(home: Path) -> None:
    with pytest.raises(NotFoundError, match=r"has not run yet.*compress --pipeline singles"):
        compressed("singles")
    assert pipelines_that_ran() == ()


def test_what_is_not_measured_stays_unmeasured(home: Path) -> None:
    stories.tell(home)
    for kind in (Evaluation, Benchmark):
        for record in store.records(kind).records:
            (home / "results" / store.kind_of(record) / f"{record.id}.json").unlink()
    found = compressed("pipeline_03")
    assert all((row.evaluation, row.benchmark, row.speed, row.change) == (None,) * 4 for row in found.rows)
    first = dict(zip(COLUMNS, cells(found.rows[1], found.rows[0]), strict=True))
    assert [first[name] for name in ("time", "against the start", "top-1", "change")] == ["not measured"] * 4
    assert "50 % smaller" in first["verdict"]
    assert first["verdict"].count("not measured") == 2
    assert INCONCLUSIVE in first["verdict"]
    stages = course_results(found)["stages"]
    assert [s["metrics"]["accuracy"] for s in stages] == [{"top1_acc": None, "top5_acc": None}] * 3
    assert [s["metrics"]["timing"] for s in stages] == [{"cpu": None}] * 3


def test_times_of_two_runs_are_not_put_side_by_side(home: Path) -> None:
    _, run = stories.tell(home)
    step = store.load("compression_step", run.steps[0])
    for record in store.records(Benchmark).records:
        if record.subject_sha256 == step.sha256:
            path = home / "results" / "benchmark" / f"{record.id}.json"
            path.unlink()
            store.save(replace(record, run_id="run-20270101T000000-ffffff"))
    row = compressed("pipeline_03").rows[1]
    assert (row.benchmark, row.speed) == (None, None)


def test_the_courses_file_has_its_form_and_the_records_behind_it(home: Path) -> None:
    stories.tell(home)
    plain = json.loads(json.dumps(course_results(compressed("pipeline_03")), allow_nan=False))
    first, last = plain["stages"][0], plain["stages"][-1]
    assert (first["name"], last["name"]) == ("Baseline", "Half of the weights")
    assert first["metrics"]["accuracy"]["top1_acc"] == pytest.approx(80.0)
    assert last["metrics"]["accuracy"]["top1_acc"] == pytest.approx(70.0)
    assert set(first["metrics"]["timing"]["cpu"]) == {"total_time_ms", "avg_time_ms", "fps"}
    assert first["metrics"]["timing"]["cpu"]["avg_time_ms"] == pytest.approx(7.2, abs=0.3)
    assert last["metrics"]["size"]["model_size_mb"] == pytest.approx(32 / 1024)
    assert all((home / "results").rglob(f"{name}.json") for name in plain["records"])


def test_a_verdict_says_what_the_figures_say(home: Path) -> None:
    stories.tell(home)
    start, first, second = compressed("pipeline_03").rows
    assert len(targets()) == 3
    words = [dict(zip(COLUMNS, cells(row, start), strict=True)) for row in (first, second)]
    assert words[0]["verdict"] == (
        f"50 % smaller, 50 % less time, accuracy 5.0 pp lower. {INCONCLUSIVE}: “Accuracy within 5 pp of the baseline”."
    )
    assert words[1]["verdict"].endswith("accuracy 10.0 pp lower. Misses “Accuracy within 5 pp of the baseline”.")
    same = replace(first, change=replace_change(0.0, -0.01, 0.01))
    told = dict(zip(COLUMNS, cells(same, start), strict=True))["verdict"]
    assert told.startswith("50 % smaller, 50 % less time, ")
    assert "pp" not in told
    assert told.endswith(EVERYTHING)


def replace_change(value: float, low: float, high: float) -> object:
    from udacisense.metrics.stats import Estimate

    return Estimate(value, low, high)


def test_a_failed_step_keeps_its_row(home: Path) -> None:
    stories.tell(home, failed=True)
    rows = grid(compressed("pipeline_03")).rows
    assert rows[-1][0] == stories.NAMES[1]
    assert rows[-1][-1] == "Failed: RuntimeError: singular"


def test_lineage_goes_back_to_the_start_without_any_weights(home: Path) -> None:
    start, run = stories.tell(home)
    last = stories.as_checkpoint(start, store.load("compression_step", run.steps[1]))
    assert [row.name for row in lineage(last)] == ["Baseline", *stories.NAMES]
    assert [row.sha256 for row in lineage(start)] == [start.sha256]


def test_lineage_of_records_in_a_circle_ends(home: Path) -> None:
    start = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    one = stories.step(start, 1, ("x", stories.step(start, 2, ("", "")).sha256))
    two = stories.step(start, 2, (one.checkpoint_id, one.sha256))
    for record in (one, two):
        store.save(record)
    assert len(lineage(stories.as_checkpoint(start, two))) == 3


def test_singles_are_all_held_against_the_start(home: Path) -> None:
    stories.tell(home, "singles", "single_techniques")
    assert pipelines_that_ran() == ("single_techniques",)
    for row in compressed("single_techniques").rows[1:]:
        assert row.speed is not None
    text = to_markdown([grid(compressed("single_techniques"))])
    assert text.count("\n") == 5, "a head, a line, three rows and the end"


# --- cards ----------------------------------------------------------------------------------------------------------------


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_a_card_tells_how_it_was_compressed(home: Path) -> None:
    start, run = stories.tell(home)
    last = stories.as_checkpoint(start, store.load("compression_step", run.steps[1]))
    text = model_card(last)
    assert [line.split(" | ")[0] for line in section(text, "How it was compressed").splitlines()[-3:]] == [
        "| Baseline", "| Remove channels", "| Half of the weights",
    ]  # fmt: skip
    accuracy = section(text, "Accuracy")
    assert "Top-1 70.0 %, 95 % interval 63.3 to 75.9 % (Wilson)" in accuracy
    assert "Against what it was compressed from: -10.0 pp" in accuracy
    assert "| clock | 20 |" in accuracy


def test_a_card_tells_what_its_pipeline_remarks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start, run = stories.tell(home)
    way = lineage(stories.as_checkpoint(start, store.load("compression_step", run.steps[1])))
    monkeypatch.setattr(pipeline_file, "PIPELINES_DIR", home)
    file = home / "pipeline_03.toml"
    file.write_text('remark = "Mind this."\n[[step]]\nname = "Fold"\ntechnique = "fold-batch-norm"\n')
    assert Paragraph("Mind this.") in _compression(way, {"pipeline": "pipeline_03"})
    assert Paragraph("Mind this.") not in _compression(way, {"pipeline": "another"})
    file.write_text("remark = ")
    assert len(_compression(way, {"pipeline": "pipeline_03"})) == 3, "a broken pipeline does not hide the card"


def test_a_card_without_evidence_says_so(home: Path) -> None:
    start: Checkpoint = fake_checkpoint(home / "models" / "x" / "model.pth")
    text = model_card(start)
    assert section(text, "Accuracy").strip() == "On real test images: not measured."
    assert "How it was trained is not known" in text
    assert "The training images are the dataset f00d, of which this card knows no more." in text
    assert "The licence of the training images is not known" in text
    assert "Photographs by a camera, in full resolution: not measured" in text
    assert "CIFAR" not in text


def test_the_baselines_card_names_the_images_and_their_licence() -> None:
    from udacisense.models.checkpoint import baseline_checkpoint

    baseline = baseline_checkpoint()
    assert baseline is not None
    text = model_card(baseline)
    for words in ("CIFAR-100", "household-v1", "withdrew in 2020", "Apache-2.0", "none of them was trained on"):
        assert words in text
    assert "How it was trained is not known" not in text


def test_a_card_lists_the_phone_files(seeded_home: Story) -> None:
    text = section(model_card(seeded_home.checkpoint), "Phone files made from it")
    assert "| torchscript fp32 | 0.06 MB |" in text
    assert "| Not ready |" in text


def test_a_card_has_a_row_for_every_seed(home: Path) -> None:
    paths = [home / "models" / name / "model.pth" for name in ("one", "two")]
    found = [fake_checkpoint(path, seed=i) for i, path in enumerate(paths)]
    for seed, path in enumerate(paths):
        card = path.with_name("model.card.json")
        plain = json.loads(card.read_text())
        plain["training"]["recipe"] = {"name": "mine", "seed": seed, "stage": []}
        card.write_text(json.dumps(plain))
    text = section(model_card(found[0]), "Seeds")
    assert "Trained with 2 seeds; fewer than two were tested." in text
    assert "| 0 (this one) | 80.0 % | not measured | – |" in text
    paths[1].unlink()  # its card is enough
    assert "| 1 | 80.0 %" in model_card(found[0])


def test_a_card_from_before_a_setting_was_there_is_by_the_same_recipe() -> None:
    now = load_recipe("baseline").model_dump(mode="json")
    before = {key: value for key, value in now.items() if key not in ("initial", "remark", "pretraining_seed")}
    before["stage"] = [{k: v for k, v in stage.items() if k not in ("mixup", "cutmix")} for stage in now["stage"]]
    assert seeds._but_for_its_seed(before) == seeds._but_for_its_seed(now | {"seed": 7})
    assert seeds._but_for_its_seed(before) != seeds._but_for_its_seed(now | {"dropout": 0.5})


def test_a_run_that_is_not_whole_says_so(home: Path) -> None:
    _, run = stories.tell(home, failed=True)
    assert not run.whole
    assert isinstance(store.records(Compression).records[0], Compression)
