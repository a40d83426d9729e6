"""Images: the noise filter, the development, and the renderer where it is installed."""

import numpy as np
import pytest
from PIL import Image

from household.denoise import denoise
from household.develop import develop, webp
from household.draw import Draw


def test_the_filter_calms_noise_and_keeps_the_edges_of_colours():
    rng = np.random.default_rng(0)
    albedo = np.where(np.arange(32) < 16, 0.2, 0.8)[None, :, None] * np.ones((32, 32, 3))
    light = albedo * rng.uniform(0.7, 1.3, (32, 32, 1))
    normal, depth = np.zeros((32, 32, 3)), np.ones((32, 32, 1))
    calm = denoise(*(layer.astype(np.float32) for layer in (light, albedo, normal, depth)))
    assert np.abs(calm / albedo - 1).mean() < 0.3 * np.abs(light / albedo - 1).mean()
    assert calm[:, 16].mean() > 3 * calm[:, 15].mean()


def test_developing_is_the_same_every_time():
    light = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    assert (develop(light, Draw(5)) == develop(light, Draw(5))).all()


@pytest.mark.slow
def test_renders_the_same_picture_twice():
    pytest.importorskip("mitsuba")
    from household.pack import picture

    first, parameters = picture("chair", 6000, size=32, samples=4)
    second, _ = picture("chair", 6000, size=32, samples=4)
    assert webp(first) == webp(second)
    assert Image.fromarray(first).convert("L").getextrema()[1] > 128
    assert parameters["chair.kind"] == "spindle"
