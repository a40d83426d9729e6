from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import story
from tests.fakes import fake_artifact, fake_checkpoint
from tests.story import Story
from udacisense.benchmark.quality_grade import distrust
from udacisense.readiness.judge import decide, judge, newest_readiness, overall, says_the_same
from udacisense.readiness.measures.measure import Measurement
from udacisense.readiness.rules import Rule
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import Artifact, Benchmark, Checkpoint, Readiness, Status, Verdict


def verdict(record: Readiness, rule: str) -> Verdict:
    return next(v for v in record.verdicts if v.rule == rule)


def statuses(record: Readiness) -> dict[str, Status]:
    return {v.rule: v.status for v in record.verdicts}


@pytest.fixture
def pair(home: Path) -> tuple[Checkpoint, Artifact]:
    """A checkpoint that is also the baseline, and an artifact of it, without any record."""
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    return checkpoint, fake_artifact(home / "models" / "mobile", checkpoint)


def evaluations(home: Path, pair: tuple[Checkpoint, Artifact], wrong: int, images: int = 200, **kind: str) -> None:
    """Evaluate both on images of which the checkpoint has all right and the artifact `wrong` wrong."""
    labels = np.arange(images, dtype=np.int64) % 10
    right = np.eye(10, dtype=np.float32)[labels]
    bad = right.copy()
    bad[:wrong] = np.roll(bad[:wrong], 1, axis=1)
    for subject, logits in zip(pair, (right, bad), strict=True):
        store.save(story.evaluation(home, subject, labels, logits, kind.get("source", "folder")))  # type: ignore[arg-type]


def benchmarks(pair: tuple[Checkpoint, Artifact], old_s: float, new_s: float, **changes: object) -> tuple[Benchmark, ...]:
    rng = np.random.default_rng(0)
    made = []
    for subject, seconds in zip(pair, (old_s, new_s), strict=True):
        record = story.benchmark(subject, "torch", seconds, rng)
        blocks = tuple(tuple(float(s) for s in seconds * (1 + 0.02 * rng.random(10))) for _ in range(8))
        made.append(replace(record, id=store.new_id("bench"), blocks_s=blocks, **{"blocks_per_start": (1,) * 8, **changes}))
        store.save(made[-1])
    return tuple(made)


def test_nothing_measured_is_unknown_and_says_what_to_run(pair: tuple[Checkpoint, Artifact]) -> None:
    record = judge(pair[1])
    assert statuses(record) == {
        "same_model": "unknown",
        "accuracy_kept": "unknown",
        "size_kept": "pass",
        "latency": "unknown",
        "smaller_than_baseline": "fail",  # the size needs no measurement
        "faster_than_baseline": "unknown",
        "accuracy_near_baseline": "unknown",
    }
    assert verdict(record, "same_model").reason == f"Not verified yet. Run: python -m udacisense verify {pair[1].id}"
    assert f"python -m udacisense evaluate {pair[1].id}" in verdict(record, "accuracy_kept").reason
    assert f"python -m udacisense benchmark {pair[1].id} {pair[0].id}" in verdict(record, "faster_than_baseline").reason
    assert all(v.measured is None for v in record.verdicts if v.status == "unknown")


def test_the_story_is_judged_from_its_records(seeded_home: Story) -> None:
    record = judge(seeded_home.drifting)
    same = verdict(record, "same_model")
    assert same.status == "fail"
    assert same.evidence == (seeded_home.verifications[1].id,)
    assert same.measured == pytest.approx(seeded_home.verifications[1].agreement * 100)
    assert record.status == "fail"
    faithful = judge(seeded_home.faithful)
    assert verdict(faithful, "same_model").status == "pass"
    assert verdict(faithful, "accuracy_kept").status in ("pass", "unknown")
    assert verdict(faithful, "accuracy_kept").measured == 0


def test_judging_twice_without_news_adds_no_record(pair: tuple[Checkpoint, Artifact]) -> None:
    first = judge(pair[1])
    assert judge(pair[1]) == first
    assert newest_readiness(pair[1]) == first
    benchmarks(pair, 0.010, 0.005)
    assert judge(pair[1]).id != first.id
    assert len(store.records(Readiness).records) == 2


def test_another_wording_or_comment_adds_no_record_and_another_limit_does(
    home: Path, pair: tuple[Checkpoint, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmarks(pair, 0.010, 0.005)
    first = judge(pair[1])
    reworded = tuple(replace(v, reason="Said otherwise.") if v.measured is not None else v for v in first.verdicts)
    assert says_the_same(replace(first, verdicts=reworded, rules_sha256="1" * 64), first)
    missing = tuple(replace(v, reason="Said otherwise.") for v in first.verdicts)
    assert not says_the_same(replace(first, verdicts=missing), first), "what is missing is told by the reason alone"
    rules = home / "rules.toml"
    rules.write_text("# of another comment\n" + settings().rules_file.read_text())
    monkeypatch.setenv("UDACISENSE_RULES_FILE", str(rules))
    settings.cache_clear()
    assert judge(pair[1]) == first
    rules.write_text(rules.read_text().replace("limit = 200.0", "limit = 201.0"))
    assert judge(pair[1]).id != first.id


def test_judging_without_saving_leaves_the_store_alone(pair: tuple[Checkpoint, Artifact]) -> None:
    judge(pair[1], save=False)
    assert store.records(Readiness).records == ()


@pytest.mark.parametrize(
    ("wrong", "images", "status"),
    [
        pytest.param(0, 2000, "pass", id="equal, many images"),
        pytest.param(0, 100, "unknown", id="equal, few images"),
        pytest.param(20, 2000, "unknown", id="exactly at the limit"),
        pytest.param(100, 2000, "fail", id="5 pp lost"),
    ],
)
def test_accuracy_within_one_point_by_its_interval(
    home: Path, pair: tuple[Checkpoint, Artifact], wrong: int, images: int, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "IMAGES", images)
    evaluations(home, pair, wrong, images)
    found = verdict(judge(pair[1]), "accuracy_kept")
    assert found.status == status
    assert found.measured == pytest.approx(-100 * wrong / images)
    assert found.interval is not None
    assert found.interval[0] <= found.measured <= found.interval[1]
    assert found.data is not None
    assert ("more labelled images" in found.reason) == (status == "unknown")


def test_a_gain_passes_the_baseline_rule_but_not_the_sameness_of_accuracy(
    home: Path, pair: tuple[Checkpoint, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "IMAGES", 1000)
    evaluations(home, (pair[1], pair[0]), 200, 1000)  # type: ignore[arg-type] # the other way round: the artifact is better
    record = judge(pair[1])
    assert verdict(record, "accuracy_kept").status == "fail"
    assert verdict(record, "accuracy_near_baseline").status == "pass"
    assert verdict(record, "accuracy_near_baseline").measured == pytest.approx(-20)


def test_rendered_images_prove_nothing(home: Path, pair: tuple[Checkpoint, Artifact]) -> None:
    evaluations(home, pair, 0, source="sample")
    found = verdict(judge(pair[1]), "accuracy_kept")
    assert found.status == "unknown"
    assert found.measured == 0
    assert "sample pack" in found.reason


def test_images_of_the_training_prove_nothing(home: Path, pair: tuple[Checkpoint, Artifact]) -> None:
    labels = np.arange(200, dtype=np.int64) % 10
    for subject in pair:
        record = story.evaluation(home, subject, labels, np.eye(10, dtype=np.float32)[labels], "folder")
        store.save(replace(record, overlap_images=7))
    assert "7 of these images were in the model's training" in verdict(judge(pair[1]), "accuracy_kept").reason


def test_lost_predictions_are_told(home: Path, pair: tuple[Checkpoint, Artifact]) -> None:
    evaluations(home, pair, 0)
    for path in (home / "results" / "predictions").glob("*.npz"):
        path.unlink()
    found = verdict(judge(pair[1]), "accuracy_kept")
    assert found.status == "unknown"
    assert "Evaluate again" in found.reason


@pytest.mark.parametrize(
    ("old_s", "new_s", "status"),
    [
        pytest.param(0.010, 0.005, "pass", id="half the time"),
        pytest.param(0.010, 0.008, "fail", id="a fifth less"),
        pytest.param(0.010, 0.006, "unknown", id="at the limit"),
    ],
)
def test_forty_percent_faster_by_its_interval(
    pair: tuple[Checkpoint, Artifact], old_s: float, new_s: float, status: Status
) -> None:
    old, new = benchmarks(pair, old_s, new_s)
    found = verdict(judge(pair[1]), "faster_than_baseline")
    assert found.status == status
    assert found.measured == pytest.approx((1 - new_s / old_s) * 100, abs=1.5)
    assert found.evidence == (new.id, old.id)
    assert "from 8 pairs of starts" in found.reason


@pytest.mark.parametrize(("new_s", "status"), [(0.005, "unknown"), (0.004, "pass")])
def test_files_that_were_started_once_need_a_larger_gain(pair: tuple[Checkpoint, Artifact], new_s: float, status: str) -> None:
    benchmarks(pair, 0.010, new_s, blocks_per_start=())
    found = verdict(judge(pair[1]), "faster_than_baseline")
    assert found.status == status
    assert "of one start each, widened by 25 %" in found.reason


def test_times_of_different_runs_are_never_compared(pair: tuple[Checkpoint, Artifact]) -> None:
    old, new = benchmarks(pair, 0.010, 0.001)
    for record in store.records(Benchmark).records:
        (settings().results_dir / "benchmark" / f"{record.id}.json").unlink()
    store.save(replace(old, run_id="run-1"))
    store.save(replace(new, run_id="run-2"))
    found = verdict(judge(pair[1]), "faster_than_baseline")
    assert found.status == "unknown"
    assert "not timed side by side" in found.reason


def test_a_later_run_that_decides_nothing_does_not_take_the_place_of_one_that_does(pair: tuple[Checkpoint, Artifact]) -> None:
    trusted = benchmarks(pair, 0.010, 0.001)
    for record in trusted:
        later = replace(record.made, created="2027-01-01T00:00:00+00:00")
        few = {"blocks_s": record.blocks_s[:4], "blocks_per_start": (1,) * 4}
        store.save(replace(record, id=store.new_id("bench"), run_id="run-later", made=later, **few))
        assert distrust(replace(record, **few))
    judged = judge(pair[1])
    assert verdict(judged, "faster_than_baseline").evidence == tuple(b.id for b in reversed(trusted))
    assert verdict(judged, "latency").evidence == (trusted[1].id,)


def test_few_blocks_give_a_figure_but_no_verdict(seeded_home: Story) -> None:
    found = verdict(judge(seeded_home.faithful), "latency")  # the story has four blocks
    assert found.status == "unknown"
    assert found.measured == pytest.approx(5.3, abs=0.3)
    assert "4 blocks" in found.reason


def test_a_slow_file_fails_and_is_advised(pair: tuple[Checkpoint, Artifact]) -> None:
    benchmarks(pair, 0.3, 0.3)
    found = verdict(judge(pair[1]), "latency")
    assert found.status == "fail"
    assert found.reason.endswith("Convert to a faster format, or compress the checkpoint further.")


def test_a_batch_of_many_is_not_the_latency_of_one(pair: tuple[Checkpoint, Artifact]) -> None:
    benchmarks(pair, 0.3, 0.3, batch=8)
    assert verdict(judge(pair[1]), "latency").measured is None


def test_records_of_an_older_file_do_not_count(home: Path, pair: tuple[Checkpoint, Artifact]) -> None:
    benchmarks(pair, 0.010, 0.005)
    changed = fake_artifact(home / "models" / "mobile", pair[0], shift=0.5)
    assert verdict(judge(changed), "latency").measured is None


def test_without_a_baseline_its_rules_are_unknown(home: Path) -> None:
    checkpoint = fake_checkpoint(home / "models" / "pipeline_03" / "final_compressed_model.pth", "pruned")
    record = judge(fake_artifact(home / "models" / "mobile", checkpoint))
    assert record.baseline_id is None
    for rule in ("smaller_than_baseline", "faster_than_baseline", "accuracy_near_baseline"):
        assert verdict(record, rule).status == "unknown"
        assert "no baseline" in verdict(record, rule).reason
    assert verdict(record, "size_kept").status == "pass"


def test_without_its_checkpoint_an_artifact_is_still_judged(pair: tuple[Checkpoint, Artifact]) -> None:
    pair[0].path.unlink()
    record = judge(pair[1])
    assert record.status == "unknown"
    assert "is not here to compare with" in verdict(record, "size_kept").reason


def test_a_small_file_passes_the_size_rules(home: Path) -> None:
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    artifact = replace(fake_artifact(home / "models" / "mobile", checkpoint), size_bytes=checkpoint.size_bytes * 7 // 10)
    found = verdict(judge(artifact, save=False), "smaller_than_baseline")
    assert found.status == "pass"
    assert found.measured == pytest.approx(30, abs=1)


def rule(bound: str = "below") -> Rule:
    measured = {
        "below": {"measure": "latency", "unit": "ms"},
        "at_least": {"measure": "time_saving", "against": "baseline", "unit": "%"},
    }
    return Rule.model_validate({"title": "t", "bound": bound, "limit": 10, **measured[bound]})


@pytest.mark.parametrize(
    ("bound", "interval", "status"),
    [
        ("below", (8.0, 9.9), "pass"),
        ("below", (8.0, 10.0), "unknown"),
        ("below", (10.0, 12.0), "fail"),
        ("at_least", (10.0, 12.0), "pass"),
        ("at_least", (9.0, 10.0), "unknown"),
        ("at_least", (8.0, 9.9), "fail"),
    ],
)
def test_the_whole_interval_must_lie_on_one_side(bound: str, interval: tuple[float, float], status: Status) -> None:
    assert decide(rule(bound), Measurement("x.", measured=sum(interval) / 2, interval=interval))[0] == status


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "unknown"], "unknown"),
        (["unknown", "fail"], "fail"),
        ([], "unknown"),
    ],
)
def test_overall_is_the_worst(found: list[Status], status: Status, seeded_home: Story) -> None:
    verdicts = [replace(seeded_home.readiness[0].verdicts[0], status=s) for s in found]
    assert overall(verdicts) == status


def test_judging_needs_no_torch(seeded_home: Story) -> None:
    code = (
        "import sys\n"
        "from udacisense.artifacts import find_artifact\n"
        "from udacisense.readiness.judge import judge\n"
        f"judge(find_artifact({seeded_home.faithful.id!r}))\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
