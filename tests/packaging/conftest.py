"""Packages of real files, built once: the files are those that the inspection is tried on too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.fakes import fixed_logits
from tests.real_files import RealFiles, put
from tests.story import Story
from udacisense.data.preprocess import preprocess
from udacisense.inspection.inspection import Advice
from udacisense.packaging import build as building
from udacisense.packaging.build import build
from udacisense.settings import settings
from udacisense.types import Artifact

KINDS = {"onnx": "int8", "litert": "int8", "executorch": "int8", "torchscript": "fp32", "torchscript-lite": "fp32"}
"""The precision that each format's package is tried in."""

IMAGES = np.random.default_rng(3).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)


def inspected(path: Path, format: str, precision: str) -> Any:
    """What an inspection says of the fake file, whose inside nobody can read."""
    return SimpleNamespace(findings=(Advice("note", f"{path.name} is {precision} of {format}.", "Why.", "What to do."),))


@pytest.fixture
def artifact(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """An artifact with golden images, whose format answers without torch."""

    class Session:
        def predict(self, images: Any) -> Any:
            return fixed_logits(images, shift=0.1)

    found = seeded_home.faithful
    images = preprocess(IMAGES)
    labels = np.array([0, 4, 9], np.int64)
    np.savez(found.path.parent / "golden.npz", images=images, logits=fixed_logits(images), labels=labels)
    monkeypatch.setattr(building, "open_session", lambda artifact, threads: Session())
    monkeypatch.setattr(building, "inspect_file", inspected)
    return found


@pytest.fixture(scope="session")
def package_of(real_files: RealFiles, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The unpacked package of a format's file."""
    home = tmp_path_factory.mktemp("packaging")
    built: dict[str, Path] = {}

    def of(format: str) -> Path:
        if format not in built:
            before = os.environ.get("UDACISENSE_HOME")
            os.environ["UDACISENSE_HOME"] = str(home)
            settings.cache_clear()
            try:
                artifact = put(real_files, home, format, KINDS[format])  # type: ignore[arg-type]
                built[format] = build(artifact, home / "packages").path
            finally:
                os.environ.pop("UDACISENSE_HOME") if before is None else os.environ.update(UDACISENSE_HOME=before)
                settings.cache_clear()
        return built[format]

    return of
