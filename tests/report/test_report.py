"""A report says what the records say, escaped, with the record behind every figure."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.story import Story
from udacisense.data.dataset import Dataset
from udacisense.data.sources import load_dataset
from udacisense.number_format import NOT_MEASURED, mb, measured, ms, percent
from udacisense.records import store
from udacisense.report import (
    ArtifactEvidence,
    PipelineStage,
    PipelineSummary,
    collect,
    draw_pipeline,
    html_report,
    markdown_report,
    with_flips,
)
from udacisense.report.blocks import Heading, Paragraph, Table
from udacisense.report.html import to_html
from udacisense.report.markdown import escape, to_markdown
from udacisense.report.pipeline import comparison, deployment_metrics
from udacisense.settings import settings
from udacisense.types import LayerGap, Localisation, ModelSpec, SourceName, SplitName
from udacisense.verdict_words import EQUIVALENCE, READINESS
from udacisense.verify import accuracy_verdict, is_near_tie

SOURCES_OF_FIGURES = ("eval", "verify", "bench", "ready")


def pipeline_of(story: Story) -> PipelineSummary:
    subjects = (("Optimized", story.checkpoint), ("Mobile", story.faithful), ("Mobile Lite", story.drifting))
    stages = tuple(
        PipelineStage(name, subject, f"format of {name}", f"target of {name}", story.evaluations[i], story.benchmarks[i])
        for i, (name, subject) in enumerate(subjects)
    )
    return PipelineSummary(None, stages, story.verifications, story.readiness)


def test_collect_finds_the_newest_records_of_these_very_bytes(seeded_home: Story) -> None:
    evidence = collect(seeded_home.faithful)
    assert evidence.evaluation == seeded_home.evaluations[1]
    assert evidence.checkpoint_evaluation == seeded_home.evaluations[0]
    assert evidence.verification == seeded_home.verifications[0]
    assert {b.id for b in evidence.benchmarks} == {b.id for b in seeded_home.benchmarks}
    assert evidence.readiness == seeded_home.readiness[0]
    changed = collect(replace(seeded_home.faithful, sha256="0" * 64))
    assert (changed.evaluation, changed.verification, changed.benchmarks, changed.readiness) == (None, None, (), None)


def test_every_figure_stands_beside_its_record(seeded_home: Story) -> None:
    text = markdown_report((collect(seeded_home.faithful),))
    for kind in SOURCES_OF_FIGURES:
        assert f"{kind}-{seeded_home.faithful.id}" in text.replace("\\", "")
    top1 = seeded_home.evaluations[1].top1
    assert f"{top1 * 100:.1f} %" in text
    assert f"Verdict: {READINESS['unknown']}." in text
    assert seeded_home.faithful.sha256 in text
    assert "optimize\\_for\\_mobile needs a build with XNNPACK" in text


def test_a_baseline_that_is_the_checkpoint_is_told_once(seeded_home: Story) -> None:
    text = markdown_report((collect(seeded_home.faithful),))
    assert text.count(f"| eval-{seeded_home.checkpoint.id} |".replace("_", "\\_")) == 1
    assert "| baseline |" not in text


def test_an_artifact_without_evidence_says_what_to_run(seeded_home: Story) -> None:
    empty = ArtifactEvidence(seeded_home.faithful, None, None, None, None, None, None, (), None)
    text = markdown_report((empty,)).replace("\\", "")
    for verb in ("ready", "verify", "evaluate", "benchmark"):
        assert f"Run: python -m udacisense {verb} " in text
    assert "its file is not here any more" in text


def test_several_artifacts_begin_with_an_overview_and_none_with_advice(seeded_home: Story) -> None:
    text = markdown_report((collect(seeded_home.faithful), collect(seeded_home.drifting)))
    overview = text.split("## ")[0]
    assert READINESS["fail"] in overview
    assert EQUIVALENCE["different"] in overview
    assert text.count("\n## ") == 2
    assert "There is no artifact yet" in markdown_report(())


def test_the_page_is_escaped_and_needs_no_other_file(seeded_home: Story) -> None:
    hostile = replace(seeded_home.faithful, warnings=("<script>alert('&')</script>",), recipe={"note": "<img src=x>"})
    page = html_report((replace(collect(seeded_home.faithful), artifact=hostile),))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<img" not in page
    assert not re.search(r"(src|href)=|url\(|@import", page.replace("&lt;img src=x&gt;", ""))
    assert page.count("<table>") == page.count("</table>") > 3
    assert page.startswith("<!doctype html>")


def test_markup_in_a_name_stays_text() -> None:
    assert escape("a|b_c*d\n<e>") == r"a\|b\_c\*d \<e\>"
    document = to_markdown((Heading(2, "x|y"), Paragraph("one\ntwo"), Table(("a",), (("1|2",),))))
    assert document == "## x\\|y\n\none two\n\n| a |\n| --- |\n| 1\\|2 |\n"
    assert "<td>&lt;b&gt;</td>" in to_html((Table(("a",), (("<b>",),)),))


def test_a_page_forbids_itself_every_request_and_can_always_be_written() -> None:
    page = to_html((Heading(1, "a\ud800\u202eb"), Paragraph("x")))
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    assert policy is not None
    assert page.index(policy[0]) < page.index("<title>") < page.index("<style>")
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    assert "<h1>a��b</h1>" in page
    page.encode()


def test_a_row_must_fill_its_columns() -> None:
    with pytest.raises(ValueError, match="must have 2 cells, got 1"):
        Table(("a", "b"), (("1",),))


def test_what_was_not_measured_is_never_a_number() -> None:
    assert {percent(None), mb(None), ms(None), measured(None, "ms")} == {NOT_MEASURED}
    assert (percent(0.0), mb(1024 * 1024), ms(0.00731)) == ("0.0 %", "1.00 MB", "7.31 ms")
    assert measured(5.2, "ms", (5.1, 5.3)) == "5.20 ms (95 %: 5.10 to 5.30)"
    assert measured(-0.001, "pp") == "0.0 pp"


def test_the_notebooks_table_with_measured_figures(seeded_home: Story) -> None:
    pipeline = pipeline_of(seeded_home)
    table = comparison(pipeline)
    assert [len(column) for column in table.values()] == [5, 5, 5, 5]
    assert list(table) == ["Metric", "Optimized Model", "Mobile Model", "Change"]
    assert table["Optimized Model"][0] == f"{seeded_home.evaluations[0].top1 * 100:.2f}"
    assert table["Change"][0] == "+0.00pp"
    assert table["Optimized Model"][3] == "260.00"
    assert pipeline.mobile.subject == min((seeded_home.faithful, seeded_home.drifting), key=lambda a: a.size_bytes)


def test_missing_figures_of_the_pipeline_are_said_to_be_missing(seeded_home: Story, tmp_path: Path) -> None:
    whole = pipeline_of(seeded_home)
    bare = PipelineSummary(None, tuple(replace(s, evaluation=None, benchmark=None) for s in whole.stages), (), ())
    table = comparison(bare)
    assert table["Change"][0] == table["Mobile Model"][2] == NOT_MEASURED
    metrics = deployment_metrics(bare)
    assert metrics["mobile_accuracy"] is metrics["mobile_timing"] is metrics["deployment_ready"] is None
    assert draw_pipeline(bare, tmp_path / "bare.png").stat().st_size > 0


def test_the_metrics_file_has_the_notebooks_keys_and_its_records(seeded_home: Story) -> None:
    pipeline = pipeline_of(seeded_home)
    metrics = json.loads(json.dumps(deployment_metrics(pipeline), allow_nan=False))
    assert metrics.keys() >= {
        "mobile_model_path", "mobile_accuracy", "mobile_timing", "mobile_size_mb",
        "consistency_check", "deployment_ready", "comparison",
    }  # fmt: skip
    assert metrics["mobile_accuracy"].keys() == {"top1_acc", "top5_acc"}
    assert metrics["mobile_accuracy_on"]["source"] == "folder"
    assert metrics["mobile_accuracy_on"]["dataset_id"] == seeded_home.evaluations[0].data.dataset_id
    assert metrics["mobile_timing"]["cpu"].keys() == {"total_time_ms", "avg_time_ms", "fps"}
    assert len(metrics["records"]) == 4
    verdict = pipeline.readiness_of(pipeline.mobile)
    assert verdict is not None
    assert metrics["deployment_ready"] == {"pass": True, "fail": False, "unknown": None}[verdict.status]


def test_an_image_of_accuracy_on_the_sample_says_so(
    seeded_home: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    labels: list[str] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **kw: (labels.append(self.axes[0].get_ylabel()), save(self, *a, **kw))
    )
    real = pipeline_of(seeded_home)
    assert real.mobile.evaluation is not None
    elsewhere = replace(real.mobile.evaluation, data=replace(real.mobile.evaluation.data, source="sample"))
    sample = replace(real, stages=tuple(replace(s, evaluation=elsewhere) for s in real.stages))
    for pipeline in (real, sample):
        draw_pipeline(pipeline, tmp_path / "summary.png")
    assert labels == ["Top-1 accuracy (%)", "Top-1 accuracy on the rendered sample (%)"]


def test_the_image_is_drawn_from_the_records(seeded_home: Story, tmp_path: Path) -> None:
    path = draw_pipeline(pipeline_of(seeded_home), tmp_path / "images" / "deployment_pipeline_summary.png")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.size == (2400, 1800)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


# --- changed answers ----------------------------------------------------------------------------------------------------


def flipped(story: Story, source: SourceName) -> ArtifactEvidence:
    """The drifting file's evidence, its flips on images of a source that is here."""
    data = load_dataset("test", "sample")
    old = story.verifications[1]
    flips = tuple(replace(f, image=data.hashes[i]) for i, f in enumerate(old.flips[:5]))
    ref = replace(data.ref, source=source)
    return replace(collect(story.drifting), verification=replace(old, flips=flips, data=ref))


def test_changed_answers_stand_in_the_report_with_what_both_files_thought(seeded_home: Story) -> None:
    evidence = with_flips(collect(seeded_home.drifting))
    text = markdown_report((evidence,)).replace("\\", "")
    flips = seeded_home.verifications[1].flips
    assert f"{len(flips)} answers changed" in text
    assert f"{sum(is_near_tie(f) for f in flips)} near-ties" in text
    assert f"| {flips[0].image} |" in text
    assert "top 3 before" in text
    assert "not kept" not in text
    assert "KL divergence" in text
    assert accuracy_verdict(seeded_home.verifications[1])[1] in text


def test_the_sample_packs_images_are_shown_and_photographs_only_where_asked(
    seeded_home: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample, photographs = flipped(seeded_home, "sample"), flipped(seeded_home, "cifar100")
    assert html_report((with_flips(sample),)).count("data:image/png;base64,") == 5
    assert "HTML report shows 5" in markdown_report((with_flips(sample),))
    asked_for: list[str] = []

    def load(split: SplitName, source: SourceName, scheme: str, spec: ModelSpec) -> Dataset:
        asked_for.append(source)
        return load_dataset(split, "sample", spec=spec)

    monkeypatch.setattr("udacisense.report.flips.load_dataset", load)
    assert "<img" not in html_report((with_flips(photographs),))
    assert asked_for == []
    assert html_report((with_flips(photographs, images=True),)).count("<img") == 5


def test_images_that_are_not_here_are_left_out(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UDACISENSE_DATA_DIR", raising=False)
    settings.cache_clear()
    evidence = with_flips(flipped(seeded_home, "folder"), images=True)
    assert evidence.images == {}


def test_the_broken_block_stands_in_the_report(seeded_home: Story) -> None:
    gap = LayerGap("features.3", None, (2,), 3.5, 0.25)
    record = Localisation(
        "locate-1", seeded_home.drifting.id, seeded_home.drifting.sha256, seeded_home.checkpoint.id,
        seeded_home.checkpoint.sha256, seeded_home.verifications[1].data, 10, "values", (gap,), (), "features.3", None,
        "features.3 is the first block whose output diverges.", seeded_home.verifications[1].made,
    )  # fmt: skip
    store.save(record)
    text = markdown_report((collect(seeded_home.drifting),)).replace("\\", "")
    assert "features.3 is the first block whose output diverges. Record: locate-1." in text
    assert "| features.3 | 3.5 dB | 0.25 |" in text


def test_a_long_list_in_a_recipe_is_counted(seeded_home: Story) -> None:
    recipe = {"calibration_images": ["feed" * 4] * 200, "float": ["first", "last"], "data": {"source": "folder", "n": 3}}
    text = markdown_report((replace(collect(seeded_home.faithful), artifact=replace(seeded_home.faithful, recipe=recipe)),))
    plain = text.replace("\\", "")
    assert "calibration_images: 200 of them, float: first, last, data: source folder; n 3" in plain
