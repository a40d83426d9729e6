"""A pipeline run step by step: each leaves a checkpoint and a record, and what is finished is never done twice."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from udacisense.compression.apply import apply
from udacisense.compression.ledger import finished_steps, key_of, weights_of
from udacisense.compression.pipeline_file import Plan
from udacisense.compression.step import Step
from udacisense.compression.work import Outcome, Work
from udacisense.data.dataset import Dataset
from udacisense.data.sources import load_dataset
from udacisense.determinism import set_deterministic_mode
from udacisense.errors import CompressionError, DataError, StoreError, UdaciSenseError
from udacisense.foreign import in_brief
from udacisense.labels import INPUT_PX
from udacisense.models.card import read_card
from udacisense.models.checkpoint import read_checkpoint, trained_hashes
from udacisense.models.loading import load_network
from udacisense.models.summary import summarise
from udacisense.models.writing import copy_checkpoint, save_checkpoint
from udacisense.progress import part, report
from udacisense.provenance import here
from udacisense.records import store
from udacisense.records.queries import pipeline_runs
from udacisense.settings import settings
from udacisense.training.fit import TrainingImages, accuracy
from udacisense.training.train import pick_device, validation_mask
from udacisense.types import Checkpoint, Compression, CompressionStep, FailedStep

_BASE_COST = 20 * 224**2
"""What a step costs beside its training, in epochs times pixels: measuring, and techniques that do not train."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Result of a pipeline."""

    record: Compression
    steps: tuple[CompressionStep, ...]
    skipped: tuple[str, ...]  # names of steps that were finished before
    final: Checkpoint | None  # the copy of a chain's last step; None = no such file was asked for, or a step failed


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """The training split in its two parts."""

    data: Dataset
    held_out: NDArray[np.bool_]

    def images(self, held_out: bool, device: torch.device) -> TrainingImages:
        mask = self.held_out == held_out
        return TrainingImages.of(np.stack(self.data.images)[mask], self.data.labels[mask], device)


def run_pipeline(plan: Plan) -> Ran:
    """Do every step that is not finished, save each at once, and copy the last one to the pipeline's final file.

    In a chain a step that fails ends the run; as singles the others go on. What was made stays and is told by the record.

    Raises:
        DataError: the training images are missing, too few to hold some out, or not all of one size.
        StoreError: a record or the final file cannot be written.
    """
    runner = _Runner(plan, _images(plan))
    steps = runner.run()
    record = _outcome(plan, steps, runner.failed)
    final = None
    if plan.pipeline.final_path is not None and record.whole:
        final = _publish(plan, steps[-1], plan.pipeline.final_path)
    return Ran(record, tuple(steps), tuple(runner.skipped), final)


def _images(plan: Plan) -> _Images:
    data = load_dataset("train")
    sizes = {image.shape for image in data.images}
    if len(sizes) != 1:
        raise DataError(f"Compression trains on images of one size, got {len(sizes)} sizes. Resize them first.")
    held_out = validation_mask(data.hashes, data.labels, plan.pipeline.validation_per_class)
    empty = [name for i, name in enumerate(data.classes) if (data.labels == i).any() and held_out[data.labels == i].all()]
    if empty:
        raise DataError(
            f"validation_per_class = {plan.pipeline.validation_per_class} holds out every training image of {empty[0]}, so "
            f"nothing is left to train on. Lower it in the pipeline's file, or use more images ({data.ref.source} has "
            f"{len(data)} for training)."
        )
    return _Images(data, held_out)


class _Runner:
    """One run of a plan."""

    def __init__(self, plan: Plan, images: _Images) -> None:
        self.plan, self.images = plan, images
        self.skipped: list[str] = []
        self.failed: list[FailedStep] = []
        self._device = pick_device()
        self._teacher: nn.Module | None = None

    def run(self) -> list[CompressionStep]:
        """The records of all steps that are done, in order."""
        pipeline, steps = self.plan.pipeline, list[CompressionStep]()
        costs = [_cost(step) for step in pipeline.step]
        finished = finished_steps(self.plan, self.images.data.ref.dataset_id)
        for index, step in enumerate(pipeline.step):
            if index in finished:
                steps.append(self._as_named(finished[index], index, step))
                self.skipped.append(step.name)
                continue
            prefix = f"step {index + 1} of {len(costs)}: "
            with part(sum(costs[:index]) / sum(costs), sum(costs[: index + 1]) / sum(costs), prefix):
                made = self._attempt(index, step, steps)
            if made is not None:
                steps.append(made)
            elif pipeline.mode == "chain":
                break
        return steps

    def _as_named(self, record: CompressionStep, index: int, step: Step) -> CompressionStep:
        """A finished step's record under its name of now: another pipeline may have made it, or it was called otherwise."""
        named = replace(record, pipeline=self.plan.pipeline.name, mode=self.plan.pipeline.mode, place=index + 1, name=step.name)
        if named == record:
            return record
        named = replace(named, id=store.new_id(f"step-{named.pipeline}-{_slug(step.name)}"))
        store.save(named)
        return named

    def _attempt(self, index: int, step: Step, before: Sequence[CompressionStep]) -> CompressionStep | None:
        """The step's record; None where it failed, which is noted."""
        try:
            return self._do(index, step, self._parent(before))
        except UdaciSenseError as exc:
            message = str(exc)
        except Exception as exc:  # the seam: every library of compression has errors of its own
            message = f"{type(exc).__name__}: {in_brief(exc)}"
        self.failed.append(FailedStep(index + 1, step.name, step.technique, message))
        report(1.0, f"{step.name} failed: {message}")
        return None

    def _parent(self, before: Sequence[CompressionStep]) -> Checkpoint:
        if self.plan.pipeline.mode == "singles" or not before:
            return self.plan.start
        path = weights_of(before[-1], self.plan.pipeline.final_path)
        assert path is not None  # only steps whose weights are here are built on
        return read_checkpoint(path)

    def _do(self, index: int, step: Step, parent: Checkpoint) -> CompressionStep:
        """Apply the technique, save the checkpoint, measure it on the held-out images, save the record."""
        began, made = time.perf_counter(), here(f"python -m udacisense compress --pipeline {self.plan.pipeline.name}")
        key = key_of(self.plan, step, parent.sha256, self.images.data.ref.dataset_id)
        states = settings().home / ".udacisense" / "compression" / key[:16]
        report(0.0, f"{step.name}: starting")
        outcome = self._apply(step, parent, states)
        path = self.plan.pipeline.folder / f"{index + 1:02d}-{_slug(step.name)}{_suffix(outcome)}"
        checkpoint = self._save(outcome, path, step, parent)
        report(0.98, f"{step.name}: measuring on the held-out images")
        notes = {name: value for name, value in outcome.notes.items() if name != "curves"}
        seconds = time.perf_counter() - began
        record = self._record(index, step, parent, checkpoint, key=key, seconds=seconds, made=made, notes=notes)
        store.save(record)
        shutil.rmtree(states, ignore_errors=True)
        return record

    def _apply(self, step: Step, parent: Checkpoint, states: Path) -> Outcome:
        set_deterministic_mode(self.plan.pipeline.seed)
        work = Work(
            train=self.images.images(False, self._device),
            validation=self.images.images(True, self._device),
            teacher=self._teaching(),
            seed=self.plan.pipeline.seed,
            states=states,
            device=self._device,
        )
        with part(0.0, 0.97):
            return apply(step, load_network(parent), work)

    def _teaching(self) -> nn.Module:
        self._teacher = self._teacher or load_network(self.plan.teacher)
        return self._teacher

    def _save(self, outcome: Outcome, path: Path, step: Step, parent: Checkpoint) -> Checkpoint:
        notes = dict(outcome.notes)
        known = trained_hashes(parent)
        own = [h for h, held in zip(self.images.data.hashes, self.images.held_out, strict=True) if not held]
        return save_checkpoint(
            outcome.network.cpu(),
            path,
            technique=step.name,
            parent_id=parent.id,
            trained_hashes=() if known is None else sorted(known | set(own)),
            training={
                "pipeline": self.plan.pipeline.name,
                "step": step.model_dump(mode="json"),
                "seed": self.plan.pipeline.seed,
                "teacher_id": self.plan.teacher.id,
                "dataset_id": self.images.data.ref.dataset_id,
                "images": int((~self.images.held_out).sum()),
                "validation_images": int(self.images.held_out.sum()),
                "device": str(self._device),
                "curves": notes.pop("curves", []),
                "notes": notes,
            },
        )

    def _record(self, index: int, step: Step, parent: Checkpoint, checkpoint: Checkpoint, **told: Any) -> CompressionStep:
        summary = summarise(checkpoint)
        held_out = self.images.images(True, torch.device("cpu"))
        return CompressionStep(
            id=store.new_id(f"step-{self.plan.pipeline.name}-{_slug(step.name)}"),
            pipeline=self.plan.pipeline.name,
            mode=self.plan.pipeline.mode,
            place=index + 1,
            name=step.name,
            technique=step.technique,
            settings=step.model_dump(mode="json", exclude={"name", "technique"}, exclude_none=True),
            parent_id=parent.id,
            parent_sha256=parent.sha256,
            checkpoint_id=checkpoint.id,
            sha256=checkpoint.sha256,
            path=store.relative(checkpoint.path),
            size_bytes=checkpoint.size_bytes,
            parameters=None if summary.is_quantized else checkpoint.parameters,  # packed integers are no parameters to torch
            macs=summary.macs,
            sparsity=summary.sparsity,
            data=self.images.data.ref,
            images=int((~self.images.held_out).sum()),
            validation_images=len(held_out),
            validation_top1=accuracy(load_network(checkpoint), held_out, INPUT_PX[0]),  # of what was written, read back
            **told,
        )


def _publish(plan: Plan, last: CompressionStep, out: Path) -> Checkpoint:
    """The last step's checkpoint at the pipeline's final place; nothing is written where it is there already."""
    name = plan.pipeline.name
    if out.is_file() and store.sha256_of(out) == last.sha256:
        there = read_checkpoint(out)
        if there.technique == name and read_card(there):
            return there
    path = weights_of(last, out)
    if path is None:
        raise CompressionError(f"The weights of {last.name!r} are gone from {last.path}. Run the pipeline again.")
    return copy_checkpoint(read_checkpoint(path), out, name)


def _outcome(plan: Plan, steps: Sequence[CompressionStep], failed: Sequence[FailedStep]) -> Compression:
    """The record of the run; the last one again where nothing is new."""
    pipeline = plan.pipeline
    record = Compression(
        id=store.new_id(f"compression-{pipeline.name}"),
        pipeline=pipeline.name,
        mode=pipeline.mode,
        planned=tuple(step.name for step in pipeline.step),
        start_id=plan.start.id,
        start_sha256=plan.start.sha256,
        steps=tuple(step.id for step in steps),
        failed=tuple(failed),
        made=here(f"python -m udacisense compress --pipeline {pipeline.name}"),
    )
    last = pipeline_runs(pipeline.name).newest()
    if last is not None and not failed and _what(last) == _what(record):
        return last
    with suppress(*([StoreError] if failed else [])):  # a disk that is full shall not hide which step it stopped
        store.save(record)
    return record


def _what(record: Compression) -> tuple[object, ...]:
    return record.mode, record.planned, record.start_sha256, record.steps, record.failed


def _cost(step: Step) -> float:
    return _BASE_COST + (step.finetune.epochs * step.finetune.input_px**2 if step.finetune else 0)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "step"


def _suffix(outcome: Outcome) -> str:
    return ".pt" if outcome.kind == "torchscript" else ".pth"
