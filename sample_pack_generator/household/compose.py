"""Seed and class in, whole scene out. Knows nothing of the renderer."""

from __future__ import annotations

from dataclasses import dataclass

from household.camera import Camera, aim
from household.draw import Draw, Value
from household.lights import environment
from household.materials import Part, Texture
from household.rooms import surroundings
from household.subject import Subject
from household.subjects import SUBJECTS
from household.subjects.mobile import mobile
from household.subjects.telephone import telephone

IMAGES, TRAIN_IMAGES = 40, 24
"""Images of a class in the whole pack, and how many of them, the first, are for training."""


@dataclass(frozen=True)
class Scene:
    """All that the renderer needs, and the parameters that led to it."""

    parts: tuple[Part, ...]
    camera: Camera
    light: Texture
    parameters: dict[str, Value]


def _any_telephone(d: Draw) -> Subject:
    """Two of three as photographs of today show them, one as the pack does."""
    return telephone(d) if d.seed % 3 == 0 else mobile(d)


TRAINING = {"telephone": _any_telephone}
"""The classes that look otherwise, or in more ways, in training images than in the pack."""


def scene_seed(name: str, index: int) -> int:
    """The seed of a class's image: the class's place times 1000, plus the image's number."""
    return list(SUBJECTS).index(name) * 1000 + index


def compose(name: str, seed: int, training: bool = False) -> Scene:
    """The scene of this class and seed, as the pack shows it or, wider in its kinds and looks, for training."""
    d = Draw(seed)
    subject = (TRAINING.get(name, SUBJECTS[name]) if training else SUBJECTS[name])(d.scope(name))
    around = surroundings(d.scope("room"), subject)
    camera = aim(d.scope("camera"), subject)
    light = environment(d.scope("light"), subject.dim)
    return Scene((*subject.parts, *subject.companions, *around), camera, light, d.log)
