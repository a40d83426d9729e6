"""Both TorchScript files, written for real, read from disk by their own runtimes, compared with the network."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.networks import Small, described_file, images, network, save_script, saved, traced
from tests.real_files import load
from udacisense.errors import ExportError, RunError
from udacisense.formats import FORMATS
from udacisense.formats.fmt_torchscript import FORMAT, LITE
from udacisense.models.torchscript_session import NetworkSession
from udacisense.torchscript.load import quiet_jit
from udacisense.types import Checkpoint, Conversion, Exported, Format

BOTH = pytest.mark.parametrize("fmt", [FORMAT, LITE], ids=["standard", "lite"])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "model.pth")


@pytest.fixture(scope="module")
def written(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Exported]]:
    folder = tmp_path_factory.mktemp("exported")
    return {
        f.name: (folder / f.file_name, f.export(checkpoint, Conversion("fp32"), folder / f.file_name)) for f in (FORMAT, LITE)
    }


def reference(n: int) -> Any:
    return NetworkSession(network(), 1).predict(images(n))


@BOTH
def test_the_file_from_disk_answers_as_the_network_one_by_one_and_in_a_batch(fmt: Format, written: dict[str, Any]) -> None:
    session = load(fmt, written[fmt.name][0], 1)
    for n in (1, 4):
        np.testing.assert_allclose(session.predict(images(n)), reference(n), atol=1e-4)
    assert np.ptp(reference(4)) > 1  # answers that differ, or the line above would prove little


@BOTH
def test_what_was_done_and_why_is_recorded(fmt: Format, written: dict[str, Any]) -> None:
    exported = written[fmt.name][1]
    assert exported.recipe["capture"] == "trace"
    assert exported.recipe["input_px"] == [224, 224]
    if exported.recipe["optimiser"] == "freeze":  # a build without XNNPACK
        assert "because optimize_for_mobile failed" in str(exported.recipe["optimiser_reason"])
        assert exported.recipe["optimiser_reason"] in exported.warnings
    else:
        assert exported.recipe["optimiser"] == "optimize_for_mobile"


@BOTH
def test_batch_norm_is_folded_away(fmt: Format, written: dict[str, Any]) -> None:
    with zipfile.ZipFile(written[fmt.name][0]) as archive:
        code = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".py"))
    assert "conv" in code
    assert "batch_norm" not in code


@BOTH
def test_the_file_names_no_folder_of_the_machine_that_made_it(fmt: Format, written: dict[str, Any]) -> None:
    with zipfile.ZipFile(written[fmt.name][0]) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
        assert archive.testzip() is None
        version = next(archive.read(n) for n in archive.namelist() if n.endswith("/version"))
    assert b"site-packages" not in content
    assert str(Path(__file__).resolve().parents[2]).encode() not in content
    assert int(version) > 0  # the archive's format number survives the rewriting, or operators would be read as older ones


def test_only_the_lite_file_has_the_lite_interpreters_bytecode(written: dict[str, Any]) -> None:
    def has_bytecode(path: Path) -> bool:
        with zipfile.ZipFile(path) as archive:
            return any(n.endswith("/bytecode.pkl") for n in archive.namelist())

    assert has_bytecode(written[LITE.name][0])
    assert not has_bytecode(written[FORMAT.name][0])
    with pytest.raises(RunError, match=r"no TorchScript file that this runtime can load: .*bytecode"):
        load(LITE, written[FORMAT.name][0], 1)


@BOTH
def test_another_precision_is_refused(fmt: Format, checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fp32 and int8, fp16 was asked for"):
        fmt.export(checkpoint, Conversion("fp16"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_reference_runs_the_checkpoint_itself(checkpoint: Checkpoint) -> None:
    np.testing.assert_array_equal(FORMATS["torch"].load(checkpoint, 1).predict(images(2)), reference(2))


# --- the ways around what fails ------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """A checkpoint that loads as a small network, so that the ways around cost little."""
    from udacisense.models import loading

    torch.manual_seed(1)
    net = Small().eval()
    monkeypatch.setattr(loading, "load_network", lambda checkpoint: net)
    return saved(tmp_path / "small.pth")


def export(checkpoint: Checkpoint, folder: Path) -> tuple[Exported, Any]:
    from udacisense.models.loading import load_network

    path = folder / FORMAT.file_name
    done = FORMAT.export(checkpoint, Conversion("fp32"), path)
    expected = NetworkSession(load_network(checkpoint), 1).predict(images(3))
    np.testing.assert_allclose(load(FORMAT, path, 1).predict(images(3)), expected, atol=1e-4)
    return done, path


def raising(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("no luck\nwith a long stack below")


def off_by_one(module: torch.nn.Module) -> Any:
    class Off(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ones(x.shape[0], 10)

    return torch.jit.trace(Off(), torch.zeros(2, 3, 8, 8))


def mobile(monkeypatch: pytest.MonkeyPatch, optimiser: Callable[[Any], Any]) -> None:
    monkeypatch.setattr("torch.utils.mobile_optimizer.optimize_for_mobile", optimiser)


def test_a_network_that_cannot_be_traced_is_scripted(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.jit, "trace", raising)
    done, _ = export(small, tmp_path)
    assert done.recipe["capture"] == "script"
    assert done.recipe["capture_reason"] == (
        "The network was scripted, because tracing failed (no luck). Verify the file on real images."
    )
    assert done.recipe["capture_reason"] in done.warnings


def test_a_trace_that_answers_otherwise_is_scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Depends(torch.nn.Module):
        """Takes another way for each kind of input: what a trace cannot follow."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pooled = x.mean(dim=(2, 3)).repeat(1, 4)[:, :10]
            return pooled * 2 if x.shape[0] > 1 else pooled

    from udacisense.models import loading

    monkeypatch.setattr(loading, "load_network", lambda checkpoint: Depends().eval())
    done, _ = export(saved(tmp_path / "m.pth"), tmp_path)
    assert done.recipe["capture"] == "script"
    assert "answers otherwise" in str(done.recipe["capture_reason"])


def test_where_the_mobile_optimiser_works_it_is_used(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mobile(monkeypatch, lambda module: torch.jit.freeze(module))
    done, _ = export(small, tmp_path)
    assert done.recipe["optimiser"] == "optimize_for_mobile"
    assert "optimiser_reason" not in done.recipe
    assert done.warnings == ()


def test_a_mobile_optimiser_that_changes_the_answers_is_not_used(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mobile(monkeypatch, off_by_one)
    done, _ = export(small, tmp_path)
    assert done.recipe["optimiser"] == "freeze"
    assert "optimize_for_mobile changed the answers by up to" in done.warnings[0]


def test_where_no_optimiser_works_the_capture_is_kept(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mobile(monkeypatch, raising)
    monkeypatch.setattr(torch.jit, "freeze", raising)
    done, _ = export(small, tmp_path)
    assert done.recipe["optimiser"] == "none"
    assert done.warnings == ("No optimiser was used, because optimize_for_mobile failed (no luck); freeze failed (no luck).",)


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("frozen", [False, True], ids=["as captured", "frozen"])
def test_a_torchscript_checkpoint_is_taken_as_it_is(tmp_path: Path, frozen: bool) -> None:
    with quiet_jit():
        module = torch.jit.freeze(traced()) if frozen else traced()
    checkpoint = described_file(save_script(module, tmp_path / "model.pt"))
    for fmt in (FORMAT, LITE):
        done = fmt.export(checkpoint, Conversion("fp32"), tmp_path / fmt.file_name)
        assert done.recipe["capture"] == "none"
        np.testing.assert_allclose(load(fmt, tmp_path / fmt.file_name, 1).predict(images(2)), reference(2), atol=1e-4)
