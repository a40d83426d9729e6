"""Each measure against its figure worked out of the raw records by itself; without a record it says what to run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as reference

from tests import story
from tests.fakes import fake_artifact, fake_checkpoint, made
from tests.odd_files import verb
from udacisense.labels import CLASSES
from udacisense.readiness.judge import judge
from udacisense.readiness.measures.measure import COLUMNS
from udacisense.readiness.measures.registry import MEASURES
from udacisense.records import store
from udacisense.settings import PROJECT, settings
from udacisense.types import Artifact, Benchmark, Packaged, Start, Verdict

TIMED = ("latency", "p95_latency", "p99_latency", "load_time", "cold_start", "peak_memory")
EVALUATED = ("worst_class", "calibration_error")
WITHOUT_REFERENCE = (*TIMED, *EVALUATED, "package_size")
STARTS = 8


@pytest.fixture
def artifact(home: Path) -> Artifact:
    """An artifact of a checkpoint that is the baseline, without any record."""
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    return fake_artifact(home / "models" / "mobile", checkpoint)


def judged(artifact: Artifact, measure: str, limit: float, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """The verdict by one rule on a measure that is compared with nothing."""
    rules = settings().home / "rules.toml"
    rules.write_text(rule_on(measure, limit))
    monkeypatch.setenv("UDACISENSE_RULES_FILE", str(rules))
    settings.cache_clear()
    (verdict,) = judge(artifact, save=False).verdicts
    return verdict


def rule_on(measure: str, limit: float) -> str:
    known = MEASURES[measure]
    return f'[one]\ntitle = "t"\nmeasure = "{measure}"\nbound = "{known.bound}"\nlimit = {limit}\nunit = "{known.unit}"\n'


def benchmark(artifact: Artifact, runs: int = 120, starts: int = STARTS) -> Benchmark:
    """A saved benchmark of several starts, each with its own times for everything."""
    rng = np.random.default_rng(3)
    plain = story.benchmark(artifact, "torch.jit", 0.005, rng)
    record = replace(
        plain,
        id=store.new_id("bench"),
        blocks_s=tuple(tuple((0.005 * (1 + rng.gamma(2, 0.01, runs))).tolist()) for _ in range(starts)),
        blocks_per_start=(1,) * starts,
        starts=tuple(Start(0.1, 0.5, *(0.02 * (1 + 0.05 * rng.random(2))).tolist(), i % 2 == 0) for i in range(starts)),
    )
    store.save(record)
    return record


# --- values, from the raw records -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("measure", "q"), [("p95_latency", 95), ("p99_latency", 99)])
def test_the_slow_end_of_the_steady_times(artifact: Artifact, measure: str, q: int, monkeypatch: pytest.MonkeyPatch) -> None:
    record = benchmark(artifact)
    found = judged(artifact, measure, 50.0, monkeypatch)
    times = sorted(s for block in record.blocks_s for s in block)
    place = (len(times) - 1) * q / 100
    below, above = times[int(place)], times[int(place) + 1]
    assert found.measured == pytest.approx(1e3 * (below + (place - int(place)) * (above - below)))
    assert found.evidence == (record.id,)
    assert found.interval is not None
    assert found.interval[0] < found.measured < found.interval[1]
    assert all(1e3 * min(times) < end < 1e3 * max(times) * 1.1 for end in found.interval)
    assert judged(artifact, measure, 50.0, monkeypatch).reason.startswith(f"{q} of 100 runs on Fake CPU took at most")


def test_few_runs_have_no_slow_end(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark(artifact, runs=20)  # 160 runs: eight beyond P95, one or two beyond P99
    assert judged(artifact, "p95_latency", 50.0, monkeypatch).interval is not None
    found = judged(artifact, "p99_latency", 50.0, monkeypatch)
    assert (found.status, found.interval) == ("unknown", None)
    assert "160 runs are too few" in found.reason
    assert "at least 500" in found.reason


@pytest.mark.parametrize("measure", ["load_time", "cold_start"])
def test_times_of_starts_are_a_trimmed_mean_with_its_interval(
    artifact: Artifact, measure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = benchmark(artifact)
    found = judged(artifact, measure, 10_000.0, monkeypatch)
    each = [s.load_s if measure == "load_time" else s.process_s + s.import_s + s.load_s + s.first_s for s in record.starts]
    assert found.measured == pytest.approx(1e3 * reference.trim_mean(each, 1 / 6))
    wanted = reference.mstats.trimmed_mean_ci(np.array(each), limits=(1 / 6, 1 / 6), inclusive=(True, True))
    assert found.interval == pytest.approx(
        tuple(1e3 * wanted), rel=5e-3
    )  # scipy scales the winsorised variance a little otherwise
    assert f"in {STARTS // 2} of them the file was in the page cache" in found.reason
    assert found.evidence == (record.id,)


def test_few_starts_give_a_figure_and_decide_nothing(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    record = benchmark(artifact, starts=2)
    found = judged(artifact, "load_time", 10_000.0, monkeypatch)
    assert (found.status, found.interval) == ("unknown", None)
    assert found.measured == pytest.approx(1e3 * sum(s.load_s for s in record.starts) / 2)


def test_three_cold_starts_give_student_s_interval(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [1e3 * start.load_s for start in benchmark(artifact, starts=3).starts]
    found = judged(artifact, "load_time", 10_000.0, monkeypatch)
    wanted = reference.t.interval(0.95, 2, np.mean(times), reference.sem(times))
    assert found.interval == pytest.approx(wanted)


def test_memory_is_the_record_s_peak_and_has_no_interval(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    record = benchmark(artifact)
    later = made(created="2027-01-01T00:00:00Z")
    store.save(replace(record, id=store.new_id("bench"), run_id="run-later", peak_rss_bytes=None, made=later))
    assert record.peak_rss_bytes is not None
    found = judged(artifact, "peak_memory", 1000.0, monkeypatch)
    assert (found.status, found.interval) == ("pass", None)
    assert found.measured == record.peak_rss_bytes / 2**20
    assert found.evidence == (record.id,), "a later run on a system that does not tell memory takes nothing away"
    assert "no interval" in found.reason
    assert judged(artifact, "peak_memory", 100.0, monkeypatch).status == "fail"


@pytest.fixture
def evaluated(artifact: Artifact, home: Path) -> tuple[Artifact, np.ndarray, np.ndarray]:
    """The artifact, evaluated: with its logits and labels."""
    rng = np.random.default_rng(11)
    labels = np.arange(story.IMAGES, dtype=np.int64) % len(CLASSES)
    logits = rng.normal(size=(story.IMAGES, len(CLASSES))).astype(np.float32)
    logits[np.arange(story.IMAGES), labels] += 2.0
    logits[labels == 3, 3] -= 1.5
    store.save(story.evaluation(home, artifact, labels, logits, "folder"))
    return artifact, logits, labels


def test_the_worst_class_is_named_with_an_interval_for_all_classes(
    evaluated: tuple[Artifact, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact, logits, labels = evaluated
    right = [int((logits.argmax(axis=1)[labels == c] == c).sum()) for c in range(len(CLASSES))]
    images = story.IMAGES // len(CLASSES)
    found = judged(artifact, "worst_class", 99.0, monkeypatch)
    assert found.measured == pytest.approx(100 * min(right) / images)
    assert f"is {CLASSES[right.index(min(right))]}: {min(right)} of {images}" in found.reason
    each = [reference.binomtest(n, images).proportion_ci(0.995, "wilson") for n in right]
    assert found.interval == pytest.approx((100 * min(e.low for e in each), 100 * min(e.high for e in each)))
    assert found.status == "fail"


def test_the_calibration_error_bin_by_bin(
    evaluated: tuple[Artifact, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact, logits, labels = evaluated
    shares = np.exp(logits.astype(float))
    shares /= shares.sum(axis=1, keepdims=True)
    error = 0.0
    for b in range(15):
        own = (shares.max(axis=1) > b / 15) & (shares.max(axis=1) <= (b + 1) / 15)
        if own.any():
            error += own.mean() * abs((logits.argmax(axis=1) == labels)[own].mean() - shares.max(axis=1)[own].mean())
    found = judged(artifact, "calibration_error", 90.0, monkeypatch)
    assert found.measured == pytest.approx(100 * error)
    assert found.interval is not None
    assert 0 <= found.interval[0] <= found.measured <= found.interval[1]
    assert found.status == "pass"


@pytest.mark.parametrize("measure", EVALUATED)
def test_rendered_images_prove_nothing(artifact: Artifact, home: Path, measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(story.IMAGES, dtype=np.int64) % len(CLASSES)
    store.save(story.evaluation(home, artifact, labels, np.eye(10, dtype=np.float32)[labels], "sample"))
    found = judged(artifact, measure, 50.0, monkeypatch)
    assert found.status == "unknown"
    assert found.measured is not None
    assert "sample pack" in found.reason


def test_lost_logits_have_no_calibration(
    evaluated: tuple[Artifact, np.ndarray, np.ndarray], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (home / "results" / "predictions").glob("*.npz"):
        path.unlink()
    found = judged(evaluated[0], "calibration_error", 90.0, monkeypatch)
    assert (found.status, found.measured) == ("unknown", None)
    assert "Evaluate again" in found.reason


def test_the_size_of_the_newest_package(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, size_bytes in enumerate((9 * 2**20, 3 * 2**20)):
        created = made(created=f"2026-01-0{number + 1}T00:00:00Z")
        store.save(Packaged(f"package-{number}", artifact.id, artifact.sha256, 31, size_bytes, created))
    found = judged(artifact, "package_size", 5.0, monkeypatch)
    assert (found.status, found.measured, found.interval, found.evidence) == ("pass", 3.0, None, ("package-1",))


# --- nobody measured it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", WITHOUT_REFERENCE)
def test_without_a_record_it_is_inconclusive_and_says_what_to_run(
    artifact: Artifact, measure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(artifact, measure, 50.0, monkeypatch)
    assert (found.status, found.measured, found.evidence) == ("unknown", None, ())
    verb = "evaluate" if measure in EVALUATED else "package" if measure == "package_size" else "benchmark"
    assert f"python -m udacisense {verb} {artifact.id}" in found.reason


def test_every_measure_without_a_reference_is_tried_here() -> None:
    assert set(WITHOUT_REFERENCE) == {name for name, measure in MEASURES.items() if not measure.references}


# --- rules on them --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", WITHOUT_REFERENCE)
@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda text: text.replace('measure = "', 'measure = "no_'), "there is no measure"),
        (lambda text: re.sub("limit = .*", "limit = nan", text), "finite"),
        (lambda text: re.sub("limit = .*", "limit = inf", text), "finite"),
        (lambda text: re.sub("limit = .*", 'limit = "5"', text), "valid number"),
        (lambda text: re.sub("limit = .*", "limit = 9e6", text), "must be a number from"),
        (lambda text: text.replace("below", "x").replace("at_least", "below").replace("x", "at_least"), "lies"),
        (lambda text: re.sub("unit = .*", 'unit = "furlongs"', text), "is measured in"),
        (lambda text: text + 'against = "neighbour"\n', "against"),
    ],
)
def test_a_bad_rule_ends_ready_with_3_and_names_itself(
    artifact: Artifact, measure: str, mistake: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = settings().home / "rules.toml"
    rules.write_text(mistake(rule_on(measure, 5)))  # type: ignore[operator]
    monkeypatch.setenv("UDACISENSE_RULES_FILE", str(rules))
    settings.cache_clear()
    code, told = verb("ready", artifact.id)
    assert code == 3
    assert said in re.sub(r"\s+", " ", told)
    assert "one" in told


@pytest.mark.parametrize("measure", MEASURES)
def test_a_wrong_reference_is_refused(artifact: Artifact, measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = MEASURES[measure]
    wrong = 'against = "baseline"\n' if measure == "sameness" or not known.references else ""
    limit = "" if known.bound is None else f'bound = "{known.bound}"\nlimit = 5\n'
    rules = settings().home / "rules.toml"
    rules.write_text(f'[one]\ntitle = "t"\nmeasure = "{measure}"\nunit = "{known.unit}"\n{limit}{wrong}')
    monkeypatch.setenv("UDACISENSE_RULES_FILE", str(rules))
    settings.cache_clear()
    code, told = verb("ready", artifact.id)
    assert code == 3
    assert "takes no against" in told or "needs against" in told


def test_a_good_rule_on_each_measure_is_read(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    for measure in WITHOUT_REFERENCE:
        assert judged(artifact, measure, 5.0, monkeypatch).unit == MEASURES[measure].unit


# --- what is derived from the registry ------------------------------------------------------------------------------------


def test_the_document_s_table_is_the_registry() -> None:
    text = (PROJECT / "docs" / "readiness.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line.count("|") == len(COLUMNS) + 1]
    assert rows == [f"| {' | '.join(cells)} |" for cells in (COLUMNS, *(m.cells for m in MEASURES.values()))]


def test_the_comment_of_the_rules_file_names_every_measure() -> None:
    text = (PROJECT / "readiness.toml").read_text(encoding="utf-8")
    comment = re.sub(r"\n#\s*", " ", text[text.index("measure   what") : text.index("docs/readiness.md")])
    assert re.findall(r"\w+", comment.split(":", 1)[1]) == list(MEASURES)


def test_the_verdict_is_told_in_json(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark(artifact)
    judged(artifact, "p95_latency", 50.0, monkeypatch)
    code, told = verb("ready", artifact.id, "--json")
    assert code == 0
    assert json.loads(told)["readiness"][0]["verdicts"][0]["status"] == "pass"
