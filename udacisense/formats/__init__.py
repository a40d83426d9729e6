"""The formats, listed by hand: a folder `fmt_<name>` builds one or more, and a test finds a folder that is not listed here."""

from __future__ import annotations

from udacisense.errors import FormatError
from udacisense.formats import fmt_coreml, fmt_executorch, fmt_litert, fmt_onnx, fmt_torch, fmt_torchscript
from udacisense.types import Format

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        fmt_torch.FORMAT,
        fmt_executorch.FORMAT,
        fmt_litert.FORMAT,
        fmt_onnx.FORMAT,
        fmt_coreml.FORMAT,
        fmt_torchscript.FORMAT,
        fmt_torchscript.LITE,
    )
}


def get_format(name: str) -> Format:
    """The format of that name.

    Raises:
        FormatError: there is none; the message lists the names.
    """
    if name not in FORMATS:
        raise FormatError(f"There is no format {name!r}. Pick one of: {', '.join(FORMATS)}.")
    return FORMATS[name]
