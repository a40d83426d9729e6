"""A pipeline: a TOML file of steps, checked before any work starts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from udacisense.compression.step import Step
from udacisense.errors import CheckpointError, NotFoundError, RecipeError
from udacisense.models.checkpoint import BASELINE, SUFFIXES, find_checkpoint, read_checkpoint, training_info
from udacisense.settings import SHARED, settings
from udacisense.toml_file import TomlKind, load
from udacisense.training.recipe import Seed
from udacisense.types import Checkpoint, Mode

PIPELINES_DIR = SHARED / "pipelines"
PIPELINE = TomlKind("a pipeline", "docs/compression.md explains every key.", "step")
ALIASES = {"singles": "single_techniques"}
"""What else a pipeline may be called on the command line."""
_LAST = "quantise-dynamic"
"""The technique whose result is no state_dict, so that no other can follow it."""


class Pipeline(BaseModel):
    """Steps in their order. In a chain each takes what the one before made; as singles each takes the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="also the folder below models/")
    mode: Mode = "chain"
    start: str | None = Field(None, description="checkpoint, by id or path; the baseline where it is left out")
    teacher: str | None = Field(
        None, description="checkpoint whose answers `finetune.distil` mixes in, by id or path; the start where it is left out"
    )
    final: str | None = Field(None, description="file below models/ that the last step of a chain is copied to")
    remark: str = Field("", description="what a reader of the final model's card should know about this pipeline")
    seed: Seed = 42
    validation_per_class: int = Field(50, ge=1, le=100_000, description="training images held out to choose by")
    step: tuple[Step, ...] = Field(min_length=1)

    @field_validator("final")
    @classmethod
    def _below_models(cls, final: str | None) -> str | None:
        if final is None:
            return None
        place = PurePosixPath(final)
        if place.is_absolute() or ".." in place.parts or place.suffix not in SUFFIXES:
            raise ValueError(f"name a {' or '.join(SUFFIXES)} file below models/, such as pipeline_03/final.pth")
        return final

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        twice = [name for name, n in Counter(step.name for step in self.step).items() if n > 1]
        if twice:
            raise ValueError(f"two steps are called {twice[0]!r}: give each a name of its own")
        if self.mode == "singles":
            if self.final is not None:
                raise ValueError("single techniques have no final file: leave `final` out, or use mode = 'chain'")
            return self
        early = next((step.name for step in self.step[:-1] if step.technique == _LAST), None)
        if early is not None:
            raise ValueError(f"step {early!r} gives a TorchScript file, which no step can work on: put it last")
        return self

    @property
    def folder(self) -> Path:
        """Folder of the steps' checkpoints."""
        return settings().models_dir / self.name / "steps"

    @property
    def final_path(self) -> Path | None:
        """Path that the last step is copied to; None = nowhere."""
        return None if self.final is None else settings().models_dir / self.final


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline whose files are here and fit."""

    pipeline: Pipeline
    start: Checkpoint
    teacher: Checkpoint  # the start, unless the pipeline names another


def pipeline_names() -> tuple[str, ...]:
    """The pipelines in pipelines/."""
    return tuple(sorted(path.stem for path in PIPELINES_DIR.glob("*.toml")))


def load_pipeline(name_or_path: str) -> Pipeline:
    """The pipeline of that name in pipelines/, or the file at that path.

    Raises:
        RecipeError: no such file, not TOML, or a key or value that a pipeline does not have.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = PIPELINES_DIR / f"{ALIASES.get(name_or_path, name_or_path)}.toml"
    if not path.exists():
        known = ", ".join(pipeline_names()) or "none"
        raise RecipeError(f"There is no pipeline {name_or_path!r}: {path} does not exist. Pipelines here: {known}.")
    return load(path, Pipeline, PIPELINE, name=path.stem)


def plan(pipeline: Pipeline) -> Plan:
    """The pipeline with its start and teacher, both loaded once to see that they fit.

    Raises:
        NotFoundError: a weight file is missing. CheckpointError: it is damaged, of other classes, or cannot be compressed.
        RecipeError: the final file is somebody else's.
    """
    _check_final(pipeline)
    start = _network_file(pipeline.start, "start")
    return Plan(pipeline, start, start if pipeline.teacher is None else _network_file(pipeline.teacher, "teacher"))


def _check_final(pipeline: Pipeline) -> None:
    path = pipeline.final_path
    if path is None or not path.is_file():
        return
    if (training_info(read_checkpoint(path)) or {}).get("pipeline") != pipeline.name:
        raise RecipeError(
            f"{path} is there already and was not made by the pipeline {pipeline.name}, so it is not replaced. "
            "Move it elsewhere, or give the pipeline another `final`."
        )


def _network_file(wanted: str | None, role: str) -> Checkpoint:
    from udacisense.models.architectures import check_can
    from udacisense.models.loading import load_network
    from udacisense.torchscript.archive import is_torchscript

    try:
        found = find_checkpoint(settings().models_dir / BASELINE if wanted is None else wanted)
        if is_torchscript(found.path):
            raise CheckpointError(f"{found.path.name} is TorchScript, whose layers cannot be changed. Name a state_dict.")
        load_network(found)
        check_can(found.architecture, "prune", "Compression")
    except NotFoundError as exc:
        raise NotFoundError(f"The pipeline's {role} is missing: {exc} Or train a baseline: python -m udacisense train") from exc
    except CheckpointError as exc:
        raise type(exc)(f"The pipeline's {role} cannot be used: {exc}") from exc
    return found
