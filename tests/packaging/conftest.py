"""Packages of real files, built once: the files are those that the inspection is tried on too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real_files import RealFiles, put
from udacisense.packaging.build import build
from udacisense.settings import settings

KINDS = {"onnx": "int8", "litert": "int8", "executorch": "int8", "torchscript": "fp32", "torchscript-lite": "fp32"}
"""The precision that each format's package is tried in."""


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
