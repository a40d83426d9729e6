"""The index beside the records: it says what the files say, whatever happens to them or to it."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.fakes import fake_ref, made
from tests.story import Story
from udacisense import verbs
from udacisense.records import index, index_file, queries, store
from udacisense.settings import settings
from udacisense.types import KINDS, Evaluation, SourceName
from ui.overview import state
from ui.overview.speed import LOOKED_AT

FILES = ("a" * 64, "b" * 64)


def evaluation(name: str, sha256: str = FILES[0], source: SourceName = "folder", day: int = 1) -> Evaluation:
    return Evaluation(
        id=f"eval-{name}",
        subject_id="net-x-00000000",
        subject_sha256=sha256,
        data=fake_ref(20, source),
        images=20,
        top1=0.85,
        top5=1.0,
        per_class=(0.5, *[1.0] * 8, None),
        confusion=((2,) * 10,) * 10,
        overlap_images=None,
        predictions_path="predictions/x.npz",
        preprocess_s=0.1,
        forward_s=0.2,
        made=dataclasses.replace(made(), created=f"2026-01-{day:02d}T00:00:00Z"),
    )


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were parsed, in order."""
    store._parsed.cache_clear()
    seen: list[str] = []
    parse = store.parse

    def watched(text: str, kind: str, cls: type, where: str) -> object:
        seen.append(Path(where).name)
        return parse(text, kind, cls, where)

    monkeypatch.setattr(store, "parse", watched)
    return seen


def in_memory() -> bool:
    assert index_file._held is not None
    return bool(index_file._held[2].execute("PRAGMA database_list").fetchone()[2] == "")


def as_told() -> tuple[tuple[Evaluation, ...], tuple[str, ...]]:
    """What the index says of all evaluations."""
    found = [record for row in index.rows("evaluation") if (record := store.load("evaluation", Path(row.file).stem))]
    return tuple(found), queries.unreadable(Evaluation)


def as_it_is() -> tuple[tuple[Evaluation, ...], tuple[str, ...]]:
    """What reading every file says."""
    listing = store.records(Evaluation)
    return listing.records, listing.problems


# --- the index equals the files -----------------------------------------------------------------------------------------

NAMES = st.sampled_from(["one", "two", "three"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), NAMES, st.sampled_from(FILES), st.sampled_from(["folder", "sample"]), st.integers(1, 28)),
        st.tuples(st.just("remove"), NAMES),
        st.tuples(
            st.just("damage"), NAMES, st.sampled_from(["", "{", "[]", '{"schema": 99, "kind": "evaluation", "record": {}}'])
        ),
        st.tuples(st.just("forget index")),
        st.tuples(st.just("damage index"), st.binary(max_size=40)),
        st.tuples(st.just("ask")),
    ),
    max_size=12,
)


def do(step: tuple[str, ...], folder: Path) -> None:
    match step:
        case "save", name, sha256, source, day:
            text = store.dump(evaluation(name, sha256, source, day), "evaluation")  # type: ignore[arg-type]
            store.write_text(folder / f"eval-{name}.json", text)
        case "remove", name:
            (folder / f"eval-{name}.json").unlink(missing_ok=True)
        case "damage", name, text:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"eval-{name}.json").write_text(text, encoding="utf-8")
        case ("forget index",):
            index_file.index_path().unlink(missing_ok=True)
        case "damage index", garbage:
            index_file.index_path().parent.mkdir(exist_ok=True)
            index_file.index_path().write_bytes(garbage)  # type: ignore[arg-type]
        case _:
            assert as_told() == as_it_is()


@given(STEPS)
@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_the_files_the_index_says_what_they_say(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, ...]]
) -> None:
    monkeypatch.setenv("UDACISENSE_HOME", str(tmp_path_factory.mktemp("home")))
    settings.cache_clear()
    for step in steps:
        do(step, settings().results_dir / "evaluation")
    assert as_told() == as_it_is()
    records = as_it_is()[0]
    assert queries.how_many(Evaluation) == len(records)
    for sha256 in FILES:
        own = [e for e in records if e.subject_sha256 == sha256]
        assert list(queries.evaluations_of(sha256)) == own
        real = [e for e in own if e.data.source != "sample"]
        assert queries.standing_evaluation(sha256) == next(reversed(real or own), None)
        for dataset_id in {e.data.dataset_id for e in records}:
            on_it = [e for e in own if e.data.dataset_id == dataset_id]
            assert queries.newest_evaluation(sha256, dataset_id) == (on_it[-1] if on_it else None)


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_shipped_records_every_kind_is_listed_as_it_is_read(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = settings().results_dir / kind
    (tmp_path / "results").mkdir()
    if shipped.is_dir():
        (tmp_path / "results" / kind).symlink_to(shipped)
    monkeypatch.setenv("UDACISENSE_HOME", str(tmp_path))
    monkeypatch.setenv("UDACISENSE_FOLLOW_LINKS", "1")
    settings.cache_clear()
    found = queries.Found(index.rows(kind))
    assert tuple(found) == store.records(KINDS[kind]).records
    assert len(found) == len(list(shipped.glob("*.json")))


def test_an_edit_that_keeps_size_and_time_is_seen_by_another_process(home: Path) -> None:
    path = store.save(evaluation("one"))
    assert queries.evaluations_of(FILES[0]).rows
    before = path.stat()
    path.write_text(path.read_text().replace(FILES[0], FILES[1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    store._parsed.cache_clear()
    assert not queries.evaluations_of(FILES[0]).rows
    assert len(queries.evaluations_of(FILES[1]).rows) == 1


def test_within_one_look_a_record_that_was_just_saved_is_seen(home: Path) -> None:
    with queries.one_look():
        for day in range(1, 6):
            store.save(evaluation(str(day), day=day))
            newest = queries.evaluations_of(FILES[0]).newest()
            assert newest is not None
            assert newest.id == f"eval-{day}"


def test_within_one_look_a_record_is_seen_where_the_clock_of_the_disk_is_coarse(home: Path) -> None:
    later_ns = time.time_ns() + 60 * 10**9
    with queries.one_look():
        for number in range(1, 4):
            folder = store.save(evaluation(str(number))).parent
            os.utime(folder, ns=(later_ns, later_ns))
            assert queries.how_many(Evaluation) == number


def test_a_settled_folder_is_passed_over_once_in_one_look(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = store.save(evaluation("one")).parent
    os.utime(folder, (1_700_000_000, 1_700_000_000))
    passes = []
    stamps = index._stamps
    monkeypatch.setattr(index, "_stamps", lambda place: passes.append(place) or stamps(place))
    with queries.one_look():
        for _ in range(5):
            assert queries.how_many(Evaluation) == 1
        once = len(passes)
        store.save(evaluation("two"))
        assert queries.how_many(Evaluation) == 2
    assert once <= 2  # the first pass finds a new file, so a second one makes sure
    assert len(passes) > once


def test_a_file_that_cannot_be_read_is_named_each_time_and_parsed_once(home: Path, parsed: list[str]) -> None:
    folder = store.save(evaluation("one")).parent
    (folder / "broken.json").write_text("{")
    for _ in range(3):
        (problem,) = queries.unreadable(Evaluation)
        assert "broken.json is not a record file" in problem
    assert parsed.count("broken.json") == 1


def test_a_record_that_goes_between_the_question_and_its_file_is_left_out(home: Path) -> None:
    store.save(evaluation("one", day=1))
    path = store.save(evaluation("two", day=2))
    found = queries.evaluations_of(FILES[0])
    path.unlink()
    newest = found.newest()
    assert newest is not None
    assert newest.id == "eval-one"


# --- the file of the index ----------------------------------------------------------------------------------------------


def test_a_second_process_reads_no_record_again(home: Path, parsed: list[str]) -> None:
    for name in "abc":
        store.save(evaluation(name))
    assert queries.how_many(Evaluation) == 3
    index_file._held = None  # as in a process that begins
    store._parsed.cache_clear()
    parsed.clear()
    assert queries.how_many(Evaluation) == 3
    assert parsed == []


def test_a_home_that_moved_names_its_files_where_they_lie_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("before", "after"):
        monkeypatch.setenv("UDACISENSE_HOME", str(tmp_path / name))
        settings.cache_clear()
        if name == "before":
            folder = store.save(evaluation("one")).parent
            (folder / "broken.json").write_text("{")
        else:
            (tmp_path / "before").rename(tmp_path / "after")
        assert str(tmp_path / name) in queries.unreadable(Evaluation)[0]


def _no_folder(home: Path) -> None:
    (home / ".udacisense").write_text("a file where the folder should be")


def _no_writing(home: Path) -> None:
    (home / ".udacisense").mkdir()
    (home / ".udacisense" / "records.sqlite").mkdir()


@pytest.mark.parametrize("hinder", [_no_folder, _no_writing])
def test_where_no_index_can_be_kept_it_is_built_in_memory_once(
    home: Path, parsed: list[str], hinder: Callable[[Path], None]
) -> None:
    store.save(evaluation("one"))
    hinder(home)
    for _ in range(3):
        assert queries.how_many(Evaluation) == 1
    assert in_memory()
    assert parsed == ["eval-one.json"]


def test_where_another_process_holds_the_index_for_long_it_is_built_in_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, "LOCK_S", 0.01)
    store.save(evaluation("one"))
    assert queries.how_many(Evaluation) == 1
    store.save(evaluation("two"))
    index_file._held = None
    holder = sqlite3.connect(index_file.index_path(), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert queries.how_many(Evaluation) == 2
        assert in_memory()
    finally:
        holder.close()


def test_a_disk_that_is_full_takes_no_answer_away(home: Path) -> None:
    assert queries.how_many(Evaluation) == 0
    assert index_file._held is not None
    for day in range(1, 29):
        store.save(evaluation(str(day), day=day))
    index_file._held[2].execute("PRAGMA max_page_count = 1")
    assert queries.how_many(Evaluation) == 28


def test_a_home_that_may_not_be_written_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(evaluation("one"))
    assert queries.how_many(Evaluation) == 1
    connect = sqlite3.connect

    def read_only(path: object, **how: object) -> sqlite3.Connection:
        return connect(path if path == ":memory:" else f"file:{path}?mode=ro", uri=True, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(sqlite3, "connect", read_only)
    index_file._held = None
    assert queries.how_many(Evaluation) == 1
    assert not in_memory()  # what is there may be read
    store.save(evaluation("two"))
    assert queries.how_many(Evaluation) == 2
    assert in_memory()


def test_damage_deep_in_the_index_is_no_error(home: Path) -> None:
    for day in range(1, 29):
        store.save(evaluation(str(day), day=day))
    assert queries.how_many(Evaluation) == 28
    whole = index_file.index_path().read_bytes()
    index_file._held = None
    index_file.index_path().write_bytes(whole[:1024] + b"\xff" * (len(whole) - 1024))
    assert as_told() == as_it_is()
    assert not in_memory()


def test_rows_of_another_layout_are_made_anew(home: Path, monkeypatch: pytest.MonkeyPatch, parsed: list[str]) -> None:
    store.save(evaluation("one"))
    assert queries.how_many(Evaluation) == 1
    index_file._held = None
    index_file._edition.cache_clear()
    store._parsed.cache_clear()
    monkeypatch.setattr(index_file, "LAYOUT", index_file.LAYOUT + 1)
    assert queries.how_many(Evaluation) == 1
    index_file._edition.cache_clear()
    assert parsed == ["eval-one.json"] * 2


# --- two writers --------------------------------------------------------------------------------------------------------

EACH = 60


def _save_many(home: str, letter: str) -> None:
    os.environ["UDACISENSE_HOME"] = home
    settings.cache_clear()
    for number in range(EACH):
        store.save(evaluation(f"{letter}{number}"))
        assert any(row.id == f"eval-{letter}{number}" for row in index.rows("evaluation"))


@pytest.mark.slow
def test_two_processes_that_save_and_ask_at_once_lose_nothing(home: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_save_many, args=(str(home), letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert queries.how_many(Evaluation) == 2 * EACH
    assert not in_memory()
    with sqlite3.connect(index_file.index_path()) as kept:
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert as_told() == as_it_is()


# --- only what is needed is parsed --------------------------------------------------------------------------------------


def many(story: Story, others: int = 300) -> None:
    """As many records of other files beside the story's, as valid as those; the index knows them all."""
    for record in (*story.evaluations, *story.verifications, *story.benchmarks, *story.readiness):
        kind = store.kind_of(record)
        plain = json.loads(store.dump(record, kind))
        for number in range(others // 10):
            own = plain["record"] | {"id": f"{plain['record']['id']}-{number}"}
            changed = {name: f"{number:064x}" for name in own if name.endswith("_sha256")}
            changed |= {"run_id": f"run-other-{number}"} if kind == "benchmark" else {}
            text = json.dumps(plain | {"record": own | changed})
            store.write_text(settings().results_dir / kind / f"{own['id']}.json", text)
    queries.how_many(*KINDS.values())
    store._parsed.cache_clear()


def test_a_list_of_runs_parses_nothing(seeded_home: Story, parsed: list[str]) -> None:
    many(seeded_home)
    parsed.clear()
    assert len(verbs.runs()) == 31
    assert parsed == []


def test_a_judgement_parses_the_records_that_it_rests_on(seeded_home: Story, parsed: list[str]) -> None:
    many(seeded_home)
    parsed.clear()
    verbs.ready(seeded_home.faithful.id)
    ours = [name for name in parsed if name.startswith(("eval", "verify", "bench", "ready"))]
    assert 0 < len(ours) <= 8


def test_the_overview_parses_the_newest_record_of_each_kind_of_what_is_here(seeded_home: Story, parsed: list[str]) -> None:
    many(seeded_home)
    parsed.clear()
    stored = state.read_store()
    assert stored.records == 310
    shown = (*stored.evaluations, *stored.verifications, *stored.benchmarks, *stored.readiness)
    assert len(shown) == 8
    read = {name for name in parsed if name not in ("artifact.json", "model.card.json")}
    assert read >= {f"{record.id}.json" for record in shown}
    more = read - {f"{record.id}.json" for record in shown}
    assert all(name.startswith("bench") for name in more), "the runs that a ratio may rest on"
    assert len(more) <= 3 * LOOKED_AT, "of two files and the baseline, however many there are"


def test_the_history_reads_each_benchmark_once_ever(seeded_home: Story, parsed: list[str]) -> None:
    many(seeded_home)
    parsed.clear()
    found = queries.benchmarks()
    first = list(found.figures("runs", lambda b: len(b.steady_s), index_file))
    assert {figure for _, figure in first} == {100}
    assert len(parsed) == len(first) == 93
    store._parsed.cache_clear()
    store.save(dataclasses.replace(seeded_home.benchmarks[0], id="bench-new"))
    again = list(queries.benchmarks().figures("runs", lambda b: len(b.steady_s), index_file))
    assert len(again) == 94
    assert parsed[93:] == ["bench-new.json"]
