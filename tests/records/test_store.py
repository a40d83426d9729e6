"""The only writer: atomic, append-only, and plain about what it cannot read."""

from __future__ import annotations

import dataclasses
import errno
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from tests.fakes import fake_ref, made
from udacisense.errors import NotFoundError, StoreError
from udacisense.records import store
from udacisense.types import Checkpoint, Evaluation


def evaluation() -> Evaluation:
    return Evaluation(
        id=store.new_id("fake"),
        subject_id="net-x-00000000",
        subject_sha256="0" * 64,
        data=fake_ref(20),
        images=20,
        top1=0.85,
        top5=1.0,
        per_class=(0.5, *[1.0] * 8, None),
        confusion=((2,) * 10,) * 10,
        overlap_images=None,
        predictions_path="predictions/x.npz",
        preprocess_s=0.1,
        forward_s=0.2,
        made=made(),
    )


def test_a_record_comes_back_as_it_was_saved(home: Path) -> None:
    record = evaluation()
    path = store.save(record)
    assert path == home / "results" / "evaluation" / f"{record.id}.json"
    assert store.load("evaluation", record.id) == record
    assert store.records(Evaluation).records == (record,)


def test_records_are_never_changed(home: Path) -> None:
    record = evaluation()
    store.save(record)
    with pytest.raises(StoreError, match="never changed"):
        store.save(dataclasses.replace(record, top1=0.99))
    assert store.load("evaluation", record.id).top1 == record.top1


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_listed(home: Path) -> None:
    good = evaluation()
    folder = store.save(good).parent
    (folder / "broken.json").write_text('{"schema": 1, "kind": "evaluation"')
    (folder / "newer.json").write_text(json.dumps({"schema": 99, "kind": "evaluation", "record": {}}))
    (folder / "other.json").write_text(json.dumps({"schema": 1, "kind": "benchmark", "record": {}}))
    wrong = json.loads((folder / f"{good.id}.json").read_text())
    wrong["record"]["top1"] = 87.8
    (folder / "percent.json").write_text(json.dumps(wrong))
    listing = store.records(Evaluation)
    assert listing.records == (good,)
    told = "\n".join(listing.problems)
    for name, words in {
        "broken": "not a record file",
        "newer": "schema 99",
        "other": "holds a benchmark",
        "percent": "top1: Input should be less than or equal to 1",
    }.items():
        assert any(name in p and words in p for p in listing.problems), told


def test_a_missing_record_says_so(home: Path) -> None:
    with pytest.raises(NotFoundError, match="no evaluation 'nothing'"):
        store.load("evaluation", "nothing")


def test_a_full_disk_leaves_the_old_file_and_no_part(home: Path) -> None:
    target = home / "results" / "note.txt"
    store.write_text(target, "before")

    def full() -> None:
        with store.replace_file(target) as part:
            part.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match="No space left"):
        full()
    assert target.read_text() == "before"
    assert [p.name for p in target.parent.iterdir()] == ["note.txt"]


def test_a_folder_takes_its_place_whole_or_not_at_all(home: Path) -> None:
    target = home / "models" / "mobile" / "a"
    with store.replace_folder(target) as part:
        (part / "one").write_text("1")

    def crash() -> None:
        with store.replace_folder(target) as part:
            (part / "two").write_text("2")
            raise RuntimeError("converter crashed")

    with pytest.raises(RuntimeError, match="converter crashed"):
        crash()
    assert [p.name for p in target.iterdir()] == ["one"]
    with store.replace_folder(target) as part:
        (part / "three").write_text("3")
    assert [p.name for p in target.iterdir()] == ["three"]
    assert [p.name for p in target.parent.iterdir()] == ["a"]


def _write_many(path: str, letter: str) -> None:
    for _ in range(50):
        store.write_text(Path(path), letter * 10_000)


@pytest.mark.slow
def test_two_writers_at_once_never_mix(home: Path) -> None:
    target = home / "results" / "shared.txt"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_many, args=(str(target), letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    seen = set()
    while any(w.is_alive() for w in writers):
        if target.exists():
            seen.add(target.read_text())
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert seen <= {"a" * 10_000, "b" * 10_000}
    assert [p.name for p in target.parent.iterdir()] == ["shared.txt"]


def test_paths_inside_the_project_are_stored_relative(home: Path) -> None:
    checkpoint = Checkpoint(
        id="net-x-00000000",
        path=home / "models" / "x" / "model.pth",
        sha256="0" * 64,
        architecture="net",
        technique="x",
        parent_id=None,
        classes=tuple("abcdefghij"),
        input_px=(224, 224),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        parameters=None,
        size_bytes=1,
        trained_on=None,
        trained_on_images=None,
        created="2026-01-01T00:00:00Z",
    )
    plain = store.to_json(checkpoint)
    assert plain["path"] == "models/x/model.pth"
    assert store.from_json(Checkpoint, plain) == checkpoint


def test_a_hash_follows_the_file(home: Path) -> None:
    path = home / "f"
    path.write_bytes(b"one")
    first = store.sha256_of(path)
    path.write_bytes(b"other")
    assert store.sha256_of(path) != first
    with pytest.raises(NotFoundError):
        store.sha256_of(home / "none")
