"""One bad file hides nothing: lists, verbs and pages with odd files in every place, each named once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests import odd_files
from tests.driving import app, quick_answers
from tests.fakes import fake_checkpoint
from tests.odd_files import told_of
from udacisense import files, jobs, verbs
from udacisense.artifacts import list_artifacts
from udacisense.errors import StoreError
from udacisense.history.runs import list_runs, tag
from udacisense.models.card import card_path
from udacisense.models.card_parts import Summary
from udacisense.models.checkpoint import (
    BASELINE,
    PIPELINE,
    baseline_checkpoint,
    default_checkpoint,
    list_checkpoints,
    read_checkpoint,
)
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import KINDS, Evaluation

__all__ = ["quick_answers"]

# --- records ----------------------------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_the_home_of_these_tests(furnished: Path) -> None:
    assert verbs.models_info().problems == ()
    assert all(store.records(kind).records for kind in KINDS.values())
    assert odd_files.traces_of_verbs() == []
    assert [job.state for job in jobs.jobs()] == ["done"]


@pytest.mark.parametrize("how", odd_files.SPOILT)
def test_a_spoilt_record_of_any_kind_is_named_once_and_hides_none(furnished: Path, how: str) -> None:
    before = {kind: store.records(cls).records for kind, cls in KINDS.items()}
    odd = [furnished / "results" / kind / "odd.json" for kind in KINDS]
    for path in odd:
        odd_files.spoil(path, how)
    assert {kind: store.records(cls).records for kind, cls in KINDS.items()} == before
    problems = verbs.models_info().problems
    assert [sum(str(path) in problem for problem in problems) for path in odd] == [1] * len(odd), problems
    assert odd_files.traces_of_verbs("models", "runs", "ready") == []


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 11])
def test_pages_open_beside_a_spoilt_file_in_every_place(furnished: Path, turn: int) -> None:
    ways = [*odd_files.SPOILT][turn:] + [*odd_files.SPOILT][:turn]
    records = (furnished / "results" / kind / "odd.json" for kind in KINDS)
    for path, how in zip((*records, card_path(furnished / "models" / BASELINE), *_others(furnished)), cycle(ways)):
        odd_files.spoil(path, how)
    assert odd_files.traces_of_pages() == []
    assert "could not be read" in [expander.label.split(" ", 2)[-1] for expander in app().expander]


def _others(home: Path) -> tuple[Path, ...]:
    job = home / ".udacisense" / "jobs" / "job-1"
    return home / "results" / "tags.json", *(job / f"{name}.json" for name in ("job", "watcher", "child", "end"))


@pytest.mark.parametrize("how", odd_files.SPOILT)
def test_a_spoilt_card_artifact_job_or_file_of_tags_is_named_and_hides_none(furnished: Path, how: str) -> None:
    card = card_path(furnished / "models" / BASELINE)
    checkpoint = read_checkpoint(furnished / "models" / BASELINE)
    artifacts = list_artifacts().records
    odd = furnished / "models" / "mobile" / "odd" / "artifact.json"
    odd.parent.mkdir()
    tags = furnished / "results" / "tags.json"
    for path in (card, odd, tags, furnished / ".udacisense" / "jobs" / "job-1" / "end.json"):
        odd_files.spoil(path, how)
    (listed,) = list_checkpoints().records
    assert (listed.id, listed.sha256) == (checkpoint.id, checkpoint.sha256)
    assert list_artifacts().records == artifacts
    assert len(list_runs()) == 2
    assert [len(told_of(path)) for path in (card, odd, tags)] == [1, 1, 1], verbs.models_info().problems
    assert odd_files.verb("models")[0] == 0
    assert [job.id for job in jobs.jobs()] == ["job-1"]
    with pytest.raises(StoreError):
        tag("other")  # the names that are there would be lost


RECORD_FAULTS: dict[str, dict[tuple[str, ...], Any]] = {
    "evaluation": {
        ("top1",): "nan", ("top5",): 1.5, ("images",): -1, ("overlap_images",): -1, ("per_class",): [0.5],
        ("confusion",): [[1]],
        ("preprocess_s",): -1.0, ("forward_s",): 1e12, ("subject_sha256",): "x", ("made", "created"): "yesterday",
        ("id",): "../evaluation",
    },
    "verification": {
        ("agreement",): float("nan"), ("max_abs_diff",): float("inf"), ("mean_abs_diff",): -1.0, ("accuracy_before",): 2,
        ("mcnemar_p",): -0.1, ("flips",): [{"image": "x", "label": 1, "before": 0, "after": 99, "margin": 0.1}],
        ("measures", "cosine"): 7, ("measures", "lost"): -3, ("images",): 10**400, ("made", "machine", "memory_bytes"): -1,
    },
    "benchmark": {
        ("load_s",): -1.0, ("first_s",): 1e300, ("blocks_s",): [[1e-3, None]], ("threads",): 10**400, ("batch",): 0,
        ("input_px",): [224], ("preprocess_s",): ["a"], ("peak_rss_bytes",): -1, ("size_bytes",): True,
        ("blocks_per_start",): [7],
    },
    "readiness": {("status",): "maybe", ("verdicts",): None, ("made", "created"): "0001-01-01T00:00:00Z"},
    "location": {("gaps",): [], ("images",): -1},
    "selftest": {("seconds",): "inf", ("trials", 0, "ratios"): [0.0]},  # type: ignore[dict-item]
    "compression_step": {("sparsity",): 2.0, ("macs",): -1, ("place",): 0, ("validation_top1",): None},
    "compression": {("mode",): "both", ("made", "load_1min"): -1.0},
}  # fmt: skip


@pytest.mark.parametrize("kind", RECORD_FAULTS)
def test_a_record_with_an_absurd_value_is_named_and_not_used(furnished: Path, kind: str) -> None:
    good = next((furnished / "results" / kind).glob("*.json"))
    plain = json.loads(good.read_text())
    before = store.records(KINDS[kind])
    for number, (way, value) in enumerate(RECORD_FAULTS[kind].items()):
        odd = good.with_name(f"odd{number}.json")
        odd_files.write(odd, odd_files.put(odd_files.put(plain, ("record", "id"), odd.stem), ("record", *way), value))
        assert len(told_of(odd)) == 1, (way, value)
    assert store.records(KINDS[kind]).records == before.records


def test_a_record_under_another_name_than_its_id_is_refused(furnished: Path) -> None:
    good = next((furnished / "results" / "evaluation").glob("*.json"))
    shutil.copy(good, good.with_name("other.json"))
    found = store.records(Evaluation)
    assert len(found.records) == 3
    assert "other.json holds the record eval-" in found.problems[0]


# --- weight files -----------------------------------------------------------------------------------------------------


ODD_WEIGHTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "is a pipe"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "leads out of"),
    "link out": (lambda path: path.symlink_to("/etc/passwd"), "leads out of"),
    "loop": (lambda path: path.symlink_to(path.name), "odd.pth"),
    "nowhere": (lambda path: path.symlink_to("gone"), "There is no file"),
    "folder": (Path.mkdir, "is a folder"),
    "empty": (Path.touch, "is empty"),
    "sparse": (lambda path: odd_files.sparse(path, 1 << 40), "larger than"),
}


@pytest.mark.parametrize("how", ODD_WEIGHTS)
def test_an_odd_weight_file_is_named_once_and_the_others_are_listed(home: Path, how: str) -> None:
    good = fake_checkpoint(home / "models" / BASELINE)
    make, why = ODD_WEIGHTS[how]
    odd = home / "models" / "odd.pth"
    make(odd)
    listing = list_checkpoints()
    assert listing.records == (good,)
    assert len(listing.problems) == 1
    assert str(odd) in listing.problems[0]
    assert why in listing.problems[0]


def test_a_pipeline_file_that_cannot_be_used_lets_the_baseline_stand_in(home: Path) -> None:
    baseline = fake_checkpoint(home / "models" / BASELINE)
    final = home / "models" / PIPELINE
    final.parent.mkdir()
    final.touch()
    found, notice = default_checkpoint()
    assert found == baseline
    assert "is empty" in str(notice)
    assert odd_files.verb("models")[0] == 0


def test_a_baseline_that_is_a_pipe_is_no_baseline(home: Path) -> None:
    (home / "models" / BASELINE).parent.mkdir(parents=True)
    os.mkfifo(home / "models" / BASELINE)
    assert baseline_checkpoint() is None
    assert odd_files.verb("models")[0] == 0


def test_links_out_of_the_folder_are_followed_only_when_a_setting_says_so(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    fake_checkpoint(elsewhere / "more" / "far.pth", technique="far")
    (home / "models").mkdir()
    (home / "models" / "linked").symlink_to(elsewhere / "more")
    (home / "models" / "alone.pth").symlink_to(elsewhere / "more" / "far.pth")
    listing = list_checkpoints()
    assert listing.records == ()
    assert [problem.split(" is a link")[0] for problem in listing.problems] == [
        str(home / "models" / name) for name in ("linked", "alone.pth")
    ]
    monkeypatch.setenv("UDACISENSE_FOLLOW_LINKS", "1")
    settings.cache_clear()
    assert {c.technique for c in list_checkpoints().records} == {"far", "alone"}


def test_links_in_a_circle_end(home: Path) -> None:
    good = fake_checkpoint(home / "models" / "a" / "good.pth")
    (home / "models" / "a" / "up").symlink_to(home / "models")
    listing = list_checkpoints()
    assert (listing.records, listing.problems) == ((good,), ())


def test_a_record_behind_a_link_out_of_results_is_named(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = furnished / "results" / "benchmark"
    away = shutil.move(folder, tmp_path_factory.mktemp("away") / "benchmark")
    folder.symlink_to(away)
    found = store.records(KINDS["benchmark"])
    assert found.records == ()
    assert len(found.problems) == 6
    assert "UDACISENSE_FOLLOW_LINKS" in found.problems[0]


# --- what a file costs ------------------------------------------------------------------------------------------------


def test_a_list_is_read_up_to_its_first_fault() -> None:
    """A million faults would take a gigabyte of memory and ten seconds, for one sentence."""
    wrong = {
        TypeAdapter(KINDS["benchmark"]): {"preprocess_s": [""] * 1000, "starts": [{}] * 1000, "blocks_s": [["", ""]] * 1000},
        TypeAdapter(Summary): {"layers": [{}] * 1000},
    }
    for adapter, plain in wrong.items():
        with pytest.raises(ValidationError) as told:
            adapter.validate_json(json.dumps(plain), strict=True)
        assert told.value.error_count() < 50


def test_a_file_of_more_values_than_any_record_has_is_not_unpacked() -> None:
    with pytest.raises(ValueError, match="more than 1,000,000 values"):
        files.parse_json("[" + "[]," * (files.MAX_VALUES + 1) + "[]]")
    assert len(files.parse_json("[" + "1," * 1000 + "1]")) == 1001
