"""ONNX: see `format`."""

from udacisense.formats.fmt_onnx.format import FORMAT

__all__ = ["FORMAT"]
