"""Kinds of image files: those that are read, and what other files turn out to be."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""The kinds that are read; of an animation, the first frame."""


def other_kind(raw: bytes) -> str:
    """What the first bytes say that a file of none of these kinds is, as words."""
    if raw[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "a HEIC image, as iPhones take them, which is not read here"
    if raw[4:12] in (b"ftypavif", b"ftypavis"):
        return "an AVIF image, which is not read here"
    if raw[:4] in (b"II*\0", b"MM\0*"):
        return "a TIFF image, which is not read here"
    if raw[:5] == b"%PDF-":
        return "a PDF document, not an image"
    try:
        head = raw[:512].decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return "not an image of a known kind, or its first bytes are damaged"
    if "<svg" in head:
        return "an SVG drawing, which is not read here"
    return "text, not an image, whatever its name says"
