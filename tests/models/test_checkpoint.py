"""Saving, reading, listing and finding weight files. Only saving needs torch."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import fake_checkpoint, write_fake
from udacisense.errors import CheckpointError, NotFoundError
from udacisense.models.checkpoint import (
    BASELINE,
    PIPELINE,
    baseline_checkpoint,
    card_path,
    default_checkpoint,
    find_checkpoint,
    list_checkpoints,
    read_checkpoint,
    trained_hashes,
    training_info,
)


def test_a_saved_checkpoint_reads_back_as_itself(home: Path) -> None:
    from tests.networks import TRAINED, saved

    made = saved(home / "models" / BASELINE)
    assert read_checkpoint(made.path) == made
    assert made.parameters == 1_528_106
    assert made.id == f"mobilenet_v3_small-baseline-{made.sha256[:8]}"
    assert trained_hashes(made) == frozenset(TRAINED)
    assert training_info(made) == {"images": 2}
    assert not list(made.path.parent.glob("*.part"))


def test_the_same_weights_give_the_same_bytes_wherever_they_are_saved(home: Path) -> None:
    from tests.networks import saved

    assert saved(home / "a" / "one.pth").sha256 == saved(home / "b" / "two.pth").sha256


def test_saving_without_known_images_removes_the_old_list(home: Path) -> None:
    from tests.networks import Small, saved
    from udacisense.models.writing import save_checkpoint

    path = saved(home / "models" / "m.pth").path
    again = save_checkpoint(Small(), path, technique="other", parent_id="p", trained_hashes=(), training={})
    assert (again.trained_on, again.trained_on_images, again.parent_id) == (None, None, "p")
    assert trained_hashes(again) is None
    assert not path.with_name("m.trained_on.txt").exists()


def test_a_full_disk_leaves_the_old_weights(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from tests.networks import Small, saved
    from udacisense.errors import StoreError
    from udacisense.models.writing import save_checkpoint

    before = saved(home / "models" / "m.pth")

    def full(weights: object, file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(StoreError, match="could not be written"):
        save_checkpoint(Small(), before.path, technique="other", parent_id=None, trained_hashes=(), training={})
    assert read_checkpoint(before.path) == before
    assert not list(before.path.parent.glob("*.part"))


def test_a_home_that_moved_keeps_its_checkpoints(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.settings import settings

    old = fake_checkpoint(home / "here" / "models" / "m.pth")
    (home / "here").rename(home / "there")
    monkeypatch.setenv("UDACISENSE_HOME", str(home / "there"))
    settings.cache_clear()
    (found,) = list_checkpoints().records
    assert found == dataclasses.replace(old, path=home / "there" / "models" / "m.pth")
    assert trained_hashes(found) is not None


def test_a_home_named_from_the_working_folder_is_a_home_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.records.store import to_json
    from udacisense.settings import settings

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UDACISENSE_HOME", "here")
    settings.cache_clear()
    fake_checkpoint(Path("here") / "models" / "m.pth")
    (listed,) = list_checkpoints().records
    assert listed == find_checkpoint("here/models/m.pth") == read_checkpoint(Path("here/models/m.pth"))
    assert to_json(listed)["path"] == "models/m.pth"


# --- without a usable card -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "technique"),
    [(BASELINE, "baseline"), (PIPELINE, "pipeline_03"), (Path("mine/My model (v2).pth"), "My model (v2)")],
    ids=["baseline", "pipeline", "other"],
)
def test_a_file_without_a_card_is_called_after_its_place(home: Path, place: Path, technique: str) -> None:
    path = write_fake(home / "models" / place)
    found = read_checkpoint(path)
    assert found.technique == technique
    assert found.parameters is None
    assert found.trained_on is None
    assert trained_hashes(found) is None
    assert training_info(found) is None
    assert " " not in found.id
    assert "(" not in found.id


def test_a_card_of_other_bytes_is_not_used_and_the_listing_says_so(home: Path) -> None:
    made = fake_checkpoint(home / "models" / "m.pth", technique="prune30")
    write_fake(made.path, seed=5)
    found = read_checkpoint(made.path)
    assert found.technique == "m"
    assert found.sha256 != made.sha256
    assert training_info(found) is None
    listing = list_checkpoints()
    assert listing.records == (found,)
    assert "describes another file" in listing.problems[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1, "kind": "evaluation", "record": {}}', "\udcff"])
def test_a_broken_card_is_told_and_its_file_still_listed(home: Path, text: str) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    card_path(made.path).write_bytes(text.encode(errors="surrogateescape"))
    listing = list_checkpoints()
    assert [c.technique for c in listing.records] == ["m"]
    assert len(listing.problems) == 1
    assert "without its card" in listing.problems[0]


@pytest.mark.parametrize("change", ["tamper", "remove"])
def test_a_list_of_images_that_is_not_the_cards_is_not_known(home: Path, change: str) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    images = made.path.with_name("m.trained_on.txt")
    images.unlink() if change == "remove" else images.write_text("0" * 16 + "\n")
    assert trained_hashes(made) is None


def test_a_card_cannot_point_at_a_list_elsewhere(home: Path) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    elsewhere = dataclasses.replace(made, trained_on_images="../../../etc/m.trained_on.txt")
    assert trained_hashes(elsewhere) == trained_hashes(made)


# --- list ----------------------------------------------------------------------------------------------------------------


def test_listing_names_what_it_cannot_use_and_skips_what_is_no_checkpoint(home: Path) -> None:
    models = home / "models"
    good = fake_checkpoint(models / "good.pth")
    (models / "copy").mkdir()
    for name in ("good.pth", "good.card.json"):
        (models / "copy" / name).write_bytes((models / name).read_bytes())
    (models / "empty.pth").touch()
    (models / "gone.pt").symlink_to(models / "nowhere")
    (models / "folder.pth").mkdir()
    write_fake(models / "mobile" / "x" / "inside.pt")
    write_fake(models / "model.pth.1a2b3c-1-deadbeef.part")
    listing = list_checkpoints()
    assert [c.id for c in listing.records] == [good.id]
    told = "\n".join(listing.problems)
    assert "empty.pth is empty" in told
    assert "is a copy of" in told
    assert "gone.pt" in told
    assert "folder.pth is a folder" in told
    assert len(listing.problems) == 4


def test_no_models_folder_is_an_empty_listing(home: Path) -> None:
    assert list_checkpoints().records == ()
    assert list_checkpoints().problems == ()


def test_listing_finding_and_reading_import_no_torch(home: Path) -> None:
    made = fake_checkpoint(home / "models" / BASELINE)
    code = (
        "import sys\n"
        "from udacisense.artifacts import list_artifacts, find_subject, subject_format\n"
        "from udacisense.models.checkpoint import default_checkpoint, list_checkpoints, trained_hashes, training_info\n"
        "from udacisense.models.summary import summary_on_card\n"
        "checkpoint, notice = default_checkpoint()\n"
        "list_checkpoints(); list_artifacts(); trained_hashes(checkpoint); training_info(checkpoint)\n"
        "summary_on_card(checkpoint); subject_format(find_subject(checkpoint.id)).unavailable('run')\n"
        "print(checkpoint.id, [m for m in ('torch', 'torchvision', 'matplotlib', 'pandas') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"UDACISENSE_HOME": str(home)}, check=False
    )
    assert done.stdout.strip() == f"{made.id} []", done.stderr


# --- find ----------------------------------------------------------------------------------------------------------------


def test_find_by_id_by_path_and_by_path_from_the_project(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")
    for name in (made.id, made.path, str(made.path), "../models/m.pth", "models/m.pth"):
        assert find_checkpoint(name).id == made.id


@pytest.mark.parametrize("wanted", ["mobilenet_v3_small-basline", "", "\0", "x" * 5000, "models"])
def test_what_is_not_here_is_told_with_what_comes_close(home: Path, wanted: str) -> None:
    made = fake_checkpoint(home / "models" / "m.pth")
    with pytest.raises(NotFoundError, match=made.id):
        find_checkpoint(wanted)


def test_finding_in_an_empty_home_says_so(home: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no checkpoint in .*models yet"):
        find_checkpoint("x")


def test_an_empty_file_is_a_clear_error(home: Path) -> None:
    (home / "m.pth").touch()
    with pytest.raises(CheckpointError, match="is empty"):
        find_checkpoint(home / "m.pth")


# --- the default ---------------------------------------------------------------------------------------------------------


def test_default_is_the_pipelines_final_model(home: Path) -> None:
    final = fake_checkpoint(home / "models" / PIPELINE, seed=1)
    fake_checkpoint(home / "models" / BASELINE)
    assert default_checkpoint() == (final, None)


def test_without_it_the_baseline_stands_in_and_says_so(home: Path) -> None:
    baseline = fake_checkpoint(home / "models" / BASELINE)
    found, notice = default_checkpoint()
    assert found == baseline == baseline_checkpoint()
    assert notice is not None
    assert "baseline stands in" in notice


def test_with_neither_the_error_says_how_to_get_one(home: Path) -> None:
    assert baseline_checkpoint() is None
    with pytest.raises(NotFoundError, match="python -m udacisense train"):
        default_checkpoint()


def test_the_card_is_a_record_with_training_and_summary_beside_it(home: Path) -> None:
    from tests.networks import saved

    made = saved(home / "models" / "m.pth")
    card = json.loads(card_path(made.path).read_text())
    assert set(card) == {"schema", "kind", "record", "training", "summary"}
    assert card["record"]["path"] == "models/m.pth"
    assert card["summary"]["macs"] > 50_000_000
