"""`compress` and `card` as verbs: every step judged once and timed side by side, told in the course's form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import story
from tests.compression import stories
from tests.compression.fake_technique import Fake, fake
from tests.compression.test_pipeline import broken
from udacisense import verbs
from udacisense.compression.work import Work
from udacisense.errors import CompressionError, NotFoundError, RecipeError
from udacisense.jobs import control
from udacisense.progress import watched_by
from udacisense.records import store
from udacisense.types import Benchmark, Evaluation, Format, Subject

__all__ = ["fake"]

STEP = '[[step]]\nname = "{0}"\ntechnique = "prune-weights"\nsparsity = {1}\n'
CHAIN = 'name = "fake"\nfinal = "fake/final.pth"\nvalidation_per_class = 1\n' + STEP.format("a", 0.1) + STEP.format("b", 0.2)
SINGLES = 'name = "alone"\nmode = "singles"\nvalidation_per_class = 1\n' + STEP.format("a", 0.1) + STEP.format("b", 0.2)


@pytest.fixture
def timed(fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Times without processes; the ids of each run's subjects."""
    runs: list[list[str]] = []

    def time(subjects: Sequence[Subject], protocol: Any) -> None:
        runs.append([s.id for s in subjects])
        for i, s in enumerate(subjects):
            record = story.benchmark(s, "fake", 0.005 - i / 1000, np.random.default_rng(i))
            more = {"id": store.new_id(f"bench-{s.id}"), "run_id": f"run-{len(runs)}", "protocol": {"name": protocol.name}}
            store.save(replace(record, blocks_s=record.blocks_s * 4, blocks_per_start=(2,) * 8, **more))

    monkeypatch.setattr(import_module("udacisense.benchmark.run"), "benchmark", time)
    return runs


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_chain_is_run_judged_timed_and_told(fake: Fake, timed: list[list[str]], sample_home: Path) -> None:
    told: list[float] = []
    with watched_by(lambda fraction, _: told.append(fraction)):
        found = verbs.compress(written(sample_home, CHAIN))
    assert (found.pipeline, found.mode, found.skipped) == ("fake", "chain", ())
    assert found.final == sample_home / "models" / "fake" / "final.pth"
    assert found.results_path == sample_home / "models" / "fake" / "pipeline_results.json"
    plain = json.loads(found.results_path.read_text())
    assert [s["name"] for s in plain["stages"]] == ["Baseline", "a", "b"]
    assert all(s["metrics"]["accuracy"]["top1_acc"] and s["metrics"]["timing"]["cpu"] for s in plain["stages"])
    assert "# Model card: fake" in (sample_home / "models" / "fake" / "final.card.md").read_text()
    assert len(timed) == 1, "all in one run"
    assert len(timed[0]) == 3
    assert timed[0][-1].startswith("mobilenet_v3_small-fake-"), "the last step under its final name"
    assert [e.data.split for e in store.records(Evaluation).records] == ["test"] * 3
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_again_nothing_is_done_judged_or_timed(fake: Fake, timed: list[list[str]], sample_home: Path) -> None:
    first = verbs.compress(written(sample_home, CHAIN))
    again = verbs.compress(written(sample_home, CHAIN))
    assert again.skipped == ("a", "b")
    assert (again.table, again.records) == (first.table, first.records)
    assert (len(timed), len(store.records(Evaluation).records), len(store.records(Benchmark).records)) == (1, 3, 3)


def test_another_protocol_times_again(fake: Fake, timed: list[list[str]], sample_home: Path) -> None:
    verbs.compress(written(sample_home, CHAIN))
    verbs.compress(written(sample_home, CHAIN), "quick")
    assert len(timed) == 2


def test_a_broken_chain_says_which_step_why_and_what_next(fake: Fake, timed: list[list[str]], sample_home: Path) -> None:
    fake.on["b"] = broken
    with pytest.raises(CompressionError) as told:
        verbs.compress(written(sample_home, CHAIN))
    assert str(told.value) == (
        "Step 2, 'b' (prune-weights), failed: RuntimeError: the matrix is singular. The other 1 of 2 steps are kept; mend the "
        "step in the pipeline's file or what it names, then run the same command: finished steps are skipped."
    )
    assert timed == []
    fake.on.clear()
    assert verbs.compress(written(sample_home, CHAIN)).skipped == ("a",)


def test_of_singles_the_others_are_measured_before_the_failure_is_told(
    fake: Fake, timed: list[list[str]], sample_home: Path
) -> None:
    fake.on["a"] = broken
    with pytest.raises(CompressionError, match=r"Step 1, 'a' \(prune-weights\), failed"):
        verbs.compress(written(sample_home, SINGLES))
    table = verbs.compress(written(sample_home, SINGLES), table_only=True).table
    assert [row[0] for row in table] == ["Baseline", "b", "a"]
    assert table[-1][-1] == "Failed: RuntimeError: the matrix is singular"
    assert len(timed[0]) == 2


def test_it_holds_the_machine_while_it_works(fake: Fake, timed: list[list[str]], sample_home: Path) -> None:
    held: list[str] = []

    def look(_: Work) -> None:
        held.append(json.loads((sample_home / ".udacisense" / "work.json").read_text())["what"])

    fake.on["a"] = look
    verbs.compress(written(sample_home, CHAIN))
    assert held == ["compressing by fake"], "a second writer waits"


def test_mistakes_are_told_before_any_work(fake: Fake, sample_home: Path) -> None:
    with pytest.raises(RecipeError, match="there is no such key"):
        verbs.compress(written(sample_home, "wrong = 1\n" + CHAIN))
    with pytest.raises(NotFoundError, match="start is missing"):
        verbs.compress(written(sample_home, "start = 'gone.pth'\n" + CHAIN))
    assert fake.done == []
    assert not (sample_home / "models" / "fake").exists()


def test_the_table_alone_needs_no_weights(home: Path) -> None:
    stories.tell(home)
    found = verbs.compress("pipeline_03", table_only=True)
    assert [row[0] for row in found.table] == ["Baseline", *stories.NAMES]
    assert found.results_path is None
    with pytest.raises(NotFoundError, match="has not run yet"):
        verbs.compress("singles", table_only=True)


def test_a_card_is_written_beside_the_weights(home: Path) -> None:
    start, _ = stories.tell(home)
    found = verbs.card(start.id)
    assert found.path == start.path.with_name("model.card.md")
    assert found.path.read_text(encoding="utf-8") == found.text
    assert verbs.card(start.path, Path("here.md")).path == home / "here.md"


def test_compressing_in_the_background_may_take_as_long_as_training() -> None:
    limits = [json.loads(control._request([verb], "x"))["timeout_s"] for verb in ("compress", "train", "convert")]
    assert limits[0] == limits[1] > limits[2]
