"""What the int8 tests of several formats share: calibration pictures, a recipe by its name, and blocks found sensitive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

from tests.networks import images
from udacisense.models import sensitivity
from udacisense.types import Conversion, Format, Pictures

SEEN = 8
FIRST = ("model.features.0", "model.features.1")


def pictures(n: int) -> Pictures:
    """Random pictures, SEEN at most, so that calibration is quick."""
    n = min(n, SEEN)
    return Pictures(images(n, seed=5), tuple(f"{i:032x}" for i in range(n)), np.arange(n, dtype=np.int64) % 10)


def int8(fmt: Format, name: str) -> Conversion:
    """What is asked of a format's converter for one of its int8 recipes."""
    recipe = next(r for r in fmt.recipes_for("int8") if r.name == name)
    return Conversion("int8", recipe, pictures if recipe.calibrated else None)


@contextmanager
def sensitive(*blocks: str) -> Iterator[None]:
    """These blocks are the ones that int8 hurts most."""
    with patch.object(sensitivity, "sensitive_blocks", lambda checkpoint, seen: blocks):
        yield
