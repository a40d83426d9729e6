"""The model cards that ship are what today's records say, and no test or try has left another in their place."""

from __future__ import annotations

import pytest

from udacisense.models.checkpoint import list_checkpoints
from udacisense.report.model_card import model_card
from udacisense.settings import PROJECT


@pytest.mark.parametrize("technique", ["baseline", "pipeline_03"])
def test_a_shipped_card_says_what_the_records_say(technique: str) -> None:
    (checkpoint,) = [c for c in list_checkpoints().records if c.technique == technique]
    assert PROJECT in checkpoint.path.parents
    shipped = checkpoint.path.with_name(f"{checkpoint.path.stem}.card.md").read_text(encoding="utf-8")
    assert "1,000 test images. Record eval-" in shipped.replace("\\", "")
    assert model_card(checkpoint) == shipped
