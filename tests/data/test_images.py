from __future__ import annotations

import io
import struct
import warnings
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.data.conftest import noise, stored
from udacisense.data.images import decode_image
from udacisense.errors import ImageError
from udacisense.settings import settings


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "GIF", "JPEG"])
def test_reads_each_kind_by_its_content_whatever_the_name(kind: str) -> None:
    pixels = np.full((20, 30, 3), (200, 40, 90), np.uint8)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    found = decode_image(encoded(Image.fromarray(pixels), kind, **options), "holiday.txt")
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found.astype(int), pixels.astype(int), atol=0 if kind != "JPEG" else 3)


def turned_left(upright: np.ndarray) -> bytes:
    """The image as a camera held upright stores it, with the tag that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(np.ascontiguousarray(np.rot90(upright, 1))), "PNG", exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_an_image_upright_by_its_exif(orientation: int) -> None:
    upright = noise(1, 16, 24)
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = encoded(Image.fromarray(stored(upright, orientation)), "PNG", exif=exif)
    np.testing.assert_array_equal(decode_image(raw, "phone.png"), upright)


def test_damaged_exif_does_not_cost_the_image() -> None:
    pixels = noise(2)
    raw = encoded(Image.fromarray(pixels), "WEBP", lossless=True, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(decode_image(raw, "a.webp"), pixels)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_leaves_the_image_as_stored(value: int) -> None:
    pixels = noise(2, 16, 24)
    exif = Image.Exif()
    exif[0x0112] = value
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(pixels), "PNG", exif=exif), "a.png"), pixels)


def test_exif_that_cannot_be_written_again_does_not_keep_an_image_lying(monkeypatch: pytest.MonkeyPatch) -> None:
    upright = noise(1, 16, 24)
    raw = turned_left(upright)

    def refuse(*_: object) -> bytes:
        raise ValueError("a tag of no known type")

    monkeypatch.setattr(Image.Exif, "tobytes", refuse)
    np.testing.assert_array_equal(decode_image(raw, "a.png"), upright)


def test_too_little_memory_to_turn_an_image_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = turned_left(noise(1, 16, 24))

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("udacisense.data.images.ImageOps.exif_transpose", full)
    with pytest.raises(ImageError, match="does not fit into memory"):
        decode_image(raw, "a.png")


def test_transparency_lies_over_white() -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (255, 0, 0, 255)
    rgba[0, 1] = (0, 0, 255, 128)
    found = decode_image(encoded(Image.fromarray(rgba)), "a.png")
    assert found[0, 0].tolist() == [255, 0, 0]
    assert found[0, 1].tolist() == [127, 127, 255]
    assert found[1, 1].tolist() == [255, 255, 255]


def test_transparent_palette_and_transparent_grey_lie_over_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([0, 1])
    grey = Image.new("LA", (1, 1), (0, 0))
    found = decode_image(encoded(palette, transparency=0), "p.png")
    assert found.tolist() == [[[255, 255, 255], [200, 100, 50]]]
    assert decode_image(encoded(grey), "g.png").tolist() == [[[255, 255, 255]]]


def test_grey_becomes_three_equal_channels() -> None:
    grey = noise(3)[:, :, 0]
    found = decode_image(encoded(Image.fromarray(grey)), "grey.png")
    np.testing.assert_array_equal(found, np.repeat(grey[:, :, None], 3, axis=2))


def test_sixteen_bits_keep_the_high_byte() -> None:
    deep = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    found = decode_image(encoded(Image.fromarray(deep)), "deep.png")
    assert found[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_a_printers_jpeg_is_read() -> None:
    found = decode_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95), "print.jpg")
    assert found[4, 4, 0] > 180
    assert found[4, 4, 1:].max() < 90


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (4, 4), c) for c in ("red", "blue")]
    raw = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode_image(raw, "a.gif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        (b"just words", "text, not an image"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "film"),
        (b"II+\0\x08\0\0\0", "BigTIFF"),
        (bytes(range(128, 256)), "not an image of a known kind"),
    ],
)
def test_other_things_are_refused_by_name_of_their_kind(raw: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=says) as caught:
        decode_image(raw, "photo.png")
    assert str(caught.value).startswith("photo.png ")


def test_a_cut_off_file_is_refused() -> None:
    raw = encoded(Image.fromarray(noise(4, 64, 64)))
    with pytest.raises(ImageError, match=r"half.png is cut off or damaged.*again"):
        decode_image(raw[: len(raw) // 2], "half.png")


def test_the_size_of_what_is_decoded_comes_from_the_settings(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = encoded(Image.fromarray(noise(5, 10, 11)))
    assert decode_image(raw, "a.png", max_pixels=110).shape == (10, 11, 3)
    assert decode_image(raw, "a.png", max_pixels=109).shape == (5, 6, 3)
    monkeypatch.setenv("UDACISENSE_MAX_UPLOAD_PIXELS", "100")
    settings.cache_clear()
    assert decode_image(raw, "a.png").shape == (5, 6, 3)


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_decompression_bomb_is_refused(side: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in an app, where Pillow's warning stops nothing
        with pytest.raises(ImageError, match="57 million can be read"):
            decode_image(_bomb(side), "bomb.png")
    with pytest.raises(ImageError, match="57 million can be read"):
        decode_image(_bomb(side), "bomb.png")


def _bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it is side x side."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@given(position=st.integers(0, 400), value=st.integers(0, 255), kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP"]))
def test_a_damaged_byte_gives_an_image_or_an_image_error(position: int, value: int, kind: str) -> None:
    raw = bytearray(encoded(Image.fromarray(noise(7, 12, 12)), kind))
    raw[position % len(raw)] = value
    with suppress(ImageError):  # anything else, a hang or a crash, fails
        found = decode_image(bytes(raw), "damaged")
        assert found.dtype == np.uint8
        assert found.ndim == 3
