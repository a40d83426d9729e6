"""The child that reads: what it hands back, what it refuses, and that nothing a file does reaches the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inspection import files
from tests.inspection.test_readers import kernel
from tests.networks import saved
from tests.story import Story
from tools import fuzz_inspect
from udacisense import verbs
from udacisense.errors import InspectError, NotFoundError
from udacisense.formats.fmt_litert.reader import read as read_litert
from udacisense.formats.fmt_onnx.reader import read as read_onnx
from udacisense.inspection import child, inspect_file
from udacisense.inspection.inspect_file import identify, outcome
from udacisense.processes.limits import FILE_BYTES


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "net_int8.tflite"
    path.write_bytes(files.litert_conv(kernel()))
    return path


def test_a_foreign_file_is_inspected_by_its_path(home: Path, model: Path) -> None:
    found = verbs.inspect(model)
    assert (found.format, found.precision, found.macs, found.int8_share) == ("litert", "int8", 384, 0.0)
    assert found.size_bytes == model.stat().st_size == found.weights_bytes + found.graph_bytes + found.metadata_bytes
    assert "called int8" in found.findings[0].what
    assert (found.weights[0].dtype, found.weights[0].stored_bytes, found.hard_swish_whole) == ("float32", 96, 1)


def test_an_artifact_that_changed_since_is_told(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_file, "read", lambda format, path: read_litert(path))
    artifact = seeded_home.faithful
    artifact.path.write_bytes(files.litert_conv(kernel()))
    found = verbs.inspect(artifact.id)
    assert artifact.id in found.findings[0].what
    assert found.precision == artifact.precision


def test_an_id_that_is_nowhere_names_what_comes_close(seeded_home: Story) -> None:
    with pytest.raises(NotFoundError, match=seeded_home.faithful.id):
        verbs.inspect(seeded_home.faithful.id[:-1])


def test_the_format_is_told_by_the_content(tmp_path: Path) -> None:
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(files.litert_conv(kernel()))
    assert identify(wrong) == "litert"
    assert identify(files.coreml(kernel("float16"), tmp_path / "model")) == "coreml"
    stranger = tmp_path / "holiday.jpg"
    stranger.write_bytes(b"\xff\xd8\xff\xe0 an image")
    with pytest.raises(InspectError, match="no format that is known"):
        identify(stranger)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x1c\0\0\0TFL3" + b"\xff" * 64])
def test_what_is_no_model_is_one_clear_message(content: bytes, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(InspectError, match=r"broken\.tflite cannot be inspected.*[Cc]opy"):
        verbs.inspect(path)


def test_a_file_of_weights_is_not_called_damaged(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.pth").path
    with pytest.raises(InspectError, match=r"^model\.pth holds weights alone.*convert"):
        verbs.inspect(path)


def test_a_hostile_file_is_told_of_in_one_sentence_and_never_called_damaged() -> None:
    why = "m.pt was not loaded: it calls torch.save, which no classifier needs. Use a file from a source that you trust."
    with pytest.raises(InspectError) as told:
        outcome(Path("m.pt"), "torchscript", json.dumps({"refused": why}).encode())
    assert str(told.value) == why


# --- children that end badly ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (b"", "no answer that can be read"),
        (b"Traceback", "no answer that can be read"),
        (b"{}", "no answer that can be read"),
        (b"[" * 100_000, "no answer that can be read"),
        (b'{"anatomy": {"operators": 3}}', "no answer that can be read"),
        (json.dumps({"error": "it is cut off"}).encode(), "it is cut off"),
    ],
)
def test_whatever_the_child_answers_it_is_one_message(out: bytes, said: str) -> None:
    with pytest.raises(InspectError, match=said):
        outcome(Path("m.pte"), "executorch", out)


@pytest.mark.parametrize(
    ("how", "said"), [("os.kill(os.getpid(), 9)", "was killed by SIGKILL"), ("os._exit(1)", "exit code 1")]
)
def test_however_the_child_ends_it_is_one_message(how: str, said: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_file, "module", lambda *_: [sys.executable, "-c", f"import os; {how}"])
    with pytest.raises(InspectError, match=f"the process that read it .*{said}"):
        inspect_file.read("litert", model)


def test_a_child_that_hangs_is_ended(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_file, "WALL_S", 0.01)
    with pytest.raises(InspectError, match=r"gave no answer within 0\.01 s"):
        inspect_file.read("litert", model)


def test_the_child_is_bound_in_memory_and_in_what_it_writes(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from udacisense.inspection.child import bind\n"
        f"bind(Path({str(tmp_path / 'model')!r}))\n"
        "try: bytearray(2 << 30)\n"
        "except MemoryError: print('no memory')\n"
        f"try: open({str(tmp_path / 'big')!r}, 'wb', buffering=0).write(bytes(2 << 20))\n"
        "except OSError: print('no file')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "no memory" in done.stdout
    assert not (tmp_path / "big").exists() or (tmp_path / "big").stat().st_size <= FILE_BYTES


def test_a_reader_that_fails_in_its_own_way_blames_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise ZeroDivisionError("a hostile file found a way")

    monkeypatch.setattr("udacisense.formats.fmt_onnx.reader.read", fail)
    assert child.answer("onnx", Path("m.onnx")) == {"error": "it is damaged (ZeroDivisionError: a hostile file found a way)"}


# --- files changed at random ---------------------------------------------------------------------------------------------


def fuzzed(name: str, count: int, folder: Path) -> dict[str, Any]:
    """What the tool says of so many changed files.

    It runs in a process of its own: reading ones are forked from it and bound in memory, which a process of tests has filled.
    """
    tool = Path(fuzz_inspect.__file__)
    command = [sys.executable, str(tool), "--format", name, "--count", str(count), "--seed", "7", "--seeds", str(folder)]
    done = subprocess.run([*command, "--commands", "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tally: dict[str, Any] = json.loads(done.stdout)[name]
    return tally


@pytest.mark.slow
@pytest.mark.parametrize("name", ["executorch", "litert", "onnx", "coreml"])
def test_no_changed_file_gets_past_the_reader(name: str, tmp_path: Path) -> None:
    """A small share of what tools/fuzz_inspect.py does; torch's formats take longer and have a test of their own."""
    tally = fuzzed(name, 120, tmp_path)
    assert tally["lost"] == []
    assert (tally["files"], tally["read"] + tally["refused"]) == (120, 120), "a reader of ours never dies, it refuses"
    assert min(tally["read"], tally["refused"]) > 3, "a reader that refuses nothing reads nothing"
    assert tally["slowest_s"] < 20
    assert tally["most_memory_bytes"] < 2 << 30


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torchscript", "torchscript-lite"])
def test_no_changed_torchscript_gets_past_the_reader(name: str, tmp_path: Path) -> None:
    """Torch itself may end the process that reads; then that is the answer, and a clear one."""
    tally = fuzzed(name, 25, tmp_path)
    assert (tally["lost"], tally["files"]) == ([], 25)
    assert min(tally["read"], tally["refused"]) > 0


def test_a_float16_weight_is_never_subnormal(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    ports = files.onnx_value("x", 10, (1, 3, 4, 4)), files.onnx_value("y", 10, (1, 8, 4, 4))
    weights = {"w": np.full((8, 3, 1, 1), 1e-7, np.float16)}
    path.write_bytes(files.onnx([files.onnx_node("Conv", ["x", "w"], ["y"])], weights, ports[:1], ports[1:]))
    assert read_onnx(path).tensors[0].subnormal == 0
