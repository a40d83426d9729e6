"""The parts of the network that an int8 recipe may keep in float, under one name for every format."""

from __future__ import annotations

from typing import Any

from udacisense.errors import ExportError
from udacisense.models.block_names import BLOCK
from udacisense.types import HOUSEHOLD, Checkpoint, Conversion

SENSITIVE = "sensitive"
"""What stands in a recipe's option "float" for the blocks that int8 hurts most in this checkpoint; or blocks by name."""


def blocks_in_float(checkpoint: Checkpoint, asked: Conversion) -> tuple[str, ...]:
    """The blocks that the recipe asked for keeps in float, in the network's order.

    Raises:
        ExportError: the network is not made of the blocks that are compared with each other.
    """
    options: Any = asked.recipe.options
    named = tuple(name for name in options.get("float", ()) if BLOCK.fullmatch(name))
    if named or SENSITIVE not in options.get("float", ()):
        return named
    if checkpoint.architecture.partition("@")[0] != HOUSEHOLD.architecture:
        raise ExportError(
            f"the recipe compares the blocks of {HOUSEHOLD.architecture} with each other, and this network is "
            f"{checkpoint.architecture}"
        )
    from udacisense.models.sensitivity import IMAGES, sensitive_blocks

    return sensitive_blocks(checkpoint, asked.image_set(IMAGES))
