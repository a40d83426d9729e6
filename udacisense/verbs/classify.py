"""The verb that classifies images by one model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from udacisense.errors import UdaciSenseError

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.classify import Classifier


@dataclass(frozen=True, slots=True)
class ClassifiedImage:
    """One image that was classified, with the times of this one run."""

    image: str  # the path as it was given
    label: str  # the likeliest class
    probability: float  # of that class
    probabilities: Mapping[str, float]  # of every class, likeliest first
    decode_s: float
    preprocess_s: float
    inference_s: float


@dataclass(frozen=True, slots=True)
class FailedImage:
    """One image that was not classified."""

    image: str  # the path as it was given
    error: str


@dataclass(frozen=True, slots=True)
class Classifications:
    """Answer of `classify`: the images in the order given, those that failed apart."""

    subject_id: str
    images: tuple[ClassifiedImage, ...]
    failures: tuple[FailedImage, ...]


def classify(images: Sequence[str | Path], subject: Named) -> Classifications:
    """Classify image files by a checkpoint or artifact; one that fails is named, and the others are classified.

    >>> verbs.classify(["photo.png"], "onnx-int8-4ce2fa81-e2cad3").images[0].label

    Raises:
        NotFoundError: no such subject, or its checkpoint is gone. FormatError, CheckpointError: it does not load.
    """
    from udacisense.artifacts import named_subject
    from udacisense.classify import open_classifier

    found = named_subject(subject)
    classifier = open_classifier(found)
    asked = [_one(classifier, str(image)) for image in images]
    done = tuple(one for one in asked if isinstance(one, ClassifiedImage))
    return Classifications(found.id, done, tuple(one for one in asked if isinstance(one, FailedImage)))


def _one(classifier: Classifier, image: str) -> ClassifiedImage | FailedImage:
    from udacisense.classify import read_image

    try:
        decoded = read_image(image)
        found = classifier.classify(decoded.pixels, decoded.seconds)
    except UdaciSenseError as exc:
        return FailedImage(image, str(exc))
    ranked = found.top(len(found.classes))
    label, probability = ranked[0]
    return ClassifiedImage(image, label, probability, dict(ranked), decoded.seconds, found.preprocess_s, found.inference_s)
