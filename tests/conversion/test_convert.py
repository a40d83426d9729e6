"""`convert`: once for each recipe, nothing half, only files that their own runtime ran. Fakes at the seam, then for real."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import convert_in_this_process, fake_checkpoint, fake_format, write_fake
from udacisense import formats
from udacisense.artifacts import find_artifact, list_artifacts, mobile_dir, open_session
from udacisense.conversion.convert import REVISION, convert, publish
from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import CheckpointError, ExportError, FormatError, RunError, StoreError, UnavailableError
from udacisense.labels import CLASSES
from udacisense.progress import watched_by
from udacisense.types import Checkpoint, Conversion, Exported, Format, ModelFile

module = import_module("udacisense.conversion.convert")
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkpoint(home: Path) -> Checkpoint:
    return fake_checkpoint(home / "models" / "m.pth")


def use(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Make "fake" the only format beside the reference, with some of its functions replaced."""
    monkeypatch.setattr(formats, "FORMATS", {"torch": fake_format("torch"), "fake": fake_format("fake", **changes)})
    convert_in_this_process(monkeypatch)


def left_behind() -> list[str]:
    return sorted(p.name for p in mobile_dir().glob("*")) if mobile_dir().exists() else []


@pytest.mark.usefixtures("fake_formats")
def test_an_artifact_has_its_file_its_record_and_its_labels(checkpoint: Checkpoint) -> None:
    made = convert(checkpoint, "fake", "int8")
    assert find_artifact(made.id) == made
    assert made.id.startswith(f"fake-int8-{checkpoint.sha256[:8]}-")
    assert made.path == mobile_dir() / made.id / "model.fake"
    assert made.recipe == {
        "format": "fake",
        "precision": "int8",
        "tool_version": "1.0",
        "revision": REVISION,
        "shift": 0.0,
        "golden_max_abs_diff": 0.0,
        "source_sha256": checkpoint.sha256,
        "preprocessing": describe_preprocessing(checkpoint),
    }
    assert made.made.command == f"python -m udacisense convert {checkpoint.id} --format fake --precision int8"
    assert made.seconds is not None
    assert (made.path.parent / "labels.txt").read_text().split() == list(CLASSES)
    assert sorted(p.name for p in made.path.parent.iterdir()) == ["artifact.json", "golden.npz", "labels.txt", "model.fake"]


@pytest.mark.usefixtures("fake_formats")
def test_the_same_recipe_gives_the_artifact_that_was_made_before(checkpoint: Checkpoint) -> None:
    first = convert(checkpoint, "fake")
    assert convert(checkpoint, "fake") == first
    assert convert(checkpoint, "fake", "int8").id != first.id
    assert len(list_artifacts().records) == 2


def test_another_checkpoint_tool_or_revision_gives_another_artifact(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    ids = [convert(checkpoint, "fake").id]
    ids.append(convert(fake_checkpoint(checkpoint.path.with_name("n.pth"), seed=3), "fake").id)
    use(monkeypatch, runtime_version=lambda: "2.0")
    ids.append(convert(checkpoint, "fake").id)
    monkeypatch.setattr(import_module("udacisense.conversion.convert"), "REVISION", 99)
    ids.append(convert(checkpoint, "fake").id)
    assert len(set(ids)) == 4


def test_builds_of_one_version_share_an_artifact(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, runtime_version=lambda: "2.13.0+cpu")
    on_cpu = convert(checkpoint, "fake")
    use(monkeypatch, runtime_version=lambda: "2.13.0+cu130")
    assert convert(checkpoint, "fake") == on_cpu


@pytest.mark.usefixtures("fake_formats")
@pytest.mark.parametrize("damage", ["file", "record", "lost"])
def test_a_damaged_artifact_is_made_again(checkpoint: Checkpoint, damage: str) -> None:
    first = convert(checkpoint, "fake")
    if damage == "file":
        write_fake(first.path, shift=9.0)
    elif damage == "record":
        first.path.with_name("artifact.json").write_text("{")
    else:
        first.path.unlink()
    again = convert(checkpoint, "fake")
    assert again.sha256 == first.sha256
    assert list_artifacts().records == (again,)
    assert left_behind() == [first.id]


# --- what is refused -----------------------------------------------------------------------------------------------------


def test_an_unknown_format_or_precision_is_told_with_the_choices(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    with pytest.raises(FormatError, match=r"no format 'fakes' to convert to\. Did you mean fake\? Pick one of: fake\.$"):
        convert(checkpoint, "fakes")
    with pytest.raises(ExportError, match="offers fp32, int8, not fp16"):
        convert(checkpoint, "fake", "fp16")


def test_missing_tools_say_why(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, unavailable=lambda capability: "No tools here." if capability == "export" else None)
    with pytest.raises(UnavailableError, match="No tools here"):
        convert(checkpoint, "fake")
    assert left_behind() == []


def test_a_file_that_cannot_run_here_is_written_and_says_so(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(file: ModelFile, threads: int) -> Any:
        raise AssertionError("it must not be run")

    use(monkeypatch, load=load, unavailable=lambda capability: "No runtime here." if capability == "run" else None)
    made = convert(checkpoint, "fake")
    assert made.warnings[0].startswith("This file was never run here: No runtime here.")
    assert "golden_max_abs_diff" not in made.recipe


@pytest.mark.usefixtures("fake_formats")
def test_a_checkpoint_that_changed_since_is_refused(checkpoint: Checkpoint) -> None:
    write_fake(checkpoint.path, seed=4)
    with pytest.raises(CheckpointError, match="changed since"):
        convert(checkpoint, "fake")


def foreign(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    out.write_text("half")
    raise ZeroDivisionError("a converter's own trouble")


def nothing(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    return Exported({})


def full_disk(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    raise OSError(28, "No space left on device")


def faulty(fault: Any) -> Any:
    def export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
        write_fake(out, fault=fault)
        return Exported({})

    return export


@pytest.mark.parametrize(
    ("export", "message"),
    [
        pytest.param(foreign, r"m.* -> fake fp32 failed: ZeroDivisionError: a converter's own trouble", id="foreign error"),
        pytest.param(nothing, "wrote no file", id="no file"),
        pytest.param(faulty("load"), "fake runtime does not run the written file: the fake file does not load", id="load"),
        pytest.param(faulty("run"), "does not run the written file: the fake runtime broke", id="run"),
        pytest.param(faulty("nan"), "not finite numbers", id="nan"),
        pytest.param(faulty("shape"), r"answers \(10, 7\), not \(10, 10\)", id="shape"),
    ],
)
def test_a_failed_conversion_says_so_and_leaves_nothing(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, export: Any, message: str
) -> None:
    use(monkeypatch, export=export)
    with pytest.raises(ExportError, match=message):
        convert(checkpoint, "fake")
    assert left_behind() == []
    assert list_artifacts().records == ()


def test_a_full_disk_is_no_fault_of_the_format(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, export=full_disk)
    with pytest.raises(StoreError, match=r"the disk that holds .* is full\. Nothing was kept\. Free some space"):
        convert(checkpoint, "fake")
    assert left_behind() == []
    assert list_artifacts().records == ()


def test_an_error_of_ours_passes_unchanged(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Exported:
        raise CheckpointError("the real reason")

    use(monkeypatch, export=refuse)
    with pytest.raises(CheckpointError, match=r"^the real reason$"):
        convert(checkpoint, "fake")


def test_a_killed_conversion_leaves_no_artifact_and_the_next_one_works(
    checkpoint: Checkpoint, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from contextlib import nullcontext\n"
        "from tests.fakes import fake_format\n"
        "from importlib import import_module\n"
        "from udacisense import formats\n"
        "from udacisense.conversion.steps import ConversionSteps\n"
        "from udacisense.conversion.convert import convert\n"
        "from udacisense.models.checkpoint import find_checkpoint\n"
        "import_module('udacisense.conversion.convert').open_converter = lambda: nullcontext(ConversionSteps())\n"
        "def export(checkpoint, asked, out):\n"
        "    out.write_text('half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
        "formats.FORMATS = {'fake': fake_format('fake', export=export)}\n"
        f"convert(find_checkpoint({checkpoint.id!r}), 'fake')\n"
    )
    env = {"UDACISENSE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    child.kill()
    child.wait()
    child.stdout.close()
    assert list_artifacts().records == ()
    assert list_artifacts().problems == ()
    use(monkeypatch)
    made = convert(checkpoint, "fake")
    assert list_artifacts().records == (made,)


@pytest.mark.usefixtures("fake_formats")
def test_it_tells_how_far_it_is(checkpoint: Checkpoint) -> None:
    told: list[tuple[float, str]] = []
    with watched_by(lambda fraction, stage: told.append((fraction, stage))):
        convert(checkpoint, "fake")
    assert [f for f, _ in told] == sorted(f for f, _ in told)
    assert told[-1][0] == 1.0
    assert any("fake runtime" in stage for _, stage in told)


# --- publish -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fake_formats")
def test_publishing_copies_the_file_to_its_known_place(checkpoint: Checkpoint) -> None:
    made = convert(checkpoint, "fake")
    place = publish(made)
    assert place == mobile_dir() / "model.fake"
    assert place.read_bytes() == made.path.read_bytes()
    assert publish(made) == place
    assert find_artifact(place) == made


@pytest.mark.usefixtures("fake_formats")
def test_a_changed_file_is_not_published(checkpoint: Checkpoint) -> None:
    made = convert(checkpoint, "fake")
    write_fake(made.path, shift=2.0)
    with pytest.raises(RunError, match="changed since"):
        publish(made)
    assert not (mobile_dir() / "model.fake").exists()


# --- for real ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torchscript", "torchscript-lite"])
def test_a_real_checkpoint_becomes_a_real_file_once(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.networks import images, saved

    checkpoint = saved(home / "models" / "m.pth")
    made = convert(checkpoint, name)
    np.testing.assert_allclose(
        open_session(made, 1).predict(images(4)), open_session(checkpoint, 1).predict(images(4)), atol=1e-4
    )
    assert made.size_bytes < 1.2 * checkpoint.size_bytes
    monkeypatch.setattr(module, "open_converter", lambda: pytest.fail("it was converted a second time"))
    assert convert(checkpoint, name) == made
    assert publish(made).name == formats.get_format(name).file_name


@pytest.mark.slow
def test_a_pickled_module_is_refused_with_its_own_message(home: Path) -> None:
    import torch

    from tests.networks import Small
    from udacisense.errors import UnsafeFileError
    from udacisense.models.checkpoint import read_checkpoint

    (home / "models").mkdir()
    torch.save(Small(), home / "models" / "whole.pth")
    with pytest.raises(UnsafeFileError):
        convert(read_checkpoint(home / "models" / "whole.pth"), "torchscript")
    assert left_behind() == []


def test_every_format_offers_what_it_is_asked_for(fake_formats: dict[str, Format], checkpoint: Checkpoint) -> None:
    made = [convert(checkpoint, "fake", precision) for precision in fake_formats["fake"].precisions]
    assert [dataclasses.astuple(m)[3] for m in made] == ["fp32", "int8"]
