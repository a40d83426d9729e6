"""`add`: a model file of somebody else described, so that it can be evaluated, converted and judged; nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import cast, get_args

import numpy as np

from udacisense import files
from udacisense.errors import CheckpointError
from udacisense.foreign import in_brief
from udacisense.models.card import card_path
from udacisense.models.checkpoint import SCRIPT, described_as, read_checkpoint
from udacisense.ranges import CROP
from udacisense.remote import RemoteModel
from udacisense.types import HOUSEHOLD, Checkpoint, Images, Interpolation, Logits, ModelSpec, Preprocessing, check_classes

PROBES = 5
"""Different images that must give different answers: a network that was saved broken answers all alike."""
MAX_BYTES = 1 << 20
HOUSEHOLD_NAME = "household"
"""What a person says for the course's network with its ten classes."""


def add(
    file: Path,
    classes: str = "",
    input: str = "",
    mean: str = "",
    std: str = "",
    architecture: str = "",
    interpolation: str = "bicubic",
    crop_pct: float | None = None,
    title: str = "",
    licence: str | None = None,
) -> Checkpoint:
    """Describe a file of weights, or a TorchScript file, by writing its card, once it has been seen to answer.

    >>> verbs.add(Path("model.pth"), "apple,pear,plum", "96", "0.5", "0.5", architecture="torchvision:resnet18").described

    Args:
        classes: the names in the order of the logits, with commas between them, or a file that holds one a line.
        input: height and width of its input in pixels: "96", or "96x128".
        mean, std: what the values 0..1 of each channel are normalised by: "0.5", or "0.485,0.456,0.406".
        architecture: of the network whose weights the file holds: "torchvision:resnet18", "timm:NAME", "efficientnet_lite:0",
            or "household" for the course's network: its ten classes, input, mean and std where none of these is said.
            A TorchScript file holds its network and needs none.
        interpolation: how an image is resized to the input: "bicubic" or "bilinear".
        crop_pct: share of the resized image that is kept, from its middle; None = the image is squeezed whole.
        title: what it tells apart, in a few words. licence: of the weights; None = not known.

    Raises:
        NotFoundError: no such file. CheckpointError: it cannot be loaded, is described already, its answers are not logits
            of these classes, or what was said of it cannot be. MeasureError: the crop is no share.
        StoreError: the disk refuses.
    """
    from udacisense.models.summary import told_summary
    from udacisense.models.writing import write_card

    found = read_checkpoint(file)
    if found.described:
        raise CheckpointError(_described_already(found))
    said = {"--classes": classes, "--input": input, "--mean": mean, "--std": std}
    if architecture == HOUSEHOLD_NAME and found.architecture != SCRIPT and not any(said.values()):
        spec = HOUSEHOLD
    else:
        _check_said(found, said)
        preprocessing = _preprocessing(input, mean, std, interpolation, crop_pct)
        known = HOUSEHOLD.architecture if architecture == HOUSEHOLD_NAME else architecture
        spec = _spec(found, class_names(classes), preprocessing, known)
    subject = described_as(found, spec, title, licence)
    with closing(RemoteModel(subject)) as remote:
        _check_answers(subject, remote.predict(_noise(subject)))
        return write_card(subject, told_summary(remote))


def _check_said(found: Checkpoint, told: Mapping[str, str]) -> None:
    if missing := [option for option, value in told.items() if not value.strip()]:
        raise CheckpointError(
            f"{found.path.name} cannot be described without {', '.join(missing)}: nothing is guessed. They are in the "
            "code or the notes of its training."
        )


def _spec(found: Checkpoint, classes: tuple[str, ...], preprocessing: Preprocessing, architecture: str) -> ModelSpec:
    try:
        check_classes(classes)
    except ValueError as exc:
        raise CheckpointError(
            f"{found.path.name} cannot have these classes: {in_brief(exc)}. Say them with --classes."
        ) from exc
    return ModelSpec(_architecture(found, architecture, len(classes)), classes, preprocessing)


def _architecture(found: Checkpoint, told: str, classes: int) -> str:
    """The one that was said, where the file needs one."""
    if found.architecture == SCRIPT:
        if told not in ("", SCRIPT):
            raise CheckpointError(f"{found.path.name} is TorchScript and holds its network: leave out --architecture.")
        return SCRIPT
    if told and told != SCRIPT:
        return told
    with closing(RemoteModel(found)) as remote:
        fitting = remote.fitting(classes)
    proposed = (
        f"Its weights fit {' and '.join(fitting)}: say which with --architecture."
        if fitting
        else "Its weights fit no network of torchvision or of this package with so many classes. Say --architecture "
        "timm:NAME, or save it whole: torch.jit.script(model).save('model.pt')."
    )
    raise CheckpointError(f"{found.path.name} holds weights alone, without their network. {proposed}")


def _preprocessing(input_px: str, mean: str, std: str, interpolation: str, crop_pct: float | None) -> Preprocessing:
    """What was said of the images, once each value is one that a record may hold."""
    if interpolation not in get_args(Interpolation):
        raise CheckpointError(f"There is no interpolation {interpolation!r}. Use one of {', '.join(get_args(Interpolation))}.")
    if crop_pct is not None:
        CROP.check(crop_pct)
    height, *rest = _numbers("--input", input_px.lower().replace("x", ","), (1, 2), 1, 4096)
    width = rest[0] if rest else height
    if (height, width) != (int(height), int(width)):
        raise CheckpointError(f"--input is a whole number of pixels, not {input_px!r}, as in 224 or 96x128.")
    means, stds = _numbers("--mean", mean, (1, 3), -1e3, 1e3), _numbers("--std", std, (1, 3), 1e-3, 1e3)
    return Preprocessing((int(height), int(width)), _three(means), _three(stds), cast(Interpolation, interpolation), crop_pct)


def _three(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = values if len(values) == 3 else values * 3
    return red, green, blue


def _numbers(option: str, told: str, lengths: tuple[int, int], low: float, high: float) -> list[float]:
    try:
        found = [float(part) for part in told.split(",")]
    except ValueError:
        found = []
    if len(found) not in lengths or not all(low <= value <= high for value in found):
        wanted = f"{lengths[0]} or {lengths[1]} numbers from {low:g} to {high:g}, with commas between them"
        raise CheckpointError(f"{option} takes {wanted}, not {told!r}.")
    return found


def _described_already(found: Checkpoint) -> str:
    card = card_path(found.path)
    way_out = f" To say something else, remove {card.name} first." if card.exists() else ""
    return f"{found.path.name} is described already: it answers {', '.join(found.classes)}.{way_out}"


def class_names(told: str) -> tuple[str, ...]:
    """The names in a text with commas, or in the file that it names, one a line.

    Raises:
        StoreError: the file cannot be read.
    """
    path = Path(told)
    if "," not in told and path.is_file():
        return tuple(line.strip() for line in files.read_text(path, MAX_BYTES).splitlines() if line.strip())
    return tuple(name.strip() for name in told.split(",") if name.strip())


def _noise(subject: Checkpoint) -> Images:
    return np.random.default_rng(0).standard_normal((PROBES, 3, *subject.input_px), dtype=np.float32)


def _check_answers(subject: Checkpoint, answers: Logits) -> None:
    name, wanted = subject.path.name, (PROBES, len(subject.classes))
    if answers.shape != wanted:
        raise CheckpointError(f"{name} answers {PROBES} images in the shape {answers.shape}, not {wanted}. Name every class.")
    if not np.isfinite(answers).all():
        raise CheckpointError(f"{name} answers with values that are not finite numbers. Pick an earlier checkpoint.")
    if len(np.unique(answers, axis=0)) < PROBES:
        raise CheckpointError(f"{name} gives different images the same answer, so it was saved broken. Save it again.")
