"""What the int8 tests of several formats share: a recipe by its name, and blocks found sensitive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.real_files import CALIBRATED_BY, calibration
from udacisense.models import sensitivity
from udacisense.types import Conversion, Format

SEEN = CALIBRATED_BY
FIRST = ("model.features.0", "model.features.1")


def int8(fmt: Format, name: str) -> Conversion:
    """What is asked of a format's converter for one of its int8 recipes."""
    recipe = next(r for r in fmt.recipes_for("int8") if r.name == name)
    return Conversion("int8", recipe, calibration if recipe.calibrated else None)


@contextmanager
def sensitive(*blocks: str) -> Iterator[None]:
    """These blocks are the ones that int8 hurts most."""
    with patch.object(sensitivity, "sensitive_blocks", lambda checkpoint, seen: blocks):
        yield
