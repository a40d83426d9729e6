"""LiteRT (TensorFlow Lite): see `format`."""

from udacisense.formats.fmt_litert.format import FORMAT

__all__ = ["FORMAT"]
