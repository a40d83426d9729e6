"""Fakes at the seam: a format with fixed answers, a small dataset, and a store with one whole story. No torch anywhere.

`fake_format()` writes and reads files of JSON; what the file says is what the session does, so a test (or a child process)
can ask for a shifted answer, a delay or a fault: `write_fake(path, shift=0.5)`, `write_fake(path, fault="nan")`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from udacisense.data.dataset import Dataset
from udacisense.labels import CLASSES, IMAGENET_MEAN, IMAGENET_STD, INPUT_PX
from udacisense.types import (
    Artifact,
    Capability,
    Checkpoint,
    Conversion,
    DatasetRef,
    Exported,
    Format,
    Images,
    Logits,
    Machine,
    Precision,
    Provenance,
    SourceName,
)

SIZE_BYTES = 64 * 1024
"""Every fake file has this size."""

Fault = Literal["nan", "crash", "hang", "shape", "load", "run", "nothing"]

MACHINE = Machine("Fake CPU", 2, 2, 8 * 2**30, "Linux 6.1 x86_64", "3.11.9", "performance")


def made(command: str = "python -m udacisense fake", created: str = "2026-01-02T03:04:05Z") -> Provenance:
    """A fixed provenance."""
    return Provenance(command, created, MACHINE, {"torch": "2.13.0", "numpy": "2.4.6"}, seed=42, load_1min=0.1)


# --- the format ---------------------------------------------------------------------------------------------------------


def write_fake(path: Path, shift: float = 0.0, delay_s: float = 0.0, fault: Fault | None = None, seed: int = 0) -> Path:
    """Write a file that `fake_format` loads; `shift` moves the logits, `fault` breaks the session."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {"file": path.name, "shift": shift, "delay_s": delay_s, "fault": fault, "seed": seed}
    path.write_text(json.dumps(plain).ljust(SIZE_BYTES), encoding="utf-8")
    return path


@dataclass(frozen=True)
class FakeSession:
    """Answers by a fixed linear map of the image's 4x4 block means; the same whether alone or in a batch."""

    shift: float = 0.0
    delay_s: float = 0.0
    fault: Fault | None = None
    seed: int = 0

    def predict(self, images: Images) -> Logits:
        if self.fault == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "run":
            raise RuntimeError("the fake runtime broke")
        time.sleep(3600 if self.fault == "hang" else self.delay_s)
        logits = fixed_logits(images, self.shift, self.seed)
        if self.fault == "nan":
            logits[:] = np.nan
        if self.fault == "nothing":
            return None  # type: ignore[return-value]
        return logits[:, :7] if self.fault == "shape" else logits


def fixed_logits(images: Images, shift: float = 0.0, seed: int = 0) -> Logits:
    """Logits (N, 10) of any images; `shift` adds fixed noise of that size to the map."""
    n, channels, height, width = images.shape
    blocks = images[:, :, : height // 4 * 4, : width // 4 * 4].reshape(n, channels, 4, height // 4, 4, width // 4)
    features = blocks.mean(axis=(3, 5), dtype=np.float64).reshape(n, -1)
    weights = np.random.default_rng(seed).normal(size=(features.shape[1], len(CLASSES)))
    weights += shift * np.random.default_rng(seed + 1).normal(size=weights.shape)
    return np.einsum("nf,fc->nc", features, weights).astype(np.float32)


def load_fake(path: Path, threads: int = 1) -> FakeSession:
    """The session that the file describes; a file of anything else gives the plain one."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        session = FakeSession(**{key: value for key, value in plain.items() if key != "file"})
    except (ValueError, TypeError, AttributeError, OSError):
        session = FakeSession()
    if session.fault == "load":
        raise RuntimeError("the fake file does not load")
    return session


def fake_format(
    name: str = "fake",
    *,
    shift: float = 0.0,
    precisions: tuple[Precision, ...] = ("fp32", "int8"),
    unavailable: Callable[[Capability], str | None] = lambda capability: None,
    **changes: Any,
) -> Format:
    """A format of JSON files; `shift` goes into the files that it exports."""

    def export(checkpoint: Checkpoint, asked: Conversion, path: Path) -> Exported:
        write_fake(path, shift=shift)
        return Exported({"precision": asked.precision, "shift": shift})

    plain = Format(
        name=name,
        title=f"Fake format {name}",
        file_name=f"model.{name}",
        precisions=precisions,
        runtime=f"{name} runtime",
        target="tests",
        runtime_version=lambda: "1.0",
        unavailable=unavailable,
        export=export,
        load=load_fake,
    )
    return replace(plain, **changes)


FakeFormat = fake_format


def run_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the app opens in a child process are opened here: a child does not know the fake formats."""

    from udacisense import artifacts, formats

    class Here:
        def __init__(self, path: Path, format: str, threads: int) -> None:
            self._asked = path, format, threads

        def open(self) -> Any:
            path, format, threads = self._asked
            return formats.get_format(format).load(path, threads)

    monkeypatch.setattr(artifacts, "RemoteModel", Here)


def convert_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `convert` use the formats that the test put in place: its child process would know the real ones only."""
    from udacisense.conversion.steps import ConversionSteps

    monkeypatch.setattr(
        import_module("udacisense.conversion.convert"), "open_converter", lambda: nullcontext(ConversionSteps())
    )


# --- images -----------------------------------------------------------------------------------------------------------


def fake_ref(images: int, source: SourceName = "folder", dataset_id: str = "f00dfeedf00dfeed") -> DatasetRef:
    """A dataset's name for `images` images."""
    return DatasetRef(dataset_id, source, "household-v1", "test", images)


def fake_dataset(images: int = 20, seed: int = 0, source: SourceName = "folder") -> Dataset:
    """Random 32x32 images of all classes in turn."""
    drawn = np.random.default_rng(seed).integers(0, 256, size=(images, 32, 32, 3), dtype=np.uint8)
    labels: NDArray[np.int64] = np.arange(images, dtype=np.int64) % len(CLASSES)
    hashes = tuple(hashlib.md5(p.tobytes(), usedforsecurity=False).hexdigest()[:16] for p in drawn)
    digest = hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
    return Dataset(fake_ref(images, source, digest), tuple(drawn), labels, hashes)


# --- subjects -----------------------------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """Hex sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fake_checkpoint(path: Path, technique: str = "baseline", parent_id: str | None = None, **file: Any) -> Checkpoint:
    """Write a fake weight file (see `write_fake`) with its card and list of training images; returns the checkpoint."""
    write_fake(path, **file)
    digest = sha256(path)
    trained = [f"{i:016x}" for i in range(40)]
    list_path = path.with_name(f"{path.stem}.trained_on.txt")
    list_path.write_text("\n".join(trained) + "\n", encoding="utf-8")
    checkpoint = Checkpoint(
        id=f"mobilenet_v3_small-{technique}-{digest[:8]}",
        path=path,
        sha256=digest,
        architecture="mobilenet_v3_small",
        technique=technique,
        parent_id=parent_id,
        classes=CLASSES,
        input_px=INPUT_PX,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        parameters=1_528_106,
        size_bytes=path.stat().st_size,
        trained_on=sha256(list_path),
        trained_on_images=list_path.name,
        created="2026-01-02T03:00:00Z",
    )
    write_card(checkpoint)
    return checkpoint


def write_card(checkpoint: Checkpoint) -> Path:
    """Write the checkpoint's card beside its file, with a short training history."""
    from udacisense.records.store import SCHEMA, to_json

    curves = [
        {"stage": "household", "epoch": e, "train_loss": 2.0 / e, "validation_top1": 0.6 + 0.1 * e, "lr": 0.01, "seconds": 9.5}
        for e in (1, 2)
    ]
    training = {"recipe": {"seed": 42}, "dataset_id": "f00d", "images": 40, "validation_images": 10, "curves": curves}
    envelope = {"schema": SCHEMA, "kind": "checkpoint", "record": to_json(checkpoint), "training": training, "summary": {}}
    card = checkpoint.path.with_name(f"{checkpoint.path.stem}.card.json")
    card.write_text(json.dumps(envelope), encoding="utf-8")
    return card


def fake_artifact(
    folder: Path,
    checkpoint: Checkpoint,
    format: str = "torchscript",
    file_name: str = "optimized_model_mobile.ptl",
    **file: Any,
) -> Artifact:
    """Write a fake exported file into its own folder under `folder` (models/mobile) with its record; returns the artifact."""
    from udacisense.records.store import dump

    artifact_id = f"{format}-fp32-{checkpoint.sha256[:8]}-{hashlib.sha256(repr(file).encode()).hexdigest()[:6]}"
    path = write_fake(folder / artifact_id / file_name, **file)
    artifact = Artifact(
        id=artifact_id,
        checkpoint_id=checkpoint.id,
        format=format,
        precision="fp32",
        path=path,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        recipe={"capture": "trace", "optimiser": "freeze"},
        warnings=("optimize_for_mobile needs a build with XNNPACK; the graph was frozen instead.",),
        made=made(f"python -m udacisense convert {checkpoint.id} --format {format} --precision fp32"),
        seconds=1.5,
    )
    (path.parent / "artifact.json").write_text(dump(artifact, "artifact"), encoding="utf-8")
    (path.parent / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    return artifact
