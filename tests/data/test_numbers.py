"""Numbers that are no levels of 0 to 255: floats, and integers of 10 to 32 bits."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.data.test_photographs import ORIENTATION, saved
from udacisense.data.images import decode_image
from udacisense.errors import ImageError

LEVELS = np.arange(48 * 64, dtype=np.uint32).reshape(48, 64) % 256


def image_of(numbers: np.ndarray) -> Image.Image:
    return Image.fromarray(numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize(
    "numbers",
    [LEVELS / np.float32(255), LEVELS.astype(np.float32), LEVELS.astype(np.int32), (LEVELS * 257).astype(np.int32)],
    ids=["0 to 1", "0 to 255 with a point", "0 to 255", "0 to 65,535"],
)
def test_numbers_become_the_levels_that_are_meant(numbers: np.ndarray, compression: str) -> None:
    raw = saved(image_of(numbers), "TIFF", compression=compression)
    found = decode_image(raw, "scan.tif")
    assert (found == LEVELS[..., None]).all()


@pytest.mark.parametrize("numbers", [LEVELS / np.float32(255), LEVELS.astype(np.int32), (LEVELS * 257).astype(np.int32)])
def test_made_smaller_they_show_the_same(numbers: np.ndarray) -> None:
    image = image_of(numbers)
    small = decode_image(saved(image, "TIFF"), "scan.tif", max_pixels=48 * 64 // 4)
    assert small.shape == (24, 32, 3)
    assert np.abs(small[..., 0].astype(int) - LEVELS.reshape(24, 2, 32, 2).mean((1, 3))).max() <= 1


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        (LEVELS * np.float32(3.5), "numbers from 0 to 892.5, of which no"),
        (LEVELS / np.float32(-255), "numbers from -1 to "),
        (LEVELS / np.float32(250), "numbers from 0 to 1.02, of which no"),
        (np.where(LEVELS == 7, np.float32("nan"), LEVELS / np.float32(255)), "nan"),
        (np.where(LEVELS == 7, np.float32("inf"), LEVELS / np.float32(255)), "inf"),
        ((LEVELS * 70_000).astype(np.int32), "numbers from 0 to 1.785e"),
        (LEVELS.astype(np.int32) - 5, "numbers from -5 to 250"),
    ],
)
def test_other_numbers_are_refused_with_what_to_do(numbers: np.ndarray, says: str) -> None:
    raw = saved(image_of(numbers), "TIFF")
    with pytest.raises(ImageError, match=says) as caught:
        decode_image(raw, "scan.tif")
    assert str(caught.value).startswith("scan.tif holds numbers from ")
    assert "Save it as a TIFF or PNG of 8 or 16 bits." in str(caught.value)


def test_sixteen_bits_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    stored = np.rot90(LEVELS * 257, 1).astype(np.uint16)
    raw = saved(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert (decode_image(raw, "x") == LEVELS[..., None]).all()
    assert decode_image(raw, "x", max_pixels=48 * 64 // 4).shape == (24, 32, 3)


def test_a_grey_heic_of_10_bits_is_cut_to_eight() -> None:
    from pillow_heif import from_bytes

    grey = np.full((64, 64), 32_768, np.uint16)
    out = io.BytesIO()
    from_bytes(mode="L;16", size=(64, 64), data=grey.tobytes()).save(out, quality=95)
    assert (decode_image(out.getvalue(), "x") == 128).all()
    assert (decode_image(out.getvalue(), "x", max_pixels=32 * 32) == 128).all()


def test_pixels_that_pillow_does_not_know_are_not_called_damaged_alone() -> None:
    raw = bytearray(saved(Image.fromarray(np.zeros((4, 4, 3), np.uint8)), "TIFF"))
    at = raw.index(b"\x02\x01\x03\0") + 4  # how many bits a sample has
    where = int.from_bytes(raw[at + 4 : at + 8], "little")
    raw[where : where + 6] = b"\x0b\0" * 3
    with pytest.raises(ImageError, match="pixels of a kind that is not read here"):
        decode_image(bytes(raw), "scan.tif")
