"""Training images: seeds of their own, a pack that stays as it is, and telephones of today."""

import numpy as np
import pytest

from household import manifest
from household.compose import IMAGES, compose, scene_seed
from household.draw import Draw
from household.manifest import Entry
from household.subjects import SUBJECTS
from household.subjects.mobile import mobile
from household.training import LOOK, missing, plans


def test_no_training_image_has_a_seed_of_the_pack():
    packs = {plan.seed for plan in manifest.plans()}
    seeds = [plan.seed for plan in plans(900)]
    assert len(set(seeds)) == len(seeds) == 900 * len(SUBJECTS)
    assert packs.isdisjoint(seeds)
    assert all(plan.split == "train" for plan in plans(3))


def test_the_classes_come_in_turn():
    assert [plan.class_name for plan in plans(2)] == [*SUBJECTS, *SUBJECTS]


@pytest.mark.parametrize("count", [0, 901])
def test_more_than_there_are_seeds_is_refused(count):
    with pytest.raises(ValueError, match="900 training images at the most"):
        plans(count)


def test_what_is_there_is_not_made_again(tmp_path):
    first, second = plans(1, ["lamp"]) + plans(1, ["bed"])
    path = tmp_path / first.file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"an image")
    entry = Entry(first.file, "lamp", "train", first.seed, manifest.digest(path), LOOK, "renderer", {})
    manifest.write(tmp_path, {first.file: entry})
    assert missing(tmp_path, [first, second]) == [second]
    path.write_bytes(b"another image")
    assert missing(tmp_path, [first]) == [first]


def test_two_of_three_telephones_are_mobile():
    kinds = [
        compose("telephone", scene_seed("telephone", k), training=True).parameters["telephone.kind"] for k in range(100, 118)
    ]
    assert sum(kind in ("front", "back", "keypad", "flip") for kind in kinds) == 12


def test_the_packs_telephones_stay():
    for index in range(IMAGES):
        seed = scene_seed("telephone", index)
        assert compose("telephone", seed).parameters["telephone.kind"] not in ("front", "back", "keypad", "flip")


@pytest.mark.slow
def test_every_mobile_phone_is_made_of_sound_meshes():
    for seed in range(9 * 6):
        subject = mobile(Draw(seed).scope("telephone"))
        for part in (*subject.parts, *subject.companions):
            assert np.isfinite(part.mesh.vertices).all()
            assert part.mesh.faces.max() < len(part.mesh.vertices)
