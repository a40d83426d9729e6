"""The one rule for TorchScript: what a classifier calls loads in a bound process, anything else is refused unrun."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.networks import Small, described_file, images, network, save_script, traced
from tools import fuzz_torchscript
from tools.hostile_archives import with_code
from tools.hostile_scripts import PLACES, scripts, sound
from udacisense import scratch, verbs
from udacisense.archives import ArchiveError
from udacisense.errors import CheckpointError, InspectError, RunError, UnsafeFileError
from udacisense.inspection.inspect_file import inspect_file
from udacisense.labels import CLASSES
from udacisense.models.loading import load_network
from udacisense.models.summary import summarise
from udacisense.remote import RemoteModel
from udacisense.torchscript import archive
from udacisense.torchscript.code import refused
from udacisense.torchscript.load import load_script, operator_names, quiet_jit
from udacisense.torchscript.operators import allowed
from udacisense.vision import torchvision


class Saves(torch.nn.Module):
    """A classifier that leaves a file behind, and a copy of what it can read."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.head = path, torch.nn.Linear(3, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Ten answers."""
        torch.save(x, self.path)
        return self.head(x.mean(dim=[2, 3]))


def hostile(path: Path, mark: Path) -> Path:
    """A TorchScript checkpoint that writes `mark` when it runs."""
    with quiet_jit():
        return save_script(torch.jit.script(Saves(str(mark))), path)


# --- refused -------------------------------------------------------------------------------------------------------------


def test_a_file_that_reaches_for_files_is_refused_in_one_sentence_and_not_run(tmp_path: Path) -> None:
    path, mark = tmp_path / "model.pt", tmp_path / "mark"
    checkpoint = described_file(hostile(path, mark))
    for use in (load_network, summarise):
        with pytest.raises(UnsafeFileError, match=r"^model\.pt was not loaded: it calls torch\.save") as told:
            use(checkpoint)
        assert "\n" not in str(told.value)
    with pytest.raises(InspectError, match=r"^model\.pt was not loaded: it calls torch\.save[^.]*\. Use a file [^.]*\.$"):
        inspect_file(path, "torchscript")
    assert not mark.exists()


def test_the_hostile_file_would_have_written(tmp_path: Path) -> None:
    """What proves that the test above can fail."""
    with quiet_jit():
        torch.jit.load(str(hostile(tmp_path / "model.pt", tmp_path / "mark")))(torch.zeros(1, 3, 8, 8))
    assert (tmp_path / "mark").exists()


def test_torchscript_is_loaded_in_bound_processes_only(tmp_path: Path) -> None:
    path = save_script(traced(Small()), tmp_path / "model.pt")
    with pytest.raises(RuntimeError, match="bound processes only"):
        load_script(path)


HEAD = "class Net(Module):\n  def forward(self: __torch__.Net, x: Tensor) -> Tensor:\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('torch.save(x, "p")', "torch.save"),
        ('ops.aten.save(x, "p")', "ops.aten.save"),
        ('x.save("p")', "save"),
        ('f = x.save\n    f("p")', "save"),
        ('f = torch.save\n    f(x, "p")', "torch.save"),
        ('getattr(x, "save")("p")', "getattr of save"),
        ('getattr(x, torch.add("sa", "ve"))("p")', "getattr of an expression"),
        ("fork(x)", "fork"),
        ("ops.prim.rpc_async(x, x)", "ops.prim.rpc_async"),
        ("y = __torch__.torch.classes.xnnpack.Conv2dOpContext", "class xnnpack.Conv2dOpContext"),
        ("torch.nn.functional.relu(x)", "torch.nn.functional.relu"),
        ("open(x)", "open"),
    ],
)
def test_an_operator_is_found_however_the_code_reaches_it(line: str, found: str) -> None:
    assert refused({"m": f"{HEAD}    {line}\n    return torch.relu(x)\n"}, operator_names()) == (found,)


@pytest.mark.parametrize("defined", ["  save : int\n", "  def save(self: __torch__.Net) -> int:\n    return 1\n"])
def test_a_name_of_the_files_own_does_not_hide_an_operator(defined: str) -> None:
    code = HEAD.replace("  def", f"{defined}  def", 1) + '    x.save("p")\n    return x\n'
    assert refused({"m": code}, operator_names()) == ("save",)


@pytest.mark.parametrize("code", ["x = 'é'", "# a\rtorch.save", "x = (", "import os", "x = [i for i in y]", 'x = f"{y}"'])
def test_code_as_torch_never_writes_it_is_refused(code: str) -> None:
    with pytest.raises(ArchiveError):
        refused({"m": code}, operator_names())


def test_no_allowed_operator_reaches_for_files_processes_or_devices() -> None:
    """By torch's own schemas: none takes a file's name, a future or a generator, and none returns one."""
    suspicious = ("filename", "Future", "RRef", "Stream", "Storage", "Await", "__torch__.torch.classes.d")
    for schema in torch._C._jit_get_all_schemas():
        if allowed(schema.name):
            said = str(schema).partition("(")[2]
            assert not any(word in said for word in suspicious), schema
    assert not allowed("aten::save")
    assert not allowed("aten::from_file")


# --- let in --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("how", ["script", "trace", "freeze"])
@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t"])
def test_classifiers_of_torchvision_are_let_in(tmp_path: Path, name: str, how: str) -> None:
    net = torchvision().models.get_model(name, weights=None).eval()
    with quiet_jit():
        module = traced(net) if how == "trace" else torch.jit.script(net)
        path = save_script(torch.jit.freeze(module) if how == "freeze" else module, tmp_path / "m.pt")
    archive.check(path, operator_names())
    load_script(path)


def test_the_shipped_torchscript_files_are_let_in() -> None:
    files = sorted((Path(__file__).parents[2] / "models" / "mobile").rglob("*.ptl"))
    assert files
    for path in files:
        archive.check(path, operator_names())


# --- in a process of its own -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_remote_model_answers_as_the_network_does(tmp_path: Path) -> None:
    remote = RemoteModel(described_file(save_script(traced(), tmp_path / "m.pt")))
    with torch.inference_mode():
        expected = network()(torch.from_numpy(images(3))).numpy()
    np.testing.assert_allclose(remote.predict(images(3)), expected, atol=1e-4)
    remote.close()
    np.testing.assert_allclose(remote.predict(images(1)), expected[:1], atol=1e-4)  # it starts again when it is asked
    remote.close()


def test_a_network_that_runs_elsewhere_cannot_be_captured(tmp_path: Path) -> None:
    found = load_network(described_file(save_script(traced(), tmp_path / "m.pt")))
    assert not found.training
    with pytest.raises(CheckpointError, match="cannot be captured here"), quiet_jit():
        torch.jit.trace(found, torch.zeros(1, 3, 224, 224))


@pytest.mark.slow
def test_a_file_that_never_answers_is_stopped_and_the_next_call_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "loop.pt"
    every = scripts(sound(), sound(lite=True), str(tmp_path / "mark"))
    path.write_bytes(next(one.content for one in every if one.name == "bounds loops over tensors on images only"))
    remote = RemoteModel(described_file(path)).open()
    monkeypatch.setattr("udacisense.remote.CALL_S", 1.0)
    monkeypatch.setattr("udacisense.remote.IMAGE_S", 0.0)
    with pytest.raises(RunError, match=r"^loop\.pt could not be run: it gave no answer within 1 s and was stopped"):
        remote.predict(images(1))
    monkeypatch.setattr("udacisense.remote.CALL_S", 60.0)
    assert remote.predict(np.zeros((1, 3, 224, 224), np.float32)).shape == (1, 10)
    remote.close()


@pytest.mark.slow
def test_a_torchscript_checkpoint_is_converted_in_a_bound_child_that_writes_its_own_folder_only(sample_home: Path) -> None:
    folder = sample_home / "models" / "mine"
    folder.mkdir(parents=True)
    file, values = (
        save_script(traced(), folder / "m.pt"),
        {"input": "224", "mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"},
    )
    described = verbs.add(file, ",".join(CLASSES), **values)
    made = verbs.convert(described, "torchscript")
    assert made.recipe["capture"] == "none"
    assert made.size_bytes > 1 << 20
    mark = sample_home / "mark"
    with pytest.raises(UnsafeFileError, match=r"torch\.save"):
        verbs.convert(hostile(folder / "evil.pt", mark), "torchscript")
    assert not mark.exists()


# --- by the hundred --------------------------------------------------------------------------------------------------------


def fuzzed(*options: str) -> dict[str, dict[str, Any]]:
    """What the tool says. It forks, which a process of tests is too full and too threaded for."""
    command = [sys.executable, str(Path(fuzz_torchscript.__file__)), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return told


@pytest.mark.slow
def test_some_hostile_and_some_damaged_files_get_nowhere() -> None:
    told = fuzzed("--hostile", "16", "--mutated", "16", "--seconds", "2")
    for part in told.values():
        assert (part["lost"], part["ran_although_forbidden"]) == ([], [])
        assert part["refused"] > 5
        assert part["most_memory_bytes"] <= fuzz_torchscript.MOST_MEMORY_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"], ids=["a file to read", "a file to write"])
def test_no_hostile_file_gets_anywhere(seed: str) -> None:
    told = fuzzed("--mutated", "60", "--seed", seed)
    assert told["hostile"]["files"] >= 200
    assert told["hostile"]["refused"] > 150
    assert all(part["held"] for part in told.values())


@pytest.mark.slow
def test_without_the_list_of_operators_the_bounds_alone_hold() -> None:
    told = fuzzed("--mutated", "5", "--second-layer", "--seed", "2")
    assert told["hostile"]["lost"] == []
    assert len(told["hostile"]["ran_although_forbidden"]) > 20, "the hostile code runs, and reaches nothing"


def test_a_file_that_raises_is_told_of_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "raises.pt"
    path.write_bytes(with_code(sound(), PLACES["forward"]('ops.prim.RaiseException("no")')))
    with pytest.raises(RunError, match=r"^raises\.pt could not be run: no\. .* save it again where it was made\.$"):
        RemoteModel(described_file(path)).predict(images(1))


def test_the_folder_of_a_model_process_names_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the next run clears it away when this process is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    remote = RemoteModel(described_file(save_script(traced(Small()), tmp_path / "m.pt"))).open()
    assert [p.name.startswith(scratch.prefix()) for p in (tmp_path / "temporary").iterdir()] == [True]
    remote.close()
