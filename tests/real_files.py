"""Files written by the real converters, each once a run of the tests: conversions are what takes the time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.fakes import made, sha256
from tests.networks import images, saved
from udacisense.formats import get_format
from udacisense.records import store
from udacisense.types import Artifact, Checkpoint, Conversion, Format, ImageSet, Precision, Session, WrittenFile

CALIBRATED_BY = 8


@dataclass
class RealFiles:
    """The untrained network of the tests, and its files in the order in which tests ask for them."""

    folder: Path
    _written: dict[tuple[str, str, str], Path] = field(default_factory=dict)
    _checkpoint: Checkpoint | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The network that every file is made from."""
        if self._checkpoint is None:
            self._checkpoint = saved(self.folder / "model.pth")
        return self._checkpoint

    def of(self, format: str, precision: Precision = "fp32", recipe: str | None = None) -> Path:
        """A file by the named recipe, or the format's first for that precision; calibrated by a few random images."""
        fmt = get_format(format)
        chosen = next(r for r in fmt.recipes_for(precision) if recipe in (None, r.name))
        key = format, precision, chosen.name
        if key not in self._written:
            path = self.folder / f"{format}-{precision}-{chosen.name}" / fmt.file_name
            path.parent.mkdir()
            fmt.export(self.checkpoint, Conversion(precision, chosen, calibration if chosen.calibrated else None), path)
            self._written[key] = path
        return self._written[key]


def load(fmt: Format, path: Path, threads: int = 1) -> Session:
    """A file that has no record yet, loaded by its format's runtime."""
    return fmt.load(WrittenFile(path, fmt.name), threads)


def calibration(n: int) -> ImageSet:
    """Random images; what they are does not matter where only the file's structure does."""
    n = min(n, CALIBRATED_BY)
    return ImageSet(images(n, seed=5), tuple(f"{i:032x}" for i in range(n)), np.arange(n, dtype=np.int64) % 10)


def put(files: RealFiles, home: Path, format: str, precision: Precision, recipe: str | None = None) -> Artifact:
    """A file with its record in `home`, which must be the home of the current settings, beside its checkpoint."""
    checkpoint = saved(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    written = files.of(format, precision, recipe)
    folder = home / "models" / "mobile" / f"{format}-{precision}"
    folder.mkdir(parents=True)
    path = Path(shutil.copy(written, folder))
    artifact = Artifact(
        id=folder.name,
        checkpoint_id=checkpoint.id,
        format=format,
        precision=precision,
        path=path,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        recipe={},
        warnings=(),
        made=made(),
        seconds=1.0,
    )
    store.write_text(folder / store.ARTIFACT_RECORD, store.dump(artifact, "artifact"))
    return artifact
