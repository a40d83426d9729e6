"""Pipelines that ran, told by records alone: no weights but the start's, no torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests import story
from tests.fakes import fake_checkpoint, fake_ref, made
from udacisense.labels import CLASSES
from udacisense.records import store
from udacisense.types import Checkpoint, Compression, CompressionStep, FailedStep, Mode

NAMES = ("Remove channels", "Half of the weights")


def step(
    start: Checkpoint, place: int, parent: tuple[str, str], mode: Mode = "chain", pipeline: str = "pipeline_03"
) -> CompressionStep:
    """A step half as large as the start; its file is nowhere."""
    sha256 = f"{place:x}{mode[0]}".encode().hex() * 16
    return CompressionStep(
        id=f"step-{pipeline}-{place}",
        pipeline=pipeline,
        mode=mode,
        place=place,
        name=NAMES[place - 1],
        technique=("prune-channels", "prune-weights")[place - 1],
        settings={"hidden": 0.5},
        key=f"{pipeline}-{place}",
        parent_id=parent[0],
        parent_sha256=parent[1],
        checkpoint_id=f"mobilenet_v3_small-step{place}-{sha256[:8]}",
        sha256=sha256,
        path=f"models/{pipeline}/steps/{place:02d}.pth",
        size_bytes=start.size_bytes // 2,
        parameters=700_000,
        macs=30_000_000,
        sparsity=0.5 if place == 2 else 0.0,
        data=fake_ref(5000),
        images=4500,
        validation_images=500,
        validation_top1=0.9,
        seconds=60.0,
        made=made(f"python -m udacisense compress --pipeline {pipeline}"),
        notes={},
    )


def tell(
    home: Path, mode: Mode = "chain", pipeline: str = "pipeline_03", failed: bool = False
) -> tuple[Checkpoint, Compression]:
    """Write the records of a run of two steps below `home`; the second is timed and judged, as are the first and the start."""
    start = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    first = step(start, 1, (start.id, start.sha256), mode, pipeline)
    after = (start.id, start.sha256) if mode == "singles" else (first.checkpoint_id, first.sha256)
    steps = (first,) if failed else (first, step(start, 2, after, mode, pipeline))
    run = Compression(
        id=f"compression-{pipeline}",
        pipeline=pipeline,
        mode=mode,
        planned=NAMES,
        start_id=start.id,
        start_sha256=start.sha256,
        steps=tuple(s.id for s in steps),
        failed=(FailedStep(2, NAMES[1], "prune-weights", "RuntimeError: singular"),) if failed else (),
        made=made(f"python -m udacisense compress --pipeline {pipeline}"),
    )
    for record in (*steps, run):
        store.save(record)
    _measure(home, start, steps)
    return start, run


def _measure(home: Path, start: Checkpoint, steps: tuple[CompressionStep, ...]) -> None:
    """The start answers 80 % right at 7 ms; each step loses ten answers more and takes half the time."""
    rng = np.random.default_rng(3)
    labels = np.arange(story.IMAGES, dtype=np.int64) % len(CLASSES)
    for place, subject in enumerate((start, *(as_checkpoint(start, s) for s in steps))):
        logits = np.zeros((story.IMAGES, len(CLASSES)), np.float32)
        logits[np.arange(story.IMAGES), labels] = 1.0
        wrong = np.arange(40 + 10 * place)
        logits[wrong, labels[wrong]] = -1.0
        store.save(story.evaluation(home, subject, labels, logits, "folder"))
        timed = story.benchmark(subject, "torch", 0.007 / (1 if place == 0 else 2), rng)
        store.save(replace(timed, blocks_s=timed.blocks_s * 4, blocks_per_start=(2,) * 8))


def as_checkpoint(start: Checkpoint, made: CompressionStep) -> Checkpoint:
    """A step's result as if its weights were here."""
    return replace(
        start,
        id=made.checkpoint_id,
        sha256=made.sha256,
        technique=made.name,
        parent_id=made.parent_id,
        size_bytes=made.size_bytes,
    )
