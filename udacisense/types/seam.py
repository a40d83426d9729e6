"""The one seam: what a format is, what it is asked, and what a loaded file can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from udacisense.types.app_code import AppCode
from udacisense.types.base import Capability, Images, Logits, Precision
from udacisense.types.files import Checkpoint, ModelFile


class Session(Protocol):
    """A loaded checkpoint or artifact."""

    def predict(self, images: Images) -> Logits:
        """Logits of shape (N, classes) for images of shape (N, 3, H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Preprocessed images with their names and labels."""

    images: Images
    hashes: tuple[str, ...]  # N, the images' ids
    labels: NDArray[np.int64]  # N

    def __len__(self) -> int:
        return len(self.hashes)


@dataclass(frozen=True, slots=True)
class ConversionRecipe:
    """One way to write a file of a precision."""

    name: str  # "static-histogram": a word for records and the command line
    what: str  # one sentence: what it does, and what that costs
    options: Mapping[str, object] = field(default_factory=dict)  # JSON values, for the converter alone
    calibrated: bool = False  # whether the converter asks for calibration images


DEFAULT = ConversionRecipe("default", "The format's one way to write this precision.")


@dataclass(frozen=True, slots=True)
class Conversion:
    """Request to a converter."""

    precision: Precision
    recipe: ConversionRecipe = DEFAULT
    calibration: Callable[[int], ImageSet] | None = None  # n -> as many training images, the classes in turn; None = no data

    def image_set(self, images: int) -> ImageSet:
        """`images` calibration images (fewer where there are not so many), each class as often as the others.

        Raises:
            ValueError: the conversion was asked for without calibration images.
        """
        if self.calibration is None:
            raise ValueError(f"the recipe {self.recipe.name} needs calibration images and none were given")
        return self.calibration(images)


@dataclass(frozen=True, slots=True)
class Exported:
    """Result of a converter, beside the file that it wrote."""

    recipe: Mapping[str, object]
    warnings: tuple[str, ...] = ()


IntermediateValues = Iterator[tuple[str, NDArray[np.float32]]]
"""Names and values inside a file, in the order in which they are computed."""

IntermediateReader = Callable[[Images], IntermediateValues]
"""Runs a file on one image (1, 3, H, W)."""


@dataclass(frozen=True, slots=True)
class FileSigns:
    """How a file is seen to be of a format."""

    suffixes: tuple[str, ...] = ()  # of its name: ".onnx"
    magic: bytes = b""  # bytes 4 to 8, where a FlatBuffers file names its schema
    member: str | None = None  # end of the name of a file inside, if it is a zip archive; "" = an archive of no other format


@dataclass(frozen=True, slots=True)
class Format:
    """THE SEAM: a format is data. A folder udacisense/formats/fmt_<name> builds one.

    Code that is far from conversion is named as "module:function" and imported when it is asked for.
    """

    name: str  # "torchscript"
    title: str  # "TorchScript (PyTorch Mobile)"
    file_name: str  # "optimized_model_mobile.ptl"
    precisions: tuple[Precision, ...]
    runtime: str  # "torch.jit"
    target: str  # where the file is meant to run: "Android and iOS with PyTorch Mobile"
    runtime_version: Callable[[], str]  # read without importing the runtime
    unavailable: Callable[[Capability], str | None]  # why not on this machine; None = available
    export: Callable[[Checkpoint, Conversion, Path], Exported]  # writes one file at the path given
    load: Callable[[ModelFile, int], Session]  # the record of a file, threads
    notes: tuple[str, ...] = ()
    recipes: Mapping[Precision, tuple[ConversionRecipe, ...]] = field(
        default_factory=dict
    )  # in the order in which they are tried
    color: str | None = None  # in charts, the same on every page: "#0072B2"; None = grey
    libraries: tuple[str, ...] = ()  # distributions whose versions records name
    signs: FileSigns = FileSigns()
    reader: str | None = None  # Path -> ModelStructure, for `inspect`; None = its files cannot be looked into
    intermediates: str | None = (
        None  # ModelFile -> IntermediateReader, for `locate`; None = its runtime does not let them be seen
    )
    app_code: AppCode | None = None  # for `package`; None = its files are not packed

    def recipes_for(self, precision: Precision) -> tuple[ConversionRecipe, ...]:
        """The ladder of a precision: with more than one recipe, the first whose file passes on validation images is kept."""
        return self.recipes.get(precision, (DEFAULT,))
