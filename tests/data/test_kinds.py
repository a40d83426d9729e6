"""What a file that is no readable image is called."""

from __future__ import annotations

import pytest

from udacisense.data.kinds import other_kind


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "film"),
        (b"MM\0+" + b"\0" * 20, "BigTIFF"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<!doctype html><title>404</title>", "text"),
        (b"\xff\xfe\0\0\x80", "damaged"),
    ],
)
def test_a_file_is_called_by_what_it_is(raw: bytes, name: str) -> None:
    kinds = {"film", "BigTIFF", "PDF", "SVG", "text", "damaged"}
    assert {kind for kind in kinds if kind in other_kind(raw)} == {name}
