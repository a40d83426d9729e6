"""TorchScript, twice: see `format`."""

from udacisense.formats.fmt_torchscript.capture import capture, optimise
from udacisense.formats.fmt_torchscript.format import FORMAT, LITE

__all__ = ["FORMAT", "LITE", "capture", "optimise"]
