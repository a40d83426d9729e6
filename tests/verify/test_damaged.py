"""Real files, damaged on purpose in one block: the search names that block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import networks
from tests.fakes import fake_artifact, sha256
from udacisense.data.dataset import Dataset
from udacisense.data.sources import load_dataset
from udacisense.formats import get_format
from udacisense.models.checkpoint import BASELINE, read_checkpoint
from udacisense.models.loading import load_network
from udacisense.models.truncation import block_values, save_beginning
from udacisense.settings import PROJECT
from udacisense.types import Artifact, Checkpoint, Conversion
from udacisense.verify import localise, locate

pytestmark = pytest.mark.slow

DAMAGED = ("features.1", "features.6", "features.12")


SHIPPED = PROJECT / "models" / BASELINE
"""A trained network: in an untrained one the images hardly reach the deeper blocks, and neither does damage."""


@pytest.fixture
def checkpoint(sample_home: Path) -> Checkpoint:
    place = sample_home / "models" / BASELINE
    place.parent.mkdir(parents=True)
    place.write_bytes(SHIPPED.read_bytes())
    return read_checkpoint(place)


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setattr(localise, "IMAGES", 3)  # enough to find damage, and quick
    return load_dataset("test", "sample")


def as_artifact(home: Path, checkpoint: Checkpoint, format: str, write: Callable[[Path], object], name: str) -> Artifact:
    """The record of a file that `write` makes, said to be the checkpoint's."""
    artifact = fake_artifact(home / "models" / "mobile", checkpoint, format, get_format(format).file_name, seed=hash(name) % 99)
    write(artifact.path)
    return replace(artifact, sha256=sha256(artifact.path), size_bytes=artifact.path.stat().st_size)


def damage(weights: np.ndarray) -> np.ndarray:
    return (weights * (1 + 0.5 * np.random.default_rng(0).normal(size=weights.shape))).astype(np.float32)


def test_an_onnx_file_whose_weights_were_changed(home: Path, checkpoint: Checkpoint, data: Dataset) -> None:
    import onnx

    sound = home / "sound.onnx"
    get_format("onnx").export(checkpoint, Conversion("fp32"), sound)

    def write(block: str | None) -> Callable[[Path], object]:
        def damaged(path: Path) -> None:
            model = onnx.load(sound)
            for held in model.graph.initializer:
                values = onnx.numpy_helper.to_array(held)
                if block and held.name.startswith(f"model.{block}.") and values.ndim == 4:
                    held.CopyFrom(onnx.numpy_helper.from_array(damage(values), held.name))
            path.write_bytes(model.SerializeToString())

        return damaged

    for block in DAMAGED:
        record = locate(as_artifact(home, checkpoint, "onnx", write(block), block), data)
        assert record.departs == block, record.reason
        assert (record.step or block).startswith(block)
    whole = locate(as_artifact(home, checkpoint, "onnx", write(None), "sound"), data)
    assert whole.departs is None
    assert len(whole.gaps) >= 15
    assert min(g.sqnr_db or 999 for g in whole.gaps) > 90


def test_torchscript_files_of_changed_checkpoints(home: Path, checkpoint: Checkpoint, data: Dataset) -> None:
    for format, block in zip(("torchscript", "torchscript-lite", "torchscript"), DAMAGED, strict=True):
        network = load_network(checkpoint)
        with torch.no_grad():
            for name, weights in network.named_parameters():
                if name.startswith(f"model.{block}.") and weights.ndim == 4:
                    weights.copy_(torch.from_numpy(damage(weights.numpy())))
        path = home / block / "model.pth"
        path.parent.mkdir()
        torch.save(network.state_dict(), path)
        changed = networks.described_file(path)
        artifact = as_artifact(
            home, checkpoint, format, lambda p, c=changed, f=format: get_format(f).export(c, Conversion("fp32"), p), block
        )
        record = locate(artifact, data)
        assert record.departs == block, record.reason


def test_beginnings_answer_with_their_last_block(checkpoint: Checkpoint, tmp_path: Path) -> None:
    images = networks.images(2)
    expected = block_values(checkpoint, images)
    for block in ("features.8", "avgpool", "classifier.1"):
        place = tmp_path / block
        place.mkdir()
        beginning = save_beginning(checkpoint, block, place)
        with torch.no_grad():
            found = load_network(read_checkpoint(beginning.path))(torch.from_numpy(images)).numpy()
        assert found == pytest.approx(expected[block].reshape(2, -1), abs=1e-5)
        assert beginning.sha256 != checkpoint.sha256
