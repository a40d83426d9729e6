"""One conversion from its first step to the finished folder: the file, its record, labels and golden images."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from udacisense import writable
from udacisense.conversion.recipe_search import Measured, best, failed_rung, judge_rung
from udacisense.conversion.steps import ConversionSteps
from udacisense.conversion.worker_client import ConverterClient, ConverterError
from udacisense.data.preprocess import describe_preprocessing
from udacisense.errors import ExportError, StoreError, UdaciSenseError
from udacisense.foreign import in_brief
from udacisense.progress import part, report
from udacisense.provenance import here
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import (
    Artifact,
    Checkpoint,
    ConversionRecipe,
    Exported,
    FailedConversion,
    Format,
    Precision,
    Provenance,
    RecipeTrial,
)

LABELS = "labels.txt"
GOLDEN = "golden.npz"
MESSAGE_CHARACTERS = 600

ConversionBackend = ConverterClient | ConversionSteps
"""Who converts: a child process, or (in tests) this one."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Written:
    """One recipe's file, and what came with it."""

    recipe: ConversionRecipe
    path: Path
    exported: Exported
    golden_max_abs_diff: float | None  # None = it does not run here


@dataclass(frozen=True, slots=True)
class ConversionRun:
    """A conversion that has to be done."""

    checkpoint: Checkpoint
    fmt: Format
    precision: Precision
    recipes: Sequence[ConversionRecipe]  # more than one = a ladder
    asked: Mapping[str, object]  # what the artifact's id is the digest of
    maker: ConversionBackend
    fp32_path: Path | None  # the format's fp32 file, that the trials are timed against

    def make(self, folder: Path) -> Artifact:
        """Write the artifact's folder, whole or not at all.

        Raises:
            ExportError: no recipe gave a file that runs. Errors of ours pass unchanged. StoreError: the disk refuses.
        """
        made, started = here(self._command()), time.perf_counter()
        with store.replace_folder(folder) as work:
            with part(0.0, 0.9):
                written, ladder = self._climb(work, made)
            seconds = time.perf_counter() - started
            os.replace(written.path, work / self.fmt.file_name)
            for left in work.glob("recipe-*"):
                shutil.rmtree(left)
            artifact = self._record(folder, work / self.fmt.file_name, written, ladder, made, seconds)
            report(0.95, "writing labels and golden images")
            self._guard(written.recipe, made, lambda: self.maker.write_golden(self.checkpoint, work / GOLDEN))
            store.write_text(work / LABELS, "".join(f"{name}\n" for name in self.checkpoint.classes))
            store.write_text(work / store.ARTIFACT_RECORD, store.dump(artifact, "artifact"))
        report(1.0, "converted")
        return artifact

    # --- one recipe, or a ladder of them ---

    def _climb(self, work: Path, made: Provenance) -> tuple[_Written, tuple[RecipeTrial, ...]]:
        if len(self.recipes) == 1 or not self._runs_here():
            return self._write(self.recipes[0], work, made), ()
        trials: list[RecipeTrial] = []
        files: list[_Written | None] = []
        for index, recipe in enumerate(self.recipes):
            start, end = index / len(self.recipes), (index + 1) / len(self.recipes)
            with part(start, end, f"recipe {index + 1} of {len(self.recipes)}, {recipe.name}: "):
                written, trial = self._try(recipe, work, made)
            trials.append(trial)
            files.append(written)
            if trial.passed:
                break
        kept = best(trials)
        written = files[kept] if kept is not None else None
        if written is None:
            raise self._failed("; ".join(f"{r.recipe}: {r.reason}" for r in trials))
        return written, tuple(trials)

    def _try(self, recipe: ConversionRecipe, work: Path, made: Provenance) -> tuple[_Written | None, RecipeTrial]:
        """One recipe trial: a recipe that fails is a row of the table, not the end."""
        try:
            with part(0.0, 0.6):
                written = self._write(recipe, work, made)
            with part(0.6, 1.0):
                found = self._guard(recipe, made, lambda: self._measure(written.path))
        except ExportError as exc:
            return None, failed_rung(recipe, f"no file: {in_brief(exc.__cause__ or exc)}")
        return written, judge_rung(recipe, written.path.stat().st_size, found)

    def _write(self, recipe: ConversionRecipe, work: Path, made: Provenance) -> _Written:
        path = work / f"recipe-{recipe.name}" / self.fmt.file_name
        path.parent.mkdir()
        with part(0.0, 0.8):
            exported = self._guard(recipe, made, lambda: self._export(recipe, path))
        with part(0.8, 1.0):
            gap = self._guard(recipe, made, lambda: self._check(path)) if self._runs_here() else None
        return _Written(recipe, path, exported, gap)

    def _export(self, recipe: ConversionRecipe, path: Path) -> Exported:
        return self.maker.export(self.checkpoint, self.fmt.name, self.precision, recipe, path)

    def _check(self, path: Path) -> float:
        return self.maker.check(self.checkpoint, self.fmt.name, path)

    def _measure(self, path: Path) -> Measured:
        return self.maker.measure(self.checkpoint, self.fmt.name, path, self.fp32_path)

    def _runs_here(self) -> bool:
        return self.fmt.unavailable("run") is None

    # --- what goes wrong ---

    def _guard(self, recipe: ConversionRecipe, made: Provenance, step: Callable[[], T]) -> T:
        """Do a step; a failure of the converter is kept as a record and becomes an ExportError."""
        try:
            return step()
        except UdaciSenseError as exc:
            if type(exc) is not ExportError:
                raise
            self._stop_where_full(exc)
            raise self._failed(str(exc), self._keep(recipe, made, exc)) from exc
        except ConverterError as exc:
            self._stop_where_full(exc)
            raise self._failed(str(exc), self._keep(recipe, made, exc)) from exc
        except Exception as exc:  # the seam, where the converter works in this process
            self._stop_where_full(exc)
            raise self._failed(f"{type(exc).__name__}: {in_brief(exc)}", self._keep(recipe, made, exc)) from exc

    def _stop_where_full(self, exc: Exception) -> None:
        """A full disk is no fault of the converter: neither another recipe nor another format would help."""
        full = writable.full_disk(exc, settings().models_dir / "mobile", Path(tempfile.gettempdir()))
        if full is not None:
            what = f"{self.checkpoint.id} -> {self.fmt.name} {self.precision}"
            raise StoreError(
                f"{what} was not converted: the disk that holds {full} is full. Nothing was kept. {writable.make_room(full)}"
            ) from exc

    def _keep(self, recipe: ConversionRecipe, made: Provenance, exc: Exception) -> str:
        record = FailedConversion(
            id=store.new_id(f"failed-{self.fmt.name}-{self.precision}"),
            checkpoint_id=self.checkpoint.id,
            format=self.fmt.name,
            precision=self.precision,
            recipe=recipe.name,
            stage=self.maker.stage(),
            message=str(exc).strip(),
            log=self.maker.log(),
            made=made,
        )
        store.save(record)
        return record.id

    def _failed(self, why: str, record_id: str | None = None) -> ExportError:
        log = f" What the converter printed is in the record {record_id}." if record_id else ""
        return ExportError(
            f"{self.checkpoint.id} -> {self.fmt.name} {self.precision} failed: {in_brief(why, MESSAGE_CHARACTERS)}. "
            f"Nothing was kept.{log} Check the checkpoint's summary, or choose another format or precision."
        )

    # --- the record ---

    def _command(self) -> str:
        only = f" --recipe {self.recipes[0].name}" if len(self.fmt.recipes_for(self.precision)) > len(self.recipes) else ""
        return f"python -m udacisense convert {self.checkpoint.id} --format {self.fmt.name} --precision {self.precision}{only}"

    def _record(
        self, folder: Path, file: Path, written: _Written, ladder: tuple[RecipeTrial, ...], made: Provenance, seconds: float
    ) -> Artifact:
        return Artifact(
            id=folder.name,
            spec=self.checkpoint.spec,
            checkpoint_id=self.checkpoint.id,
            format=self.fmt.name,
            precision=self.precision,
            path=folder / self.fmt.file_name,
            sha256=store.sha256_of(file),
            size_bytes=file.stat().st_size,
            recipe=self._recipe(written),
            warnings=(*written.exported.warnings, *self._warnings(written.recipe, ladder)),
            made=made,
            seconds=round(seconds, 3),
            recipe_trials=ladder,
        )

    def _recipe(self, written: _Written) -> dict[str, object]:
        told: dict[str, object] = dict(self.asked) | dict(written.exported.recipe)
        if written.recipe.calibrated or len(self.recipes) > 1:
            told |= {"recipe": written.recipe.name, "data": self.maker.describe_data(self.checkpoint)}
        if written.golden_max_abs_diff is not None:
            told["golden_max_abs_diff"] = written.golden_max_abs_diff
        return told | {"source_sha256": self.checkpoint.sha256, "preprocessing": describe_preprocessing(self.checkpoint)}

    def _warnings(self, recipe: ConversionRecipe, ladder: tuple[RecipeTrial, ...]) -> list[str]:
        said = []
        unable = self.fmt.unavailable("run")
        if unable is not None:
            said.append(f"This file was never run here: {unable} Verify it on a machine that can before an app gets it.")
        if ladder and not any(trial.passed for trial in ladder):
            said.append(
                f"None of the {len(ladder)} {self.precision} recipes passed on the validation images; this is the one that "
                "agrees most with the checkpoint. Look at the trials, and use fp32 or fp16 unless its loss is acceptable."
            )
        if recipe.calibrated or ladder:
            said += self._data_warnings()
        return said

    def _data_warnings(self) -> list[str]:
        data = self.maker.describe_data(self.checkpoint)
        if data["source"] == "sample":
            return [
                "It was calibrated and chosen on the sample pack's rendered images, which say little about photographs. "
                "Set UDACISENSE_DATA_DIR or download CIFAR-100, then convert again."
            ]
        if not data["unseen"]:
            return [
                "The checkpoint may have been trained on the validation images, so agreement there is too hopeful. "
                "Verify the file on the test split."
            ]
        return []
