"""Core ML: see `format`."""

from udacisense.formats.fmt_coreml.format import FORMAT

__all__ = ["FORMAT"]
