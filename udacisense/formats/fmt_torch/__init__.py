"""The checkpoint itself, run by PyTorch: see `format`."""

from udacisense.formats.fmt_torch.format import FORMAT

__all__ = ["FORMAT"]
