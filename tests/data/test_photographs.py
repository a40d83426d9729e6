"""Photographs as phones write them: their kinds, colours, orientation, and sizes of up to 200 megapixels."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from tests.data.profiles import ADOBE_RGB, DISPLAY_P3, SRGB, Space
from udacisense.data import apart
from udacisense.data.bounds import examine, scale_of
from udacisense.data.images import decode_image, decode_upload
from udacisense.errors import ImageError
from udacisense.settings import PROJECT
from udacisense.types import Pixels

ORIENTATION = 0x0112


def scene(height: int = 48, width: int = 64) -> Pixels:
    """A smooth image whose corners differ: no encoder changes it much."""
    down, across = np.mgrid[0:height, 0:width]
    return np.stack([220 * across // width + 20, 200 * down // height + 30, 120 - 100 * down // height], 2).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF", "MPO", "JPEG", "WEBP"])
def test_each_kind_is_read_by_what_it_holds(kind: str) -> None:
    raw = saved(Image.fromarray(scene()), kind, **({} if kind == "TIFF" else {"quality": 95}))
    pixels = decode_image(raw, "photo.png")
    assert pixels.shape == (48, 64, 3)
    assert np.abs(pixels.astype(int) - scene()).max() <= 12


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"])
def test_heic_is_known_by_every_brand(brand: bytes) -> None:
    raw = bytearray(saved(Image.fromarray(scene()), "HEIF"))
    raw[8:12] = brand
    assert examine(bytes(raw), "x").kind == "HEIF"


def test_mif1_with_avif_behind_it_is_avif_and_a_film_is_refused_by_name() -> None:
    raw = bytearray(saved(Image.fromarray(scene()), "AVIF"))
    raw[8:12] = b"mif1"
    assert examine(bytes(raw), "x").kind == "AVIF"
    with pytest.raises(ImageError, match="a film"):
        decode_image(b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "clip.mp4")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("space", [SRGB, DISPLAY_P3, ADOBE_RGB], ids=lambda space: space.name)
def test_three_encodings_of_one_image_give_the_same_pixels(space: Space, kind: str) -> None:
    for name in ("bed", "clock", "telephone"):
        wanted = np.asarray(Image.open(PROJECT / "docs" / "sample_pack" / f"{name}.webp").convert("RGB"))
        raw = saved(Image.fromarray(space.encode(wanted)), kind, icc_profile=space.profile())
        assert np.abs(decode_image(raw, "x").astype(int) - wanted).max() <= 3
    if space is not SRGB:  # without its profile it is another image, so the profile was needed
        assert np.abs(space.encode(wanted).astype(int) - wanted).max() > 10


@pytest.mark.parametrize("profile", [b"", b"nothing", DISPLAY_P3.profile()[:300], DISPLAY_P3.profile()[:200] + b"\xff" * 3000])
def test_a_damaged_profile_is_left_aside(profile: bytes) -> None:
    raw = saved(Image.fromarray(scene()), "PNG", icc_profile=profile)
    assert (decode_image(raw, "x") == scene()).all()


def test_a_profile_for_another_kind_of_image_is_left_aside() -> None:
    raw = saved(Image.fromarray(scene()).convert("L"), "PNG", icc_profile=DISPLAY_P3.profile())
    assert decode_image(raw, "x").shape == (48, 64, 3)


def test_transparency_of_a_wide_gamut_image_is_white() -> None:
    pixels = np.dstack([DISPLAY_P3.encode(scene()), np.zeros((48, 64), np.uint8)])
    raw = saved(Image.fromarray(pixels), "PNG", icc_profile=DISPLAY_P3.profile())
    assert decode_image(raw, "x").min() >= 254


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_heic_is_turned_once(turn: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    image = Image.fromarray(scene())
    upright = decode_image(saved(image, "JPEG", exif=exif, quality=95), "x")
    found = decode_image(saved(image, "HEIF", exif=exif.tobytes(), quality=95), "x")
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 4


def test_sixteen_bits_are_cut_to_eight() -> None:
    grey = (np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 21).astype(np.uint16)
    for kind in ("TIFF", "PNG"):
        assert (decode_image(saved(Image.fromarray(grey), kind), "x")[..., 0] == grey >> 8).all()


def test_a_visitors_heic_is_decoded_in_a_bound_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = apart._ask
    monkeypatch.setattr(apart, "_ask", lambda raw, name, most: asked.append(name) or ask(raw, name, most))
    found = decode_upload(saved(Image.fromarray(scene()), "HEIF"), "photo.heic", "somebody")
    assert asked == ["photo.heic"]
    assert found.pixels.shape == (48, 64, 3)
    assert not found.reduced


def test_without_its_package_a_heic_is_refused_with_what_to_do_on_a_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = saved(Image.fromarray(scene()), "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"pip install pillow-heif.*Most Compatible"):
        decode_image(raw, "photo.heic")


def test_a_damaged_heic_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = saved(Image.fromarray(scene()), "HEIF")
    for cut in (40, len(raw) // 2, len(raw) - 20):
        with pytest.raises(ImageError, match="damaged"):
            decode_image(raw[:cut], "photo.heic")


# --- large ones ----------------------------------------------------------------------------------------------------------


def test_an_image_within_the_limit_is_not_made_smaller() -> None:
    raw = saved(Image.fromarray(scene(400, 500)), "PNG")
    assert (decode_image(raw, "x", max_pixels=200_000) == scene(400, 500)).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "CMYK"])
def test_what_is_larger_comes_smaller_and_shows_the_same(mode: str) -> None:
    image = Image.fromarray(scene(400, 500)).convert(mode)
    raw = saved(image, "TIFF" if mode == "CMYK" else "PNG")
    small = decode_image(raw, "x", max_pixels=20_000)
    assert small.shape[0] * small.shape[1] <= 20_000
    whole = Image.fromarray(decode_image(raw, "x")).resize(small.shape[1::-1], Image.Resampling.BOX)
    assert np.abs(small.astype(int) - np.asarray(whole)).mean() < 3


def test_a_jpeg_is_read_at_an_eighth_where_it_must_be() -> None:
    raw = saved(Image.fromarray(scene(800, 1000)), "JPEG", quality=95)
    assert [scale_of(examine(raw, "x"), most) for most in (800_000, 799_999, 60_000, 20_000)] == [1, 2, 4, 8]
    assert decode_image(raw, "x", max_pixels=12_500).shape == (100, 125, 3)


def test_the_limit_says_what_to_do_on_a_phone() -> None:
    header = bytearray(saved(Image.fromarray(scene()), "PNG"))
    header[16:24] = (15_000).to_bytes(4, "big") + (14_000).to_bytes(4, "big")
    with pytest.raises(ImageError, match=r"57 million can be read of such a file\. On a phone, take a screenshot"):
        decode_image(bytes(header), "x.png")
