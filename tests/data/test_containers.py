"""HEIC and AVIF are told by the codec within, whatever brand the file claims; a TIFF is turned by its orientation."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import noise, stored
from tests.data.test_photographs import ORIENTATION, saved, scene
from udacisense.data.bounds import examine
from udacisense.data.images import decode_image
from udacisense.errors import ImageError


def rebranded(raw: bytes, brand: bytes) -> bytes:
    """The file with no other brand than this one."""
    end = int.from_bytes(raw[:4], "big")
    return raw[:8] + brand + raw[12:16] + brand * ((end - 16) // 4) + raw[end:]


@pytest.mark.parametrize("brand", [b"mif1", b"mif2", b"miaf", b"heic", b"avif"])
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_the_codec_tells_the_kind_under_every_brand(kind: str, brand: bytes) -> None:
    raw = rebranded(saved(Image.fromarray(scene()), kind, quality=95), brand)
    assert examine(raw, "x").kind == kind
    assert np.abs(decode_image(raw, "x").astype(int) - scene()).max() <= 12


def test_with_both_codecs_the_brand_decides() -> None:
    raw = saved(Image.fromarray(scene()), "AVIF")
    other = raw.index(b"colr")
    both = raw[:other] + b"hvcC" + raw[other + 4 :]
    assert examine(both, "x").kind == "AVIF"
    assert examine(rebranded(both, b"heic"), "x").kind == "HEIF"


def test_boxes_within_boxes_are_not_followed_without_end() -> None:
    nested = b""
    for _ in range(3000):
        nested = (len(nested) + 8).to_bytes(4, "big") + b"ipco" + nested
    with pytest.raises(ImageError, match="damaged header, which tells no size"):
        decode_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + nested, "x")


def test_a_preview_that_was_cut_to_odd_sides_says_nothing_of_the_image() -> None:
    raw = saved(Image.fromarray(scene(400, 600)), "HEIF", thumbnails=[101])
    header = examine(raw, "x")
    assert (header.width_px, header.height_px, header.odd) == (600, 400, False)
    assert examine(saved(Image.fromarray(scene(401, 600)), "HEIF"), "x").odd


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_upright_once(orientation: int, compression: str) -> None:
    upright = noise(1, 16, 24)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    raw = saved(Image.fromarray(stored(upright, orientation)), "TIFF", exif=exif, compression=compression)
    np.testing.assert_array_equal(decode_image(raw, "scan.tif"), upright)
    assert decode_image(raw, "scan.tif", max_pixels=96).shape == (8, 12, 3)
    assert examine(raw, "scan.tif").turned == (orientation > 1)
