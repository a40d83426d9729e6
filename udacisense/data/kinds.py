"""Kinds of image files: those that are read, and what other files turn out to be."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "HEIF", "AVIF")
"""The kinds that are read, as Pillow calls them; of an animation the first frame, of several pages the first."""

NAMES = ("JPEG", "PNG", "WebP", "HEIC", "AVIF", "TIFF", "GIF", "BMP")
"""The same as people call them."""


def other_kind(raw: bytes) -> str:
    """What the first bytes say that a file of none of these kinds is, as words."""
    if raw[4:8] == b"ftyp":
        return "a film, or a photograph of a kind that is not read here"
    if raw[:4] in (b"II+\0", b"MM\0+"):
        return "a BigTIFF image, which is not read here"
    if raw[:5] == b"%PDF-":
        return "a PDF document, not an image"
    try:
        head = raw[:512].decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return "not an image of a known kind, or its first bytes are damaged"
    if "<svg" in head:
        return "an SVG drawing, which is not read here"
    return "text, not an image, whatever its name says"
