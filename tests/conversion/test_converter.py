"""The child process: its answers are the workshop's, and its end costs one conversion only."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tests.conversion.child import RECIPES, export
from tests.fakes import fake_checkpoint, fake_format, write_fake
from udacisense import formats, provenance
from udacisense.artifacts import mobile_dir, standing_failures
from udacisense.conversion.convert import convert
from udacisense.conversion.worker_client import ConverterClient, ConverterError
from udacisense.errors import ExportError
from udacisense.progress import watched_by
from udacisense.records import store
from udacisense.types import Checkpoint, ConversionRecipe, Exported, FailedConversion
from udacisense.verbs import convert_all

CHILD = (sys.executable, "-m", "tests.conversion.child")


@pytest.fixture
def checkpoint(sample_home: Path) -> Checkpoint:
    return fake_checkpoint(sample_home / "models" / "m.pth")


@pytest.fixture
def converter(checkpoint: Checkpoint) -> Iterator[ConverterClient]:
    with ConverterClient(CHILD, timeout_s=30.0) as found:
        yield found


def write(converter: ConverterClient, checkpoint: Checkpoint, recipe: str, out: Path) -> Exported:
    return converter.export(checkpoint, "fake", "fp32", ConversionRecipe(recipe, recipe), out)


def test_one_process_serves_conversion_after_conversion(
    converter: ConverterClient, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    told: list[str] = []
    with watched_by(lambda fraction, stage: told.append(stage)):
        first = write(converter, checkpoint, "sound", tmp_path / "a")
    again = write(converter, checkpoint, "noisy", tmp_path / "b")
    assert (tmp_path / "a").is_file()
    assert first.warnings == ("a warning.",)
    assert first.recipe == again.recipe != {"process": os.getpid()}
    assert "lowering" in told
    assert converter.log().splitlines() == ["printed where the answers go", "and here"]
    assert converter.check(checkpoint, "fake", tmp_path / "a") == 0.0


def test_a_crash_says_where_and_the_next_conversion_goes_on(
    converter: ConverterClient, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(ConverterError, match="was killed by SIGSEGV while lowering"):
        write(converter, checkpoint, "crash", tmp_path / "a")
    assert "about to crash" in converter.log()
    assert converter.stage() == "lowering"
    write(converter, checkpoint, "sound", tmp_path / "a")
    assert (tmp_path / "a").is_file()


def hurry(converter: ConverterClient, checkpoint: Checkpoint, folder: Path) -> None:
    """Let what follows take two seconds at most; the start of the process, which a busy machine draws out, is over by then."""
    write(converter, checkpoint, "sound", folder / "first")
    converter._timeout_s = 2.0


@pytest.mark.parametrize("way", ["hang", "chatter"])
def test_a_converter_that_never_ends_is_stopped(
    converter: ConverterClient, checkpoint: Checkpoint, tmp_path: Path, way: str
) -> None:
    hurry(converter, checkpoint, tmp_path)
    with pytest.raises(ConverterError, match="no answer within 2 s and was stopped while"):
        write(converter, checkpoint, way, tmp_path / "a")


def test_errors_keep_their_class_and_foreign_ones_their_name(
    converter: ConverterClient, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(ConverterError, match="ZeroDivisionError: its own trouble"):
        write(converter, checkpoint, "foreign", tmp_path / "a")
    assert "Traceback" in converter.log()
    broken = write_fake(tmp_path / "b", fault="load")
    with pytest.raises(ExportError, match="fake runtime does not run the written file"):
        converter.check(checkpoint, "fake", broken)


def test_measures_and_golden_images_come_over_the_pipe(
    converter: ConverterClient, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    found = converter.measure(checkpoint, "fake", write_fake(tmp_path / "a"), write_fake(tmp_path / "b"))
    assert found.agreement == 1.0
    assert found.images == 120  # half of the sample's twenty-four a class
    assert found.latency_s > 0
    assert found.latency_fp32_s is not None
    converter.write_golden(checkpoint, tmp_path / "golden.npz")
    with np.load(tmp_path / "golden.npz") as golden:
        assert golden["images"].shape == (10, 3, 224, 224)
        assert golden["labels"].tolist() == list(range(10))
        assert golden["logits"].shape == (10, 10)
        assert golden["hashes"].dtype == "S16"


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process knows the formats that the child knows."""
    fake = fake_format("fake", export=export, recipes={"fp32": RECIPES})
    monkeypatch.setattr(formats, "FORMATS", {"torch": fake_format("torch"), "fake": fake, "other": fake_format("other")})


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("crash", r"was killed by SIGSEGV while lowering"),
        ("killed", r"was killed by SIGKILL \(the system does so when memory runs out\) while lowering"),
        ("leaves", "ended with exit code 0 while lowering"),
        ("greedy", "MemoryError"),
        ("foreign", "ZeroDivisionError: its own trouble"),
    ],
)
def test_a_failed_conversion_leaves_a_record_and_nothing_else(
    converter: ConverterClient, checkpoint: Checkpoint, way: str, message: str
) -> None:
    with pytest.raises(ExportError, match=rf"{message}.*in the record failed-fake-fp32-"):
        convert(checkpoint, "fake", recipe=way, converter=converter)
    (record,) = store.records(FailedConversion).records
    assert (record.format, record.recipe, record.stage) == ("fake", way, "lowering")
    assert re.search(message, record.message)
    assert record.made.command.endswith(f"--format fake --precision fp32 --recipe {way}")
    assert way != "crash" or "about to crash" in record.log
    assert list(mobile_dir().glob("*")) == []
    assert standing_failures() == (record,)
    assert convert(checkpoint, "fake", recipe="sound", converter=converter).path.is_file()
    assert standing_failures() == ()


@pytest.mark.usefixtures("known")
def test_a_converter_that_hangs_leaves_a_record_too(converter: ConverterClient, checkpoint: Checkpoint, tmp_path: Path) -> None:
    hurry(converter, checkpoint, tmp_path)
    with pytest.raises(ExportError, match="no answer within 2 s"):
        convert(checkpoint, "fake", recipe="hang", converter=converter)
    (record,) = store.records(FailedConversion).records
    assert record.stage == "lowering"
    assert list(mobile_dir().glob("*")) == []


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("cores", [1, 2])
def test_the_other_formats_go_on_after_a_crash(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    crash = fake_format("fake", export=export, precisions=("fp32",), recipes={"fp32": RECIPES[1:2]})
    monkeypatch.setitem(formats.FORMATS, "fake", crash)
    monkeypatch.setattr(
        import_module("udacisense.conversion.convert"), "open_converter", lambda: ConverterClient(CHILD, timeout_s=30.0)
    )
    monkeypatch.setattr(provenance, "usable_cores", lambda: cores)
    told: list[tuple[float, str]] = []
    with watched_by(lambda fraction, stage: told.append((fraction, stage))):
        done = convert_all(checkpoint.path)
    assert [(a.format, a.precision) for a in done.artifacts] == [("other", "fp32"), ("other", "int8")]
    assert len(done.failures) == 1
    assert "SIGSEGV" in done.failures[0]
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert told[-1][0] == 1.0
    assert any(stage.startswith("other int8: ") for _, stage in told)
    again = convert_all(checkpoint.path)
    assert again.artifacts == done.artifacts


def test_who_ends_the_work_ends_the_process_and_leaves_no_record(checkpoint: Checkpoint, tmp_path: Path) -> None:
    converter = ConverterClient(CHILD, timeout_s=30.0)
    ended: list[BaseException] = []

    def work() -> None:
        try:
            write(converter, checkpoint, "hang", tmp_path / "a")
        except SystemExit as exc:
            ended.append(exc)

    thread = threading.Thread(target=work)
    with watched_by(lambda fraction, stage: None):
        thread.start()
    while converter.stage() != "lowering":
        time.sleep(0.01)
    converter.close()
    thread.join(10)
    assert len(ended) == 1
    with pytest.raises(SystemExit):
        write(converter, checkpoint, "sound", tmp_path / "b")
