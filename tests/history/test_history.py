from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmark.series import bench, sped
from tests.story import Story
from udacisense.errors import NotFoundError, StoreError
from udacisense.history.against import _by_runs, _welch, against, mismatch, role_of, roles
from udacisense.history.runs import find_run, list_runs, tag, tags
from udacisense.records import store
from udacisense.types import Benchmark

LEVELS = list(0.010 * (1 + 0.005 * np.random.default_rng(0).normal(size=24)))
ANCHOR = {"subject_id": "mobilenet_v3_small-baseline-9bfd99f6", "subject_sha256": "b" * 64, "runtime": "torch"}


def run(name: str, factor: float, machine: float = 1.0, sha: str = "a", seed: int = 0) -> tuple[Benchmark, Benchmark]:
    """The baseline and a file that takes `factor` times as long as usual, on a machine `machine` times as slow."""
    anchor = sped(bench(LEVELS, seed=seed), 1.4 * machine, id=f"bench-base-{name}", run_id=name, **ANCHOR)
    own = sped(bench(LEVELS, seed=seed + 1), factor * machine, id=f"bench-{name}", run_id=name, subject_sha256=sha * 64)
    return anchor, own


@pytest.mark.parametrize(
    ("factor", "course"), [(1.0, "same"), (1.2, "worse"), (0.8, "better")], ids=["same", "slower", "faster"]
)
def test_a_common_file_takes_the_machine_out(home: Path, factor: float, course: str) -> None:
    """The whole machine is half as fast the second time; only the file's own change counts."""
    found = against(run("run-1", 1.0), run("run-2", factor, machine=2.0, sha="c", seed=5))
    change = next(s for s in found.subjects if s.role == "torchscript-fp32").changes[0]
    assert change.course == course, change.reason
    assert change.change is not None
    assert change.change.value == pytest.approx(factor, rel=0.01)
    assert change.change.low < change.change.value < change.change.high
    assert "mobilenet_v3_small-baseline-9bfd99f6" in change.reason


def test_without_a_common_file_or_many_runs_nothing_is_claimed(home: Path) -> None:
    found = against(run("run-1", 1.0)[1:], run("run-2", 1.5)[1:])
    change = found.subjects[0].changes[0]
    assert (change.course, change.change) == ("unknown", None)
    assert "share no other file" in change.reason
    assert found.course == "unknown"


def test_many_runs_of_one_file_say_how_much_runs_differ(home: Path) -> None:
    for i, level in enumerate((1.0, 1.01, 0.99, 1.005)):
        store.save(run(f"run-{i}", level)[1])
    slow, alike = (against(run("run-0", 1.0)[1:], run("run-9", f)[1:]).subjects[0].changes[0] for f in (1.3, 1.0))
    assert slow.course == "worse"
    assert "4 runs of one file" in slow.reason
    assert alike.course in ("same", "unknown")


def test_runs_on_other_cores_are_not_compared(home: Path) -> None:
    before, after = run("run-1", 1.0), run("run-2", 1.5)
    change = against(before, tuple(replace(b, cpus=(1,)) for b in after)).subjects[1].changes[0]
    assert change.course == "unknown"
    assert "ran on any core before and on cores 1 after" in change.reason


def test_runs_of_one_start_each_are_held_together_with_room(home: Path) -> None:
    once = [tuple(replace(b, blocks_per_start=()) for b in run(f"run-{i}", f)) for i, f in enumerate((1.0, 1.3, 2.0))]
    some, much = (against(once[0], later).subjects[1].changes[0] for later in once[1:])
    assert (some.course, much.course) == ("unknown", "worse")


def test_the_interval_by_runs_is_students(home: Path) -> None:
    from scipy import stats as scipy_stats

    runs = [run(f"run-{i}", level)[1] for i, level in enumerate((1.0, 1.02, 0.97, 1.01))]
    logs = np.log([np.median(b.steady_s) for b in runs])
    found = _by_runs(runs[0], runs[1], runs)
    half = scipy_stats.t.ppf(0.975, 3) * np.std(logs, ddof=1) * np.sqrt(2)
    assert np.log(found) == pytest.approx([logs[1] - logs[0] + s * half for s in (0, -1, 1)])


def test_other_machines_are_not_compared_and_it_says_why(home: Path) -> None:
    before, after = run("run-1", 1.0), run("run-2", 1.5)
    other = replace(after[0].made.machine, cpu="Other CPU", memory_limit_bytes=2**30)
    moved = tuple(replace(b, made=replace(b.made, machine=other)) for b in after)
    found = against(before, moved)
    assert found.subjects == ()
    assert found.mismatches == (
        "cpu: Fake CPU before, Other CPU after.",
        f"memory limit bytes: not recorded before, {2**30} after.",
    )
    assert found.course == "unknown"
    assert mismatch(other, replace(other, python="3.13.1")) == (), "software is named, it is no reason"


def test_software_that_changed_between_is_named(home: Path) -> None:
    before, after = run("run-1", 1.0), run("run-2", 1.0)
    newer = tuple(replace(b, made=replace(b.made, versions={"torch": "2.14.0", "numpy": "2.4.6"})) for b in after)
    assert against(before, newer).subjects[0].software == ("torch 2.13.0 → 2.14.0",)


def test_a_larger_file_is_worse(home: Path) -> None:
    before, after = run("run-1", 1.0), run("run-2", 1.0)
    grown = (after[0], replace(after[1], size_bytes=7_000_000))
    changes = {c.what: c for s in against(before, grown).subjects for c in s.changes if s.role == "torchscript-fp32"}
    assert changes["size"].course == "worse"
    assert against(before, grown).course == "worse"


def test_accuracy_is_judged_on_the_same_images(seeded_home: Story) -> None:
    """The drifting file took the place of the faithful one, under its name."""
    _, faithful, drifting = seeded_home.benchmarks
    later = replace(faithful, run_id="run-2", subject_sha256=drifting.subject_sha256)
    change = against([faithful], [later]).subjects[0].changes[2]
    assert change.what == "accuracy"
    assert change.before == seeded_home.evaluations[1].top1
    assert change.after == seeded_home.evaluations[2].top1
    assert change.change is not None
    assert change.change.low <= change.after - change.before <= change.change.high  # type: ignore[operator]


def test_a_file_that_was_not_evaluated_is_unknown(home: Path) -> None:
    change = against(run("run-1", 1.0), run("run-2", 1.0)).subjects[0].changes[2]
    assert change.course == "unknown"
    assert "python -m udacisense evaluate" in change.reason


def test_runs_are_found_by_id_record_and_tag(seeded_home: Story) -> None:
    whole = find_run()
    assert len(whole) == 3
    assert tag("v1") == whole[0].run_id == "run-20260102T030405-abcdef"
    assert tags() == {"v1": whole[0].run_id}
    assert find_run("v1") == find_run(whole[1].id) == find_run(whole[0].run_id) == whole
    with pytest.raises(NotFoundError, match="Tags: v1"):
        find_run("v2")


def test_runs_are_listed_with_their_subjects_and_tags(seeded_home: Story) -> None:
    assert list_runs()[0].tags == ()
    tag("before")
    (found,) = list_runs()
    assert found.id == seeded_home.benchmarks[0].run_id
    assert set(found.subjects) == {b.subject_id for b in seeded_home.benchmarks}
    assert found.tags == ("before",)


@pytest.mark.parametrize("name", ["run-1", "bench-x", "", "a b", "../x"])
def test_a_tag_cannot_look_like_something_else(seeded_home: Story, name: str) -> None:
    with pytest.raises(StoreError, match="cannot be a tag"):
        tag(name)


def test_a_damaged_file_of_tags_is_told(seeded_home: Story) -> None:
    (seeded_home.home / "results" / "tags.json").write_text("[1")
    with pytest.raises(StoreError, match=r"tags\.json is not JSON"):
        find_run("v1")


def test_a_role_is_the_id_without_its_digests() -> None:
    assert role_of("torchscript-lite-fp32-9bfd99f6-eb1c82") == "torchscript-lite-fp32"
    assert role_of("mobilenet_v3_small-baseline-9bfd99f6") == "mobilenet_v3_small-baseline"


def test_two_files_of_one_role_are_told_apart_by_their_checkpoints(seeded_home: Story) -> None:
    one = seeded_home.benchmarks[-1]
    pruned = replace(one, id="bench-b", subject_id="executorch-int8-147d0853-3c6d11")
    whole = replace(one, id="bench-a", subject_id="executorch-int8-9bfd99f6-3c6d11")
    earlier = [replace(whole, id="bench-c", run_id="run-before")]
    assert roles([pruned]) == {pruned.subject_id: "executorch-int8"}
    assert set(roles([pruned, whole]).values()) == {"executorch-int8-147d0853", "executorch-int8-9bfd99f6"}
    found = against(earlier, [pruned, whole])
    assert [s.role for s in found.subjects] == ["executorch-int8-9bfd99f6"]
    assert found.alone == ("executorch-int8-147d0853",)


def test_the_interval_through_a_common_file_is_welchs() -> None:
    """Held against scipy on series whose neighbours do not follow each other, so that every block counts."""
    from scipy import stats as scipy_stats

    rng = np.random.default_rng(5)
    signs = np.where(np.arange(20) % 2, 1.0, -1.0)
    old, new = 0.3 + 0.02 * signs * rng.random(20), 0.4 + 0.05 * signs[:14] * rng.random(14)
    found = _welch(old, new)
    wanted = scipy_stats.ttest_ind(new, old, equal_var=False).confidence_interval(0.95)
    assert np.log([found.low, found.high]) == pytest.approx([wanted.low, wanted.high])
    assert np.log(found.value) == pytest.approx(new.mean() - old.mean())
