"""The settings of a step: what they may be, and what is said where they may not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.compression.tiny import FINETUNE, step
from udacisense.training.recipe import TrainingStage


@pytest.mark.parametrize(
    ("technique", "settings", "told"),
    [
        pytest.param("prune", {}, "prune-weights", id="technique"),
        pytest.param("prune-weights", {}, "sparsity", id="missing"),
        pytest.param("prune-weights", {"sparsity": 1.0}, "less than 1", id="everything"),
        pytest.param("prune-weights", {"sparsity": 0.5, "amount": 1}, "not permitted", id="unknown key"),
        pytest.param("prune-weights", {"sparsity": 0.5, "schedule": "gradual"}, "add finetune", id="gradual alone"),
        pytest.param("prune-channels", {}, "nothing to remove", id="nothing"),
        pytest.param("prune-channels", {"hidden": -0.1}, "greater than or equal to 0", id="negative"),
        pytest.param("distil", {"hidden": 512, "finetune": FINETUNE}, "set finetune.distil above 0", id="no teacher"),
        pytest.param("quantise-aware", {}, "finetune", id="no training"),
        pytest.param("finetune", {}, "finetune", id="control without training"),
        pytest.param("fold-batch-norm", {"finetune": FINETUNE}, "None", id="training where nothing is trained"),
        pytest.param("finetune", {"finetune": {**FINETUNE, "data": "cifar100-all"}}, "leave `data` out", id="other images"),
    ],
)
def test_each_mistake_has_a_message(technique: str, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        step(technique, **settings)


def test_fine_tuning_is_named_after_its_step_and_sees_household_images() -> None:
    found = step("finetune", finetune=True)
    assert found.finetune == TrainingStage(name="finetune", data="household", **FINETUNE)  # type: ignore[arg-type]
