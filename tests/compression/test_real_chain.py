"""One real chain on few images at 32 pixels: every part that the fakes stand for, once together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compression.tiny import FINETUNE
from tests.networks import saved
from udacisense.compression.pipeline import run_pipeline
from udacisense.compression.pipeline_file import Pipeline, plan
from udacisense.models.checkpoint import read_checkpoint, training_info
from udacisense.models.loading import load_network
from udacisense.report.compression import lineage

CHANNELS = {"hidden": 0.5, "expansion": 0.25, "importance": "magnitude"}
STEPS = (
    {"name": "narrow", "technique": "prune-channels", **CHANNELS, "finetune": FINETUNE},
    {"name": "thin", "technique": "prune-weights", "sparsity": 0.5, "schedule": "gradual", "rounds": 2, "finetune": FINETUNE},
    {"name": "fold", "technique": "fold-batch-norm"},
    {"name": "int8 where it is linear", "technique": "quantise-dynamic"},
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_real_steps_make_smaller_files_that_load(sample_home: Path) -> None:
    start = saved(sample_home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    pipeline = Pipeline.model_validate({"name": "real", "final": "real/final.pt", "validation_per_class": 1, "step": STEPS})
    ran = run_pipeline(plan(pipeline))
    assert [failed.message for failed in ran.record.failed] == []
    narrow, thin, fold, dynamic = ran.steps
    assert start.parameters is not None
    assert narrow.parameters is not None
    assert narrow.parameters < 0.75 * start.parameters
    assert narrow.macs is not None
    assert thin.macs == narrow.macs
    assert thin.sparsity == pytest.approx(0.5, abs=0.02)
    assert fold.size_bytes < thin.size_bytes
    assert dynamic.size_bytes < fold.size_bytes
    assert dynamic.path.endswith(".pt"), "TorchScript"
    assert (dynamic.parameters, dynamic.macs) == (None, None), "not told, rather than told wrongly"
    assert ran.final is not None
    load_network(ran.final)
    info = training_info(read_checkpoint(sample_home / thin.path))
    assert info is not None
    assert [point["epoch"] for point in info["curves"]] == [1, 2]
    assert [row.name for row in lineage(ran.final)] == ["Baseline", *(str(s["name"]) for s in STEPS)]
    assert run_pipeline(plan(pipeline)).skipped == tuple(str(s["name"]) for s in STEPS)
