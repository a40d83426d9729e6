"""ExecuTorch: see `format`."""

from udacisense.formats.fmt_executorch.format import FORMAT

__all__ = ["FORMAT"]
