"""Core ML packages, written for real once and looked into; they run on Apple's systems, elsewhere on a stand-in of Core ML."""

from __future__ import annotations

import json
import platform
import re
import sys
import types
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.networks import images, network
from tests.real_files import RealFiles, load
from udacisense.errors import ExportError, RunError
from udacisense.formats.fmt_coreml import FORMAT
from udacisense.formats.fmt_coreml import format as fmt_coreml
from udacisense.formats.fmt_coreml.format import PACKAGE
from udacisense.inspection.inspect_file import inspect_file
from udacisense.labels import CLASSES
from udacisense.models.torchscript_session import NetworkSession
from udacisense.types import Checkpoint, Conversion

ON_A_MAC = sys.platform == "darwin"
PRECISIONS = {"fp16": ("float16", 3.3e6, 0.0), "int8": ("int8", 1.8e6, 0.012), "palette6": ("6-bit palette", 1.4e6, 0.05)}
"""The weights' type, the largest size of the file, and the largest error of a large tensor, as a share of its norm."""


@pytest.fixture(scope="module")
def checkpoint(real_files: RealFiles) -> Checkpoint:
    return real_files.checkpoint


@pytest.fixture(scope="module")
def files(real_files: RealFiles) -> dict[str, Path]:
    """A file of each precision."""
    return {precision: real_files.of("coreml", precision) for precision in FORMAT.precisions}


@pytest.mark.slow
@pytest.mark.parametrize("precision", FORMAT.precisions)
def test_a_package_is_what_it_is_called(precision: str, files: dict[str, Path], checkpoint: Checkpoint) -> None:
    path, (dtype, most, _) = files[precision], PRECISIONS[precision]
    inside = inspect_file(path, "coreml", precision)
    assert inside.weights[0].dtype == dtype
    assert path.stat().st_size < most
    assert inside.macs == 55_496_640
    ports = inside.layout, inside.inputs[0].name, inside.inputs[0].dtype, inside.outputs[0].name
    assert ports == ("NCHW", "image", "float32", "logits")
    assert inside.metadata["labels"].split(",") == list(CLASSES)
    told = json.loads(inside.metadata["preprocessing"])
    assert (told["mean"], told["std"], told["labels"]) == (list(checkpoint.mean), list(checkpoint.std), list(CLASSES))
    assert inside.facts["opset"] == "CoreML6"
    assert not [f for f in inside.findings if f.weight == "warning"]


@pytest.fixture(scope="module")
def wide(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return weights(files["fp16"], tmp_path_factory.mktemp("fp16"), compressed=False)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "palette6"])
def test_the_narrow_weights_are_the_wide_ones(
    precision: str, files: dict[str, Path], wide: dict[str, Any], tmp_path: Path
) -> None:
    found = weights(files[precision], tmp_path, compressed=True)
    assert found.keys() == wide.keys()
    errors = [float(np.linalg.norm(found[n] - wide[n]) / np.linalg.norm(wide[n])) for n in wide if wide[n].size > 20_000]
    assert len(errors) > 10
    assert 0 < max(errors) <= PRECISIONS[precision][2]


def weights(path: Path, folder: Path, *, compressed: bool) -> dict[str, Any]:
    """A file's large weights as the arithmetic sees them, read by coremltools; by their names without its endings."""
    import coremltools as ct
    import coremltools.optimize.coreml as optimize

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ct.models.MLModel(str(fmt_coreml._unpack(path, folder)), skip_model_load=True)
        if compressed:
            model = optimize.decompress_weights(model)
        about = optimize.get_weights_metadata(model, weight_threshold=2048)
        named = {re.sub("_(quantized|palettized)$", "", name): weight.val for name, weight in about.items()}
        return {name: np.asarray(values, np.float32) for name, values in named.items()}


@pytest.mark.slow
def test_the_same_model_gives_the_same_file(files: dict[str, Path], checkpoint: Checkpoint, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    fmt_coreml._half_model.cache_clear()
    FORMAT.export(checkpoint, Conversion("fp16"), again)
    with zipfile.ZipFile(files["fp16"]) as a, zipfile.ZipFile(again) as b:
        assert a.namelist() == b.namelist()
        assert [n for n in a.namelist() if a.read(n) != b.read(n)] == []
        assert [n for n in a.namelist() if "/Data/" not in n] == [f"{PACKAGE}/Manifest.json"], (
            "nothing of its makers' debugging"
        )
    assert again.read_bytes() == files["fp16"].read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not ON_A_MAC, reason="Core ML runs on macOS only")
@pytest.mark.parametrize("precision", FORMAT.precisions)
def test_on_a_mac_it_answers_as_the_network(precision: str, files: dict[str, Path]) -> None:
    logits = load(FORMAT, files[precision], 1).predict(images(2))
    reference = NetworkSession(network(), 1).predict(images(2))
    assert np.abs(logits - reference).max() < 0.1 * np.ptp(reference)


def test_the_identifiers_that_coremltools_draws_change_nothing() -> None:
    def manifest(model: str, weights: str) -> bytes:
        entries = {model: {"path": "com.apple.CoreML/model.mlmodel"}, weights: {"path": "com.apple.CoreML/weights"}}
        return json.dumps({"itemInfoEntries": entries, "rootModelIdentifier": model}).encode()

    one, other = (fmt_coreml._fixed_identifiers(manifest(*drawn)) for drawn in (("A1-", "B2-"), ("D4-", "C3-")))
    assert one == other
    found = json.loads(one)
    assert found["itemInfoEntries"][found["rootModelIdentifier"]]["path"].endswith("model.mlmodel")


# --- the way to run it, on a stand-in of what coremltools is on a Mac ---


class StandIn:
    """coremltools.models.MLModel as a Mac has it: it reads a package from a folder and answers a dict with a dict."""

    refuses = ""  # what Core ML's compiler says
    fails = ""  # what Core ML says when it predicts

    def __init__(self, model: str, *, compute_units: object) -> None:
        assert compute_units == "the processor alone"
        assert isinstance(model, str)
        self.place = Path(model)
        assert self.place.suffix == ".mlpackage"
        assert json.loads((self.place / "Manifest.json").read_text()) == {"kind": "manifest"}
        if self.refuses:
            warnings.warn(f"You will not be able to run predict(). {self.refuses}", RuntimeWarning, stacklevel=2)

    def predict(self, data: dict[str, Any]) -> dict[str, Any]:
        if type(data) is not dict:
            raise TypeError("one image is a dict")
        if data.keys() != {"image"}:
            raise KeyError("Provided key does not match any of the model input names")
        if self.fails:
            raise RuntimeError(self.fails)
        image = data["image"]
        assert (image.shape, image.dtype) == ((1, 3, 4, 4), np.float32)
        return {"logits": image.mean(axis=(2, 3)).astype(np.float16)}


@pytest.fixture
def on_a_mac(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    """A Mac's coremltools, without Core ML."""

    class Here(StandIn):
        pass

    stand_in: Any = types.ModuleType("coremltools")
    stand_in.models = types.SimpleNamespace(MLModel=Here)
    stand_in.ComputeUnit = types.SimpleNamespace(CPU_ONLY="the processor alone")
    monkeypatch.setitem(sys.modules, "coremltools", stand_in)
    monkeypatch.setattr(fmt_coreml, "_unavailable", lambda capability: None)
    return Here


def zipped(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return zipped(tmp_path / "m.zip", {f"{PACKAGE}/Data/x": b"x", f"{PACKAGE}/Manifest.json": b'{"kind": "manifest"}'})


def test_images_go_in_one_at_a_time_and_float32_comes_out(on_a_mac: type[StandIn], package: Path) -> None:
    given = np.random.default_rng(0).standard_normal((5, 3, 4, 4), dtype=np.float32)
    session = load(FORMAT, package, 1)
    answers = session.predict(given)
    assert (answers.shape, answers.dtype) == ((5, 3), np.float32)
    assert np.allclose(answers, given.mean(axis=(2, 3)), atol=1e-3)
    with pytest.raises(RunError, match=r"\(N, 3, H, W\)"):
        session.predict(given[:0])


def test_the_unpacked_package_goes_with_the_session(on_a_mac: type[StandIn], package: Path) -> None:
    session: Any = load(FORMAT, package, 1)
    place = session._model.place
    assert place.is_dir()
    del session
    assert not place.parent.exists()


def test_what_core_ml_refuses_is_an_error_at_once(on_a_mac: type[StandIn], package: Path) -> None:
    on_a_mac.refuses = "compiler error: no such operator"
    with pytest.raises(RunError, match=r"cannot load m\.zip: .*no such operator"):
        load(FORMAT, package, 1)


def test_what_fails_later_is_an_error_too(on_a_mac: type[StandIn], package: Path) -> None:
    on_a_mac.fails = "the specification has version 9"
    with pytest.raises(RunError, match=r"Core ML failed on images of shape .*specification has version 9"):
        load(FORMAT, package, 1).predict(np.zeros((1, 3, 4, 4), np.float32))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"other/Manifest.json": b"{}"}, "no part of a package"),
        ({f"{PACKAGE}/../../escaped": b"x", f"{PACKAGE}/Manifest.json": b"{}"}, "no part of a package"),
        ({f"{PACKAGE}/Data/x": b"x"}, "it holds no package"),
    ],
)
def test_a_zip_of_something_else_is_refused(
    content: dict[str, bytes], said: str, on_a_mac: type[StandIn], tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=said):
        load(FORMAT, zipped(tmp_path / "m.zip", content), 1)
    assert not (tmp_path / "escaped").exists()


def test_a_zip_that_could_grow_is_refused(on_a_mac: type[StandIn], tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "m.zip", {f"{PACKAGE}/Manifest.json": b"0" * 1_000_000}, zipfile.ZIP_DEFLATED)
    with pytest.raises(RunError, match="no part of a package"):
        load(FORMAT, bomb, 1)


def test_a_damaged_file_is_one_message(on_a_mac: type[StandIn], package: Path) -> None:
    package.write_bytes(package.read_bytes()[:-30])
    with pytest.raises(RunError, match=r"cannot load m\.zip.*Convert its checkpoint again"):
        load(FORMAT, package, 1)


# --- where it does not run ---


@pytest.mark.skipif(ON_A_MAC, reason="Core ML runs here")
def test_elsewhere_it_says_why_it_does_not_run(tmp_path: Path) -> None:
    reason = FORMAT.unavailable("run")
    assert reason is not None
    assert "macOS" in reason
    assert FORMAT.unavailable("export") is None
    with pytest.raises(RunError, match="Verify it on a Mac"):
        load(FORMAT, tmp_path / "m.zip", 1)


@pytest.mark.parametrize(
    ("version", "bindings", "said"),
    [("12.7", True, "from macOS 13 on, and this machine has 12.7"), ("14.1", False, "without its link"), ("14.1", True, None)],
)
def test_a_mac_says_what_it_lacks(
    version: str, bindings: bool, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bindings:
        (tmp_path / "libcoremlpython.so").touch()
    there = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(fmt_coreml.importlib.util, "find_spec", lambda name: there)  # type: ignore[attr-defined]
    monkeypatch.setattr(platform, "mac_ver", lambda: (version, ("", "", ""), "arm64"))
    monkeypatch.setattr(fmt_coreml.sys, "platform", "darwin")  # type: ignore[attr-defined]
    reason = FORMAT.unavailable("run")
    assert reason is None if said is None else reason is not None and said in reason


def test_a_precision_that_is_not_offered_is_refused(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fmt_coreml, "_half_model", lambda checkpoint: None)
    with pytest.raises(ExportError, match="fp16, int8, palette6, not fp32"):
        FORMAT.export(checkpoint, Conversion("fp32"), tmp_path / "out")
