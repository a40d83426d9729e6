"""The runner with fake techniques: what is finished is never done twice, and whatever goes wrong leaves what came before."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.compression.fake_technique import BASELINE, Fake, a_pipeline, chain, fake, step
from udacisense.compression import ledger
from udacisense.compression.pipeline import Ran, run_pipeline
from udacisense.compression.pipeline_file import Pipeline, plan
from udacisense.compression.work import Work
from udacisense.errors import DataError
from udacisense.models.checkpoint import read_checkpoint, trained_hashes, training_info
from udacisense.progress import watched_by
from udacisense.records import store
from udacisense.types import Compression, CompressionStep

__all__ = ["fake"]

FINAL = Path("models", "fake", "final.pth")


def run(plain: Pipeline) -> Ran:
    return run_pipeline(plan(plain))


# --- what it makes --------------------------------------------------------------------------------------------------------


def test_a_chain_hands_each_checkpoint_to_the_next(fake: Fake, sample_home: Path) -> None:
    ran = run(chain(step("first", 0.1), step("second", 0.2)))
    assert [(s.name, s.place, s.pipeline, s.mode) for s in ran.steps] == [
        ("first", 1, "fake", "chain"),
        ("second", 2, "fake", "chain"),
    ]
    start, (first, second) = read_checkpoint(sample_home / BASELINE), ran.steps
    assert (first.parent_id, second.parent_id, second.parent_sha256) == (start.id, first.checkpoint_id, first.sha256)
    assert first.path == "models/fake/steps/01-first.pth"
    before, after = (torch.load(sample_home / p, weights_only=True)["model.classifier.3.bias"] for p in (BASELINE, second.path))
    assert torch.allclose(after, before + 0.3)
    assert ran.record.whole
    assert ran.record.steps == (first.id, second.id)
    assert store.records(CompressionStep).records == ran.steps


def test_a_step_leaves_a_checkpoint_with_its_card(fake: Fake, sample_home: Path) -> None:
    (first,) = run(a_pipeline(step("first"))).steps
    found = read_checkpoint(sample_home / first.path)
    assert (found.id, found.technique, found.parent_id) == (first.checkpoint_id, "first", first.parent_id)
    info = training_info(found)
    assert info is not None
    assert (info["pipeline"], info["step"]["sparsity"], info["notes"]) == ("fake", 0.1, {"asked": "first"})
    assert info["curves"][0]["stage"] == "first"
    known = trained_hashes(found)
    assert known is not None
    assert len(known) == first.images + 2, "the start's images and its own"
    assert (first.validation_images, first.validation_top1) == (10, 0.5)
    assert first.notes == {"asked": "first"}
    assert first.made.command == "python -m udacisense compress --pipeline fake"


def test_the_last_step_of_a_chain_goes_to_its_final_place(fake: Fake, sample_home: Path) -> None:
    ran = run(chain(step("first"), step("second")))
    assert ran.final == read_checkpoint(sample_home / FINAL)
    assert ran.final is not None
    assert (ran.final.technique, ran.final.sha256) == ("fake", ran.steps[-1].sha256)
    assert ran.final.parent_id == ran.steps[0].checkpoint_id
    assert trained_hashes(ran.final) == trained_hashes(read_checkpoint(sample_home / ran.steps[-1].path))


def test_singles_all_start_from_the_start(fake: Fake, sample_home: Path) -> None:
    ran = run(a_pipeline(step("one", 0.1), step("two", 0.2), mode="singles"))
    assert {s.parent_sha256 for s in ran.steps} == {read_checkpoint(sample_home / BASELINE).sha256}
    assert ran.final is None


def test_the_images_held_out_are_not_trained_on(fake: Fake) -> None:
    ran = run(a_pipeline(step("first")))
    work = fake.works[0]
    assert work.validation is not None
    assert (len(work.train), len(work.validation)) == (ran.steps[0].images, 10)
    assert len(work.train) + len(work.validation) == ran.steps[0].data.images


# --- again ----------------------------------------------------------------------------------------------------------------


def test_a_second_run_does_nothing_and_says_so(fake: Fake) -> None:
    first = run(chain(step("first"), step("second")))
    again = run(chain(step("first"), step("second")))
    assert fake.done == ["first", "second"]
    assert (again.skipped, first.skipped) == (("first", "second"), ())
    assert (again.record, again.steps, again.final) == (first.record, first.steps, first.final)
    assert len(store.records(Compression).records) == 1


def test_a_changed_step_is_done_again_with_all_that_follow(fake: Fake) -> None:
    run(chain(step("a", 0.1), step("b", 0.2), step("c", 0.3)))
    again = run(chain(step("a", 0.1), step("b", 0.25), step("c", 0.3)))
    assert fake.done == ["a", "b", "c", "b", "c"]
    assert again.skipped == ("a",)


def test_another_name_is_no_other_step(fake: Fake) -> None:
    old = run(a_pipeline(step("old name"))).steps[0]
    again = run(a_pipeline(step("new name")))
    assert again.skipped == ("new name",)
    assert (again.steps[0].name, again.steps[0].sha256, again.steps[0].path) == ("new name", old.sha256, old.path)


def test_a_default_that_is_spelled_out_is_no_other_step(fake: Fake) -> None:
    run(a_pipeline(step("a")))
    assert run(a_pipeline(step("a", schedule="one-shot"))).skipped == ("a",)


@pytest.mark.parametrize("change", [{"seed": 7}, {"validation_per_class": 2}])
def test_another_seed_or_split_is_another_result(fake: Fake, change: dict[str, int]) -> None:
    run(a_pipeline(step("a")))
    assert run(a_pipeline(step("a"), **change)).skipped == ()


def test_a_revised_technique_is_done_again(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    run(a_pipeline(step("a")))
    monkeypatch.setattr(ledger, "revision", lambda technique: 99)
    assert run(a_pipeline(step("a"))).skipped == ()


def test_another_start_is_another_result(fake: Fake, sample_home: Path) -> None:
    run(a_pipeline(step("a")))
    weights = torch.load(sample_home / BASELINE, weights_only=True)
    weights["model.classifier.3.bias"] += 1
    torch.save(weights, sample_home / BASELINE)
    assert run(a_pipeline(step("a"))).skipped == ()


def test_a_longer_chain_goes_on_from_what_is_there(fake: Fake, sample_home: Path) -> None:
    run(chain(step("a")))
    again = run(chain(step("a"), step("b")))
    assert fake.done == ["a", "b"]
    assert read_checkpoint(sample_home / FINAL).sha256 == again.steps[-1].sha256


def test_a_clone_without_the_steps_weights_needs_the_final_one_only(fake: Fake, sample_home: Path) -> None:
    run(chain(step("a"), step("b")))
    shutil.rmtree(sample_home / "models" / "fake" / "steps")
    again = run(chain(step("a"), step("b")))
    assert (again.skipped, fake.done) == (("a", "b"), ["a", "b"])
    longer = run(chain(step("a"), step("b"), step("c")))
    assert fake.done == ["a", "b", "c"]
    assert len(longer.steps) == 3


def test_weights_that_are_gone_are_made_again(fake: Fake, sample_home: Path) -> None:
    singles = a_pipeline(step("a", 0.1), step("b", 0.2), mode="singles")
    ran = run(singles)
    (sample_home / ran.steps[1].path).unlink()
    assert run(singles).skipped == ("a",)
    assert fake.done == ["a", "b", "b"]


# --- what goes wrong ------------------------------------------------------------------------------------------------------


def test_holding_out_everything_is_refused(fake: Fake) -> None:
    with pytest.raises(DataError, match=r"validation_per_class = 9999 holds out every training image of clock"):
        run(a_pipeline(step("a"), validation_per_class=9999))
    assert fake.done == []


def broken(_: Work) -> None:
    raise RuntimeError("the matrix is singular")


def test_a_chain_that_breaks_keeps_what_came_before(fake: Fake, sample_home: Path) -> None:
    fake.on["second"] = broken
    ran = run(chain(step("first"), step("second"), step("third")))
    assert [s.name for s in ran.steps] == ["first"]
    (failed,) = ran.record.failed
    assert (failed.place, failed.name, failed.message) == (2, "second", "RuntimeError: the matrix is singular")
    assert not ran.record.whole
    assert ran.final is None
    assert (sample_home / ran.steps[0].path).is_file()
    assert not (sample_home / FINAL).exists()
    fake.on.clear()
    assert run(chain(step("first"), step("second"), step("third"))).skipped == ("first",)
    assert fake.done == ["first", "second", "third"]


def test_as_singles_the_others_go_on(fake: Fake) -> None:
    fake.on["b"] = broken
    ran = run(a_pipeline(step("a", 0.1), step("b", 0.2), step("c", 0.3), mode="singles"))
    assert [s.name for s in ran.steps] == ["a", "c"]
    assert [f.name for f in ran.record.failed] == ["b"]


def test_a_killed_step_finds_its_states_again(fake: Fake) -> None:
    seen: list[bool] = []

    def die(work: Work) -> None:
        seen.append((work.states / "half").exists())
        work.states.mkdir(parents=True, exist_ok=True)
        (work.states / "half").touch()
        if len(seen) == 1:
            raise KeyboardInterrupt

    fake.on["a"] = die
    with pytest.raises(KeyboardInterrupt):
        run(a_pipeline(step("a")))
    run(a_pipeline(step("a")))
    assert seen == [False, True]
    assert not fake.works[-1].states.exists(), "a finished step needs them no more"


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_previous_checkpoint(fake: Fake, sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(chain(step("a", 0.1)))
    kept = (sample_home / first.steps[0].path).read_bytes()
    monkeypatch.setattr(torch, "save", full)
    ran = run(chain(step("a", 0.2)))
    (failed,) = ran.record.failed
    assert "No space left on device. Free some space" in failed.message
    assert (sample_home / first.steps[0].path).read_bytes() == kept
    assert (sample_home / FINAL).read_bytes() == kept
    assert list((sample_home / "models").rglob("*.part")) == []


def test_a_full_disk_does_not_hide_which_step_it_stopped(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(record: object) -> None:
        raise store.StoreError("results/ could not be written: No space left on device.")

    monkeypatch.setattr(store, "save", refuse)
    ran = run(chain(step("a")))
    assert ran.record.failed[0].message.startswith("results/ could not be written")


def test_a_final_file_that_was_damaged_is_mended(fake: Fake, sample_home: Path) -> None:
    ran = run(chain(step("a")))
    card = sample_home / FINAL.with_name("final.card.json")
    plain = json.loads(card.read_text())
    card.unlink()
    (sample_home / FINAL).unlink()
    again = run(chain(step("a")))
    assert again.final == ran.final
    assert json.loads(card.read_text()) == plain


def test_progress_grows_and_names_the_step(fake: Fake) -> None:
    told: list[tuple[float, str]] = []
    with watched_by(lambda fraction, stage: told.append((fraction, stage))):
        run(chain(step("first"), step("second")))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert any(stage.startswith("step 2 of 2: second: ") for _, stage in told)
