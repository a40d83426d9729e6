"""Contents of a package, format by format: platforms, code, and what the self-test installs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from udacisense.data.preprocess import describe_resize
from udacisense.errors import FormatError
from udacisense.formats import FORMATS
from udacisense.types import AppCode, Artifact, Checkpoint

NAMEABLE = re.compile(r"\w[\w .+-]*")
"""What a package's code, which people run, can carry between quotation marks in each of its languages."""


def check_names(artifact: Artifact, checkpoint: Checkpoint) -> None:
    """See to it that the names which go into code and into file names are names and nothing else.

    Raises:
        FormatError: one is not.
    """
    for what, name in (("file", artifact.path.name), *(("class", name) for name in checkpoint.classes)):
        if not NAMEABLE.fullmatch(name):
            raise FormatError(
                f"The {what} {name!r} has a name that cannot stand in an app's code. Use letters, digits, spaces and . _ + - "
                "in it, convert again and pack again."
            )


def check_preprocessing(checkpoint: Checkpoint) -> None:
    """Nothing, if the code for apps prepares images as a model was trained on them: squeezed by the bicubic filter.

    Raises:
        FormatError: it is another way, so that apps would get other pixels and other answers.
    """
    p = checkpoint.preprocessing
    if (p.interpolation, p.crop_pct) != ("bicubic", None):
        raise FormatError(
            f"{checkpoint.path.name} takes images {describe_resize(p)}, and the code for apps squeezes them by the bicubic "
            "filter. Use the converted file with your own preprocessing instead."
        )


def packed_formats() -> tuple[str, ...]:
    """The formats whose files are packed."""
    return tuple(name for name, fmt in FORMATS.items() if fmt.app_code is not None)


def app_code_of(artifact: Artifact) -> AppCode:
    """What the packages of an artifact's format hold.

    Raises:
        FormatError: its files are not packed.
    """
    known = FORMATS.get(artifact.format)
    if known is None or known.app_code is None:
        offered = ", ".join(packed_formats())
        raise FormatError(f"There is no package for {artifact.format} files. Formats with one: {offered}.")
    return known.app_code


def template(place: str, home: str | None = None) -> str:
    """The text of a file that a package is made from: the format's own where its folder has it, else the shared one."""
    own = None if home is None else files(home).joinpath("app_code", *place.split("/"))
    shared = files("udacisense.packaging").joinpath("files", *place.split("/"))
    return (own if own is not None and own.is_file() else shared).read_text(encoding="utf-8")


def filled(text: str, values: Mapping[str, str]) -> str:
    """A template with its {{names}} replaced.

    Raises:
        KeyError: a name has no value.
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def values(artifact: Artifact, checkpoint: Checkpoint) -> dict[str, str]:
    """Values of the templates.

    Raises:
        FormatError: the format has no package.
    """
    own = app_code_of(artifact)
    height, width = checkpoint.input_px
    return {
        "file": artifact.path.name,
        "height": str(height),
        "width": str(width),
        "mean": ", ".join(map(str, checkpoint.mean)),
        "std": ", ".join(map(str, checkpoint.std)),
        "mean_f": ", ".join(f"{n}f" for n in checkpoint.mean),
        "std_f": ", ".join(f"{n}f" for n in checkpoint.std),
        "labels": ", ".join(json.dumps(name) for name in checkpoint.classes),
        "runtime_package": own.runtime,
        "runtime_version": _version(own.runtime, artifact),
        "load": template(own.load, own.home).rstrip(),
        **own.values,
    }


def code(artifact: Artifact, checkpoint: Checkpoint) -> dict[str, str]:
    """Every file of code of a package: its place and its text.

    Raises:
        FormatError: the format has no package.
    """
    known, own = values(artifact, checkpoint), app_code_of(artifact)
    places = ("selftest.py", *(place for platform in own.platforms for place in platform.places))
    return {place: filled(template(place, own.home), known) for place in places}


def _version(name: str, artifact: Artifact) -> str:
    """The version that made the file, else the one that is here."""
    made = artifact.made.versions.get(name)
    if made and NAMEABLE.fullmatch(made):
        return made.partition("+")[0]
    try:
        return version(name)
    except PackageNotFoundError:
        return "LATEST"
