"""What a file that is no readable image is called."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from udacisense.data.kinds import other_kind


def tiff() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, format="TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "AVIF"),
        (tiff(), "TIFF"),
        (b"MM\0*" + b"\0" * 20, "TIFF"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<!doctype html><title>404</title>", "text"),
        (b"\xff\xfe\0\0\x80", "damaged"),
    ],
)
def test_a_file_is_called_by_what_it_is(raw: bytes, name: str) -> None:
    kinds = {"HEIC", "AVIF", "TIFF", "PDF", "SVG", "text", "damaged"}
    assert {kind for kind in kinds if kind in other_kind(raw)} == {name}
