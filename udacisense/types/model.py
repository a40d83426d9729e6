"""What a model says of itself: its classes, and what is done to an image before the model sees it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sized
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import Field

from udacisense.labels import CLASSES, IMAGENET_MEAN, IMAGENET_STD, INPUT_PX
from udacisense.types.base import MAX_CLASSES, Many, require

MAX_NAME = 1000

Side = Annotated[int, Field(ge=1, le=4096)]
Level = Annotated[float, Field(ge=-1e3, le=1e3)]  # of a colour, as a share of white
Spread = Annotated[float, Field(ge=1e-3, le=1e3)]
Interpolation = Literal["bicubic", "bilinear"]
CropShare = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From a decoded image to the model's input; the names are timm's."""

    input_size: tuple[Side, Side] = INPUT_PX  # height, width
    mean: tuple[Level, Level, Level] = IMAGENET_MEAN
    std: tuple[Spread, Spread, Spread] = IMAGENET_STD
    interpolation: Interpolation = "bicubic"
    crop_pct: CropShare | None = None  # share of the resized image that is kept, from its middle; None = squeezed whole


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What has to be known of a classifier before any figure of it means something."""

    architecture: str
    classes: Many[str]  # in the order of the logits; none = nobody said them
    preprocessing: Preprocessing = Preprocessing()

    def __post_init__(self) -> None:
        if self.classes:
            check_classes(self.classes)

    @property
    def digest(self) -> str:
        """Eight hex digits that part two descriptions of the same file; empty for the household networks, whose records are
        older than descriptions.
        """
        if (self.classes, self.preprocessing) == (HOUSEHOLD.classes, HOUSEHOLD.preprocessing):
            return ""
        told = json.dumps([self.classes, asdict(self.preprocessing)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:8]


def check_classes(classes: Many[str]) -> None:
    """Raises ValueError unless these can be the classes of a classifier: from 2 to MAX_CLASSES names, each its own."""
    require(2 <= len(classes) <= MAX_CLASSES, f"classes must have from 2 to {MAX_CLASSES} names, got {len(classes)}")
    require(len(set(classes)) == len(classes), "classes must have names that differ from each other")
    require(
        all(name.strip() and len(name) <= MAX_NAME for name in classes),
        f"a class needs a name of at most {MAX_NAME} characters",
    )


def check_per_class(classes: Many[str], *figures: Sized) -> None:
    """Raises ValueError unless each of the figures has one entry a class."""
    for figure in figures:
        require(len(figure) == len(classes), f"figures per class must have {len(classes)} entries, got {len(figure)}")


HOUSEHOLD = ModelSpec("mobilenet_v3_small", CLASSES)
"""The network and the ten classes of the course; records without a description are of these."""
