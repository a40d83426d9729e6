"""Every kind of file that somebody may call a checkpoint: it loads, or it says what is wrong. No file's code ever runs."""

from __future__ import annotations

import io
import os
import pickle
import random
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.networks import Small, described_file, images, network, save_script, saved, traced
from udacisense.errors import CheckpointError, NotFoundError, UdaciSenseError, UnsafeFileError
from udacisense.models.checkpoint import find_checkpoint, list_checkpoints
from udacisense.models.loading import load_network
from udacisense.models.summary import summarise
from udacisense.torchscript.load import quiet_jit

HEAD = "model.classifier.3.weight"


def load(path: Path) -> torch.nn.Module:
    return load_network(described_file(path))


def logits(module: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return module(torch.from_numpy(images()))


def weights(**changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """The network's state_dict with entries replaced, or left out where None."""
    merged: dict[str, torch.Tensor | None] = {**network().state_dict(), **changes}
    return {k: v for k, v in merged.items() if v is not None}


# --- what loads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda w: w, id="plain"),
        pytest.param(lambda w: {"state_dict": w, "epoch": 3, "optimizer": {"lr": 0.1}}, id="state_dict"),
        pytest.param(lambda w: {"model_state_dict": w, "loss": 0.5}, id="model_state_dict"),
        pytest.param(lambda w: {f"module.{k}": v for k, v in w.items()}, id="data parallel"),
    ],
)
def test_the_courses_files_load_as_they_are(tmp_path: Path, wrap: Callable[[Any], Any]) -> None:
    path = tmp_path / "model.pth"
    torch.save(wrap(weights()), path)
    loaded = load(path)
    assert not loaded.training
    assert torch.equal(logits(loaded), logits(network()))


def test_a_file_of_the_old_container_loads(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save(weights(), path, _use_new_zipfile_serialization=False)
    assert torch.equal(logits(load(path)), logits(network()))


def test_a_saved_checkpoint_answers_as_the_network_did(tmp_path: Path) -> None:
    assert torch.equal(logits(load_network(saved(tmp_path / "m.pth"))), logits(network()))


@pytest.mark.parametrize("capture", ["trace", "script", "freeze"])
def test_torchscript_files_load(tmp_path: Path, capture: str) -> None:
    with quiet_jit():
        module = torch.jit.script(network()) if capture == "script" else traced()
        module = torch.jit.freeze(module) if capture == "freeze" else module
    loaded = load(save_script(module, tmp_path / "model.pt"))
    assert not loaded.training
    np.testing.assert_allclose(logits(loaded), logits(network()), atol=1e-5)


def test_torchscript_saved_in_training_mode_is_put_in_evaluation_mode(tmp_path: Path) -> None:
    with quiet_jit():
        module = torch.jit.script(network().train())
    loaded = load(save_script(module, tmp_path / "model.pt"))
    assert torch.equal(logits(loaded), logits(loaded))  # dropout is off
    assert not loaded.training


# --- what would run code -------------------------------------------------------------------------------------------------


class Malicious:
    """Unpickled in earnest, it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.mark}",))


def raw_pickle(thing: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(thing))


def torch_zip(thing: Any, path: Path) -> None:
    torch.save(thing, path)


def torch_zip_of_a_newer_pickle(thing: Any, path: Path) -> None:
    torch.save(thing, path, pickle_protocol=4)


def torch_legacy(thing: Any, path: Path) -> None:
    torch.save(thing, path, _use_new_zipfile_serialization=False)


def dressed_as_torchscript(thing: Any, path: Path) -> None:
    """A zip with a code folder, so that it is taken for TorchScript, whose pickles are malicious."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/code/__torch__.py", "")
        archive.writestr("m/version", "3\n")
        for name in ("m/data.pkl", "m/constants.pkl"):
            archive.writestr(name, pickle.dumps(thing, protocol=2))


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in a state_dict"])
@pytest.mark.parametrize("write", [raw_pickle, torch_zip, torch_zip_of_a_newer_pickle, torch_legacy, dressed_as_torchscript])
def test_a_malicious_file_is_refused_and_none_of_its_code_runs(
    home: Path, write: Callable[[Any, Path], None], wrapped: bool
) -> None:
    mark, path = home / "code-ran", home / "models" / "evil.pth"
    path.parent.mkdir()
    evil = Malicious(mark)
    write({"state_dict": {HEAD: torch.zeros(1), "x": evil}} if wrapped else evil, path)
    checkpoint = list_checkpoints().records[0]
    find_checkpoint(checkpoint.id)
    for use in (load_network, summarise):
        with pytest.raises(CheckpointError) as refused:
            use(checkpoint)
        assert isinstance(refused.value, UnsafeFileError) or write is dressed_as_torchscript
    assert not mark.exists()


def test_the_malicious_file_would_have_run_its_code(tmp_path: Path) -> None:
    """What proves that the test above can fail."""
    raw_pickle(Malicious(tmp_path / "code-ran"), tmp_path / "evil.pth")
    pickle.loads((tmp_path / "evil.pth").read_bytes())
    assert (tmp_path / "code-ran").exists()


def test_a_pickled_graph_module_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "graph.pth"
    torch.save(torch.fx.symbolic_trace(torch.nn.Sequential(torch.nn.Linear(3, 10))), path)
    with pytest.raises(UnsafeFileError, match=r"pickled Python object.*torch\.save\(model\.state_dict\(\)"):
        load(path)


def test_a_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(network(), tmp_path / "whole.pth")
    with pytest.raises(UnsafeFileError, match=r"whole\.pth is a pickled Python object"):
        load(tmp_path / "whole.pth")


# --- what is wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(weights(**{HEAD: torch.zeros(100, 1024)}), "answers 100 classes.*said to tell 10 apart", id="classes"),
        pytest.param(weights(**{HEAD: None}), r"lacks model\.classifier\.3\.weight", id="missing"),
        pytest.param(weights(extra=torch.zeros(1)), "has extra too many", id="unexpected"),
        pytest.param(
            weights(**{"model.features.0.0.weight": torch.zeros(8, 3, 3, 3)}), r"\(8, 3, 3, 3\) instead of", id="shape"
        ),
        pytest.param(weights(**{HEAD: torch.zeros(10, 512)}), "has other shapes", id="width of the head"),
        pytest.param(weights(**{HEAD: torch.full((10, 1024), float("nan"))}), "not finite numbers", id="nan"),
        pytest.param({f"mine.{k}": v for k, v in weights().items()}, "instead", id="prefix"),
        pytest.param({}, "a dict of", id="empty dict"),
        pytest.param([1, 2], "holds a list", id="list"),
        pytest.param(torch.zeros(3), "holds a Tensor", id="tensor"),
        pytest.param({"weights": torch.zeros(1), "note": "hello"}, "a dict of", id="other dict"),
        pytest.param(
            {"fc.scale": torch.zeros(1), "fc.zero_point": torch.zeros(1)}, "quantised network.*TorchScript", id="int8"
        ),
        pytest.param({"fc._packed_params.dtype": torch.qint8, "x": torch.zeros(1)}, "quantised network", id="packed int8"),
    ],
)
def test_each_misfit_has_its_own_message(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match=message) as told:
        load(tmp_path / "model.pth")
    assert "model.pth" in str(told.value)
    assert not isinstance(told.value, UnsafeFileError)


def write_cut(path: Path) -> None:
    torch.save(weights(), path)
    path.write_bytes(path.read_bytes()[:100_000])


def write_empty_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w"):
        pass


def write_cut_script(path: Path) -> None:
    save_script(traced(Small()), path)
    raw = path.read_bytes()
    path.write_bytes(raw[:40] + b"\0" * 200 + raw[240:])  # the directory at the end stays: still a TorchScript archive


@pytest.mark.parametrize(
    "write",
    [
        write_cut,
        write_empty_zip,
        write_cut_script,
        pytest.param(lambda p: p.write_bytes(random.Random(0).randbytes(5000)), id="noise"),
        pytest.param(lambda p: p.write_text("<!DOCTYPE html><html>404</html>"), id="html"),
        pytest.param(lambda p: p.write_bytes(b"\0"), id="one byte"),
        pytest.param(lambda p: p.write_bytes(pickle.dumps({"a": 1})[:-3]), id="cut pickle"),
    ],
)
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "model.pth"
    write(path)
    with pytest.raises(CheckpointError, match=r"model\.pth cannot be read as weights"):
        load(path)


def test_a_git_lfs_pointer_is_called_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 6251405\n")
    with pytest.raises(CheckpointError, match="git lfs pull"):
        load(path)


def test_a_file_that_went_away_is_not_found(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "m.pth")
    checkpoint.path.unlink()
    with pytest.raises(NotFoundError, match="There is no file"):
        load_network(checkpoint)


def test_torchscript_with_other_classes_or_another_input_is_refused(tmp_path: Path) -> None:
    class OneChannel(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.conv2d(x, torch.zeros(10, 1, 224, 224)).flatten(1)

    with quiet_jit():
        grey = torch.jit.trace(OneChannel(), torch.zeros(1, 1, 224, 224))
    with pytest.raises(CheckpointError, match="answers 7 classes"):
        load(save_script(traced(Small(classes=7)), tmp_path / "seven.pt"))
    with pytest.raises(CheckpointError, match="does not run on an image of 3 x 224 x 224"):
        load(save_script(grey, tmp_path / "grey.pt"))


def test_no_damage_escapes_as_another_error(tmp_path: Path) -> None:
    """Two hundred files with a few bytes changed at random, in both containers: a clear error, or a network."""
    rng = random.Random(7)
    small: Mapping[str, torch.Tensor] = {"a": torch.zeros(4), "b": torch.ones(2, 2)}
    originals = []
    for new_container in (True, False):
        buffer = io.BytesIO()
        torch.save(small, buffer, _use_new_zipfile_serialization=new_container)
        originals.append(buffer.getvalue())
    path = tmp_path / "model.pth"
    for n in range(200):
        raw = bytearray(originals[n % 2])
        for _ in range(rng.randint(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        path.write_bytes(raw[: rng.randint(1, len(raw))] if n % 5 == 0 else raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy and torch may grumble over nonsense
            with pytest.raises(UdaciSenseError):
                load(path)
