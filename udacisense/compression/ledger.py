"""Ledger of finished steps: which steps of a plan are done, and where their weights are.

A step's key is a digest of all that its result depends on: the bytes it starts from, its settings, the images, the teacher,
the seed, and the revision of the technique. A record with that key, whose weights are here, is the step's result.
"""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from udacisense.compression.pipeline_file import Plan
from udacisense.compression.step import Step
from udacisense.records import store
from udacisense.records.queries import compression_steps
from udacisense.settings import settings
from udacisense.types import CompressionStep


def finished_steps(plan: Plan, dataset_id: str) -> dict[int, CompressionStep]:
    """Place (from 0) -> record of the steps of a plan that need no work.

    A chain goes on from the last step whose weights are here; of the steps before it the records are enough.
    """
    final = plan.pipeline.final_path
    found = _recorded_chain(plan, dataset_id) if plan.pipeline.mode == "chain" else _recorded(plan, dataset_id)
    loadable = {place for place, record in found.items() if weights_of(record, final)}
    if plan.pipeline.mode == "chain":
        return {place: record for place, record in found.items() if place <= max(loadable, default=-1)}
    return {place: record for place, record in found.items() if place in loadable}


def _recorded(plan: Plan, dataset_id: str) -> dict[int, CompressionStep]:
    keys = [key_of(plan, step, plan.start.sha256, dataset_id) for step in plan.pipeline.step]
    found = ((place, _record_of(key, plan)) for place, key in enumerate(keys))
    return {place: record for place, record in found if record is not None}


def _record_of(key: str, plan: Plan) -> CompressionStep | None:
    """The newest record with a key; of several the newest whose weights are here."""
    found = tuple(compression_steps(keys=[key]))
    here = [record for record in found if weights_of(record, plan.pipeline.final_path)]
    return next(reversed(here or found), None)


def _recorded_chain(plan: Plan, dataset_id: str) -> dict[int, CompressionStep]:
    found: dict[int, CompressionStep] = {}
    parent = plan.start.sha256
    for place, step in enumerate(plan.pipeline.step):
        record = _record_of(key_of(plan, step, parent, dataset_id), plan)
        if record is None:
            break
        found[place], parent = record, record.sha256
    return found


def key_of(plan: Plan, step: Step, parent_sha256: str, dataset_id: str) -> str:
    """Digest of all that a step's result depends on; what it is called is not among it."""
    taught = step.finetune is not None and step.finetune.distil > 0
    parts = {
        "from": parent_sha256,
        "step": _settings(step),
        "teacher": plan.teacher.sha256 if taught else None,
        "pictures": dataset_id,
        "held_out_per_class": plan.pipeline.validation_per_class,
        "seed": plan.pipeline.seed,
        "revision": revision(step.technique),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _settings(step: Step) -> dict[str, Any]:
    """What was asked for beyond the defaults: a setting that is new, and off unless asked for, makes no old result stale."""
    plain = step.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
    (plain.get("finetune") or {}).pop("name", None)
    return plain


def revision(technique: str) -> int:
    """A number that a technique raises when its code gives another result for the same settings."""
    module = import_module(f"udacisense.compression.{technique.replace('-', '_')}")
    return int(getattr(module, "REVISION", 1))


def weights_of(record: CompressionStep, final: Path | None = None) -> Path | None:
    """Where the weights of a step lie: at their own place, or as the pipeline's final file; None = neither here."""
    places = [settings().home / record.path, *([final] if final else [])]
    return next((path for path in places if path.is_file() and store.sha256_of(path) == record.sha256), None)
