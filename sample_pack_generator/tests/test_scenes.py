"""Scenes: what a seed leads to, of which meshes it is made, and how it is framed."""

import hashlib

import numpy as np
import pytest

from household.camera import aim, project
from household.compose import Scene, compose, scene_seed
from household.draw import Draw
from household.subjects import SUBJECTS

KINDS = 10
"""So many neighbouring seeds show every kind of every class."""


def fingerprint(scene: Scene) -> str:
    hasher = hashlib.sha256(repr((scene.camera, scene.parameters)).encode())
    for part in scene.parts:
        hasher.update(part.mesh.vertices.tobytes() + part.mesh.uv.tobytes())
        hasher.update(b"" if part.material.texture is None else part.material.texture.tobytes())
    hasher.update(scene.light.tobytes())
    return hasher.hexdigest()


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_seed_is_one_scene(name):
    seed = scene_seed(name, 3)
    assert fingerprint(compose(name, seed)) == fingerprint(compose(name, seed))
    assert fingerprint(compose(name, seed)) != fingerprint(compose(name, seed + 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_kind_is_made_of_sound_meshes(name):
    for index in range(KINDS):
        for part in compose(name, scene_seed(name, index)).parts:
            mesh = part.mesh
            assert np.isfinite(mesh.vertices).all()
            assert np.isfinite(mesh.normals).all()
            assert len(mesh.vertices) == len(mesh.normals) == len(mesh.uv)
            assert mesh.faces.min() >= 0
            assert mesh.faces.max() < len(mesh.vertices)


@pytest.mark.parametrize("name", [n for n in SUBJECTS if n != "keyboard"])
def test_the_subject_fills_the_picture_and_stays_in_it(name):
    for index in range(KINDS):
        d = Draw(scene_seed(name, index))
        subject = SUBJECTS[name](d.scope(name))
        camera = aim(d.scope("camera"), subject)
        forward = np.subtract(camera.target, camera.eye)
        seen = project(subject.points(), np.array(camera.eye), forward / np.linalg.norm(forward), camera.angle)
        assert np.abs(seen).max() < 0.56
        assert (seen.max(axis=0) - seen.min(axis=0)).max() > 0.65
