"""Core ML packages, written for real once and looked into; they are run only where Apple's runtime is."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.networks import images, network, saved
from udacisense.errors import ExportError, RunError
from udacisense.formats.fmt_coreml import FORMAT
from udacisense.inspection.inspect_file import inspect_file
from udacisense.labels import CLASSES
from udacisense.models.jit import NetworkSession
from udacisense.types import Checkpoint, Conversion

ON_A_MAC = sys.platform == "darwin"
WEIGHTS = {"fp16": ("float16", 3.3e6), "int8": ("int8", 1.8e6), "palette6": ("6-bit palette", 1.4e6)}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return saved(tmp_path_factory.mktemp("checkpoint") / "model.pth")


@pytest.mark.slow
@pytest.mark.parametrize("precision", FORMAT.precisions)
def test_a_package_is_what_it_is_called(precision: str, checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / FORMAT.file_name
    FORMAT.export(checkpoint, Conversion(precision), path)  # type: ignore[arg-type]
    inside = inspect_file(path, "coreml", precision)
    dtype, most = WEIGHTS[precision]
    assert inside.weights[0].dtype == dtype
    assert path.stat().st_size < most
    assert inside.macs == 55_496_640
    assert (inside.layout, inside.inputs[0].name, inside.inputs[0].dtype, inside.outputs[0].name) == (
        "NCHW",
        "image",
        "float32",
        "logits",
    )
    assert inside.metadata["labels"].split(",") == list(CLASSES)
    assert json.loads(inside.metadata["preprocessing"])["mean"] == list(checkpoint.mean)
    assert inside.facts["opset"] == "CoreML6"
    assert not [f for f in inside.findings if f.weight == "warning"]
    if ON_A_MAC:
        logits = FORMAT.load(path, 1).predict(images(2))
        reference = NetworkSession(network(), 1).predict(images(2))
        assert np.abs(logits - reference).max() < 0.1 * np.ptp(reference)


@pytest.mark.slow
def test_the_same_model_gives_the_same_file(checkpoint: Checkpoint, tmp_path: Path) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    for path in (one, two):
        FORMAT.export(checkpoint, Conversion("fp16"), path)
    with zipfile.ZipFile(one) as a, zipfile.ZipFile(two) as b:
        assert a.namelist() == b.namelist()
        assert [n for n in a.namelist() if a.read(n) != b.read(n)] == []
        assert a.namelist()[-1] == "optimized_model_mobile.mlpackage/Manifest.json"
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.skipif(ON_A_MAC, reason="Core ML runs here")
def test_elsewhere_it_says_why_it_does_not_run(tmp_path: Path) -> None:
    reason = FORMAT.unavailable("run")
    assert reason is not None
    assert "macOS" in reason
    assert FORMAT.unavailable("export") is None
    with pytest.raises(RunError, match="Verify it on a Mac"):
        FORMAT.load(tmp_path / "m.zip", 1)


def test_a_precision_that_is_not_offered_is_refused(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udacisense.formats.fmt_coreml._half_model", lambda path, sha256: None)
    with pytest.raises(ExportError, match="fp16, int8, palette6, not fp32"):
        FORMAT.export(checkpoint, Conversion("fp32"), tmp_path / "out")
