"""A colour profile is believed by what it does, not by what it is called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.data.conftest import noise
from tests.data.profiles import ADOBE_RGB, DISPLAY_P3, SRGB, Space
from tests.data.test_photographs import saved
from udacisense.data.images import decode_image
from udacisense.settings import PROJECT


@pytest.mark.parametrize("space", [DISPLAY_P3, ADOBE_RGB], ids=lambda space: space.name)
@pytest.mark.parametrize("called", ["sRGB IEC61966-2.1", "better than sRGB", ""])
def test_a_wide_profile_is_converted_whatever_it_is_called(space: Space, called: str) -> None:
    wanted = np.asarray(Image.open(PROJECT / "docs" / "sample_pack" / "bed.webp").convert("RGB"))
    raw = saved(Image.fromarray(space.encode(wanted)), "PNG", icc_profile=replace(space, name=called).profile())
    assert np.abs(decode_image(raw, "x").astype(int) - wanted).max() <= 3


def littlecms() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("profile", [SRGB.profile(), replace(SRGB, name="Camera 7").profile(), littlecms()])
def test_with_a_profile_of_srgb_the_pixels_stay_as_they_are(profile: bytes) -> None:
    pixels = noise(5, 200, 200)
    assert (decode_image(saved(Image.fromarray(pixels), "PNG", icc_profile=profile), "x") == pixels).all()


def test_of_three_encodings_called_srgb_one_image_comes() -> None:
    wanted = np.asarray(Image.open(PROJECT / "docs" / "sample_pack" / "clock.webp").convert("RGB"))
    found = [
        decode_image(
            saved(Image.fromarray(space.encode(wanted)), "PNG", icc_profile=replace(space, name="sRGB").profile()), "x"
        )
        for space in (SRGB, DISPLAY_P3, ADOBE_RGB)
    ]
    for other in found[1:]:
        assert np.abs(other.astype(int) - found[0]).max() <= 3


def test_a_profile_that_differs_in_its_curve_alone_is_converted() -> None:
    linear = replace(SRGB, to_linear=lambda x: x**1.8, from_linear=lambda x: np.clip(x, 0, 1) ** (1 / 1.8))
    wanted = noise(6) // 2 + 100
    raw = saved(Image.fromarray(linear.encode(wanted)), "PNG", icc_profile=linear.profile())
    assert np.abs(decode_image(raw, "x").astype(int) - wanted).max() <= 3
